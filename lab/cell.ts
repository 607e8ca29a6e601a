import { assert } from '../protocol/base/assert.ts';
import { malformed, parsed } from '../protocol/base/parsed.ts';
import { type Microseconds, microseconds, milliseconds, timeFor } from '../protocol/base/units.ts';
import { formatLinkSpecification } from '../sim/link/link-format.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { meanLoss } from '../sim/link/loss/loss-model.ts';
import type { CellSource } from './cell-source.ts';
import type { FlowDescription } from './flows/flow-description.ts';
import { canonicalHash, type Json } from './store/canonical-json.ts';
import type { StrategyName } from './strategies.ts';
import type { StrategyParameters } from './strategy.ts';
import type { Traces } from './traces.ts';

/** One point of the grid: all inputs that determine its result, and nothing else. */
export interface Cell {
  readonly strategy: StrategyName;
  readonly parameters: StrategyParameters;
  readonly source: CellSource;
  /** Canonical form, with the seed. */
  readonly forward: string;
  readonly back: string;
  /** Second path in parallel, in canonical form; absent with one path. Only strategies over two paths use it. */
  readonly second?: { readonly forward: string; readonly back: string };
  readonly budgetMs: number;
  readonly warmUpSeconds: number;
  readonly release: 'deadline' | 'asap';
  readonly seed: number;
  /** Repetition of a kernel measurement, from 1. Measurements are not reproducible to the byte. */
  readonly repeat?: number;
  /** Flows that share the links; strategy, parameters and source are then those of the first media flow. */
  readonly flows?: readonly FlowDescription[];
  /** Profile of the end hosts; ideal when absent. */
  readonly host?: 'linux-6.18';
}

/** Increased when the meaning of a cell changes, which invalidates earlier results. */
export const CELL_VERSION = 1;

/** SHA-256 of the cell's canonical description. */
export const cellId = (cell: Cell): string =>
  canonicalHash({ version: CELL_VERSION, ...(cell as unknown as Json & object) });

/** Returns a link's canonical form with the given seed. @param text a valid link. */
export function canonicalLink(text: string, seed: number, traces: Traces = new Map()): string {
  return formatLinkSpecification({ ...linkOf(text, traces), seed });
}

/** @param text a valid link. */
export function linkOf(text: string, traces: Traces): LinkSpecification {
  const link = parseLinkSpecification(text, (name) => {
    const content = traces.get(name);
    return content === undefined ? malformed(`${name} was not read`) : parsed(content);
  });
  assert(link.ok, 'the links of a scenario must be valid');
  return link.value;
}

/** A full media datagram with IPv4 and UDP headers, bits. */
const DATAGRAM_BITS = (1_200 + 28) * 8;

/** Minimum transit time of a full datagram on an empty link, from its initial parameters, microseconds. */
export function shortestTransit(link: LinkSpecification): Microseconds {
  const { delay, rate } = lineOf(link);
  return microseconds(Math.round(delay + (rate > 0 ? timeFor(DATAGRAM_BITS, rate) : 0)));
}

/** Parameters of a link for plot axes, at its start. */
export function lineOf(link: LinkSpecification): {
  /** Mean loss, 0 … 1; of a loss recording, its mean. */
  readonly loss: number;
  /** Mean burst, datagrams, where the link sets one; else 1. */
  readonly burst: number;
  /** Propagation delay, microseconds. */
  readonly delay: Microseconds;
  /** Bits per second; 0: no bottleneck, or a recorded capacity. */
  readonly rate: number;
} {
  const { netem } = link;
  if (netem) {
    const loss = netem.loss === undefined ? 0 : 'share' in netem.loss ? netem.loss.share : meanLoss(netem.loss);
    return { loss, burst: 1, delay: netem.delay ?? microseconds(0), rate: netem.rate ?? 0 };
  }
  const loss = link.lossModel ? meanLoss(link.lossModel) : link.loss;
  return { loss, burst: Math.max(1, link.burst), delay: link.delay, rate: link.rate };
}

export const budgetOf = (cell: Cell): Microseconds => milliseconds(cell.budgetMs);

/** Formats parameters, for example `redundancy=0.5`; empty when all are default. */
export function formatParameters(parameters: Cell['parameters']): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
