import { assert } from '../protocol/base/assert.ts';
import { type Microseconds, milliseconds } from '../protocol/base/instant.ts';
import { malformed, parsed } from '../protocol/base/parsed.ts';
import { formatLinkSpecification } from '../sim/link/link-format.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { meanLoss } from '../sim/link/loss/loss-model.ts';
import type { SourceDescription } from './cell-source.ts';
import { canonicalHash, type Json } from './store/canonical-json.ts';
import type { StrategyName } from './strategies.ts';
import type { StrategyParameters } from './strategy.ts';

/** One point of the grid: all that decides its result, and nothing else. */
export interface Cell {
  readonly strategy: StrategyName;
  readonly parameters: StrategyParameters;
  readonly source: SourceDescription;
  /** Canonical lines, seed included. */
  readonly forward: string;
  readonly back: string;
  readonly budgetMs: number;
  readonly warmUpSeconds: number;
  readonly release: 'deadline' | 'asap';
  readonly seed: number;
  /** Of strategies of the kernel, which cannot be repeated to the byte: which measurement of the same path, from 1. */
  readonly repeat?: number;
}

/** Raised when a cell means something else than before: what was finished earlier is then computed anew. */
export const CELL_VERSION = 1;

/** SHA-256 of the cell's canonical description. */
export const cellId = (cell: Cell): string =>
  canonicalHash({ version: CELL_VERSION, ...(cell as unknown as Json & object) });

/** The content of the files that links name (`trace=`, `losstrace=`), by the name as it stands in the scenario. */
export type Traces = ReadonlyMap<string, string>;

/** A link's canonical line, with this seed. @param text one that was checked. */
export function canonicalLink(text: string, seed: number, traces: Traces = new Map()): string {
  return formatLinkSpecification({ ...linkOf(text, traces), seed });
}

/** @param text one that was checked. */
export function linkOf(text: string, traces: Traces): LinkSpecification {
  const link = parseLinkSpecification(text, (name) => {
    const content = traces.get(name);
    return content === undefined ? malformed(`${name} was not read`) : parsed(content);
  });
  assert(link.ok, 'a scenario holds links that were checked');
  return link.value;
}

/** IPv4 and UDP headers and a full media datagram. */
const DATAGRAM_BITS = (1_200 + 28) * 8;

/** How long a full datagram takes at least where nothing is before it, as far as the link is the same all the time. */
export function shortestTransit(link: LinkSpecification): Microseconds {
  const { delay, rate } = lineOf(link);
  return Math.round(delay + (rate > 0 ? (DATAGRAM_BITS * 1e6) / rate : 0));
}

/** What of a link goes on the axes of a picture, as it is in the beginning. */
export function lineOf(link: LinkSpecification): {
  /** Mean share, 0 … 1; of a trace of losses, as in the trace. */
  readonly loss: number;
  /** Mean run in packets where the link says one; else 1. */
  readonly burst: number;
  /** Microseconds. */
  readonly delay: number;
  /** Bits a second; 0: no bottleneck, or a recorded one. */
  readonly rate: number;
} {
  const { netem } = link;
  if (netem) {
    const loss = netem.loss === undefined ? 0 : 'share' in netem.loss ? netem.loss.share : meanLoss(netem.loss);
    return { loss, burst: 1, delay: netem.delay ?? 0, rate: netem.rate ?? 0 };
  }
  const loss = link.lossModel ? meanLoss(link.lossModel) : link.loss;
  return { loss, burst: Math.max(1, link.burst), delay: link.delay, rate: link.rate };
}

export const budgetOf = (cell: Cell): Microseconds => milliseconds(cell.budgetMs);

/** Such as `redundancy=0.5`; empty where everything is as usual. */
export function formatParameters(parameters: Cell['parameters']): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
