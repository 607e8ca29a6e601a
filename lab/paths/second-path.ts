import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { type Cell, shortestTransit } from '../cell.ts';
import type { ColumnKind } from '../store/columns.ts';
import { isPathStrategy } from '../strategies.ts';
import type { TrafficMeter } from '../traffic-meter.ts';

/** Figures of the second path of a cell; those of the summary are of both paths in sum. */
export interface SecondPathFigures {
  /** Canonical forms of its links, with seed. */
  readonly secondForward: string | null;
  readonly secondBack: string | null;
  /** Bytes and datagrams that took it after the warm-up, with all headers. */
  readonly bytesSecondForward: number | null;
  readonly bytesSecondBack: number | null;
  readonly datagramsSecondForward: number | null;
  readonly datagramsSecondBack: number | null;
}

/** Columns of the second path, which only answers with one have. */
export const PATH_COLUMNS: { readonly [Name in keyof SecondPathFigures]-?: ColumnKind } = {
  secondForward: 'text',
  secondBack: 'text',
  bytesSecondForward: 'whole',
  bytesSecondBack: 'whole',
  datagramsSecondForward: 'whole',
  datagramsSecondBack: 'whole',
};

/** Returns the figures of a second path. @param traffic what took it. */
export function secondPathFigures(second: NonNullable<Cell['second']>, traffic: TrafficMeter): SecondPathFigures {
  return {
    secondForward: second.forward,
    secondBack: second.back,
    bytesSecondForward: traffic.forward.bytes,
    bytesSecondBack: traffic.back.bytes,
    datagramsSecondForward: traffic.forward.datagrams,
    datagramsSecondBack: traffic.back.datagrams,
  };
}

/** Shortest transit of the cell's media: by the faster path, for a strategy over both. */
export function transitOfCell(cell: Cell, forward: LinkSpecification, second?: LinkSpecification): Microseconds {
  const first = shortestTransit(forward);
  if (!second || !isPathStrategy(cell.strategy)) return first;
  return microseconds(Math.min(first, shortestTransit(second)));
}
