import { sum } from '../lab/report/operating-point.ts';
import { RECOVERIES, type Recovery } from '../protocol/control/recovery.ts';
import type { BenchPart } from './part.ts';
import { type BenchPoint, interval, POINTS, type PointOutcome, runPoint } from './point.ts';
import { boundOf, boundText } from './point-bound.ts';
import { textTable } from './table.ts';

/** All runs of a point with a recovery strategy. */
export interface Row {
  readonly point: BenchPoint;
  readonly recovery: Recovery;
  readonly outcomes: readonly PointOutcome[];
}

export const percent = (share: number, digits: number): string => `${(share * 100).toFixed(digits)}`;

function cells({ point, recovery, outcomes }: Row): string[] {
  const frames = sum(outcomes.map((outcome) => outcome.frames));
  const lost = sum(outcomes.map((outcome) => outcome.framesLost));
  const overhead = sum(outcomes.map((outcome) => outcome.overhead)) / outcomes.length;
  const { low, high } = interval(lost, frames);
  const { target } = point;
  const goal = target ? `${percent(target.lost, 2)} / ${percent(target.overhead, 1)}` : '–';
  const first = outcomes[0]!;
  return [
    point.name,
    recovery,
    `${point.forward}, ${point.budgetMs} ms`,
    `${percent(lost / frames, 4)}`,
    `${percent(low, 4)}–${percent(high, 4)}`,
    `${percent(overhead, 2)}`,
    boundText(boundOf(point, outcomes), overhead),
    goal,
    `${first.delayMsP50.toFixed(1)} / ${first.delayMsP99.toFixed(1)}`,
  ];
}

const HEAD = [
  'point',
  'recovery',
  'forward path, budget',
  'frames lost %',
  '95 %',
  'overhead %',
  'limit %',
  'target',
  'p50/p99 ms',
];

/** Meaning of the column `limit`. */
export const LIMIT_NOTE =
  'limit: least overhead at this loss of any scheme that codes frame by frame with perfect feedback; with ≥, of any scheme whatever.';

export const tableOf = (rows: readonly Row[]): string => `${textTable(HEAD, rows.map(cells))}\n${LIMIT_NOTE}`;

/** Frame loss and overhead at each point of the comparison with SRT and RIST, on the virtual clock. */
export const points: BenchPart = async (context) => {
  const rows: Row[] = [];
  const frames = context.quick ? 2_000 : 20_000;
  for (const recovery of RECOVERIES.slice(2)) {
    for (const point of POINTS) {
      const outcomes: PointOutcome[] = [];
      for (let seed = 1; seed <= context.rounds; seed++) {
        context.progress(`points: ${point.name}, ${recovery}, seed ${seed}`);
        outcomes.push(runPoint(point, { recovery, frames, seed }));
        // Yields to the event loop, for Ctrl-C.
        await new Promise((resolve) => setImmediate(resolve));
      }
      rows.push({ point, recovery, outcomes });
    }
  }
  return { text: tableOf(rows), figures: rows };
};
