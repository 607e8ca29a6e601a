import { assert } from '../protocol/assert.ts';
import { type Microseconds, milliseconds } from '../protocol/instant.ts';
import { formatLinkSpecification, type LinkSpecification, parseLinkSpecification } from '../sim/link-specification.ts';
import { canonicalHash, type Json } from './canonical-json.ts';
import type { SourceDescription } from './cell-source.ts';
import type { StrategyName } from './strategy.ts';

/** One point of the grid: all that decides its result, and nothing else. */
export interface Cell {
  readonly strategy: StrategyName;
  readonly parameters: { readonly redundancy?: number | undefined };
  readonly source: SourceDescription;
  /** Canonical lines, seed included. */
  readonly forward: string;
  readonly back: string;
  readonly budgetMs: number;
  readonly warmUpSeconds: number;
  readonly release: 'deadline' | 'asap';
  readonly seed: number;
}

/** Raised when a cell means something else than before: what was finished earlier is then computed anew. */
export const CELL_VERSION = 1;

/** SHA-256 of the cell's canonical description. */
export const cellId = (cell: Cell): string =>
  canonicalHash({ version: CELL_VERSION, ...(cell as unknown as Json & object) });

/** A link's canonical line, with this seed. @param text one that was checked. */
export function canonicalLink(text: string, seed: number): string {
  return formatLinkSpecification({ ...linkOf(text), seed });
}

/** @param text one that was checked. */
export function linkOf(text: string): LinkSpecification {
  const link = parseLinkSpecification(text);
  assert(link.ok, 'a scenario holds links that were checked');
  return link.value;
}

/** IPv4 and UDP headers and a full media datagram. */
const DATAGRAM_BITS = (1_200 + 28) * 8;

/** How long a full datagram takes at least where nothing is before it. */
export function shortestTransit(link: LinkSpecification): Microseconds {
  const serialization = link.rate > 0 ? (DATAGRAM_BITS * 1e6) / link.rate : 0;
  return Math.round(link.delay + serialization);
}

export const budgetOf = (cell: Cell): Microseconds => milliseconds(cell.budgetMs);

/** Such as `redundancy=0.5`; empty where everything is as usual. */
export function formatParameters(parameters: Cell['parameters']): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
