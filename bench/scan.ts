import { sum } from '../lab/report/operating-point.ts';
import type { PlotRow } from '../lab/report/plot.ts';
import type { Recovery } from '../protocol/control/recovery.ts';
import { type BenchPoint, interval, type PointOutcome } from './point.ts';
import { readPoint } from './point-text.ts';

/** Cells in which strategies are compared along one property of the path, or over a plane of several. */
export interface Scan {
  readonly name: ScanName;
  readonly recoveries: readonly Recovery[];
  readonly cells: readonly ScanCell[];
}

export interface ScanCell {
  readonly point: BenchPoint;
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly packets: number;
  /** Round trips that fit between the fastest transit and the deadline. */
  readonly roundTrips: number;
}

export const SCAN_NAMES = ['budget', 'jitter', 'plane'] as const;
export type ScanName = (typeof SCAN_NAMES)[number];

/** Largest overhead with which a strategy is compared: the redundancy budget, and the headers of small packets. */
const OVERHEAD_MAX = 0.3;

interface Place {
  readonly lossPercent: number;
  readonly delayMs: number;
  readonly jitterMs?: number;
  readonly roundTrips: number;
  readonly packets?: number;
}

export function cellAt({ lossPercent, delayMs, jitterMs = 0, roundTrips, packets = 12 }: Place): ScanCell {
  const budget = delayMs + Math.round(roundTrips * 2 * delayMs);
  const jitter = jitterMs > 0 ? ` jitter=${jitterMs}ms` : '';
  const text = `loss=${lossPercent}%${jitter} delay=${delayMs}ms budget=${budget} packets=${packets}`;
  return { point: { ...readPoint(text), name: text }, lossPercent, jitterMs, packets, roundTrips };
}

const LOSSES = [0.5, 2, 5, 10];
const DELAYS = [10, 40, 75];

/** Returns the cells of a scan. */
export function scanOf(name: ScanName): Scan {
  switch (name) {
    case 'budget': {
      const tenths = Array.from({ length: 30 }, (_, index) => (index + 4) / 10);
      const cells = [1, 3, 10].flatMap((lossPercent) =>
        DELAYS.flatMap((delayMs) => tenths.map((roundTrips) => cellAt({ lossPercent, delayMs, roundTrips }))),
      );
      return { name, recoveries: ['hybrid'], cells };
    }
    case 'jitter': {
      const jitters = Array.from({ length: 31 }, (_, index) => index);
      const cells = [2, 5].flatMap((lossPercent) =>
        jitters.map((jitterMs) => cellAt({ lossPercent, delayMs: 30, jitterMs, roundTrips: 2 })),
      );
      return { name, recoveries: ['nack', 'fec', 'hybrid'], cells };
    }
    case 'plane': {
      const cells = LOSSES.flatMap((lossPercent) =>
        DELAYS.flatMap((delayMs) =>
          [0, 5, 15, 30].flatMap((jitterMs) =>
            [0.6, 1.2, 2.2, 3.2].flatMap((roundTrips) =>
              [1, 3, 12, 40].map((packets) => cellAt({ lossPercent, delayMs, jitterMs, roundTrips, packets })),
            ),
          ),
        ),
      );
      return { name, recoveries: ['nack', 'fec', 'hybrid'], cells };
    }
    default:
      return name satisfies never;
  }
}

/** Frames lost and overhead of a strategy in a cell, all seeds together. */
export interface ScanFigures {
  readonly lost: number;
  readonly frames: number;
  readonly overhead: number;
}

export const figuresOf = (outcomes: readonly PointOutcome[]): ScanFigures => ({
  lost: sum(outcomes.map(({ framesLost }) => framesLost)),
  frames: sum(outcomes.map(({ frames }) => frames)),
  overhead: sum(outcomes.map(({ overhead }) => overhead)) / outcomes.length,
});

/**
 * Share of frames by which `own` loses more than the best of the others that stay within the redundancy budget, beyond
 * chance (95 % intervals that do not overlap); 0 when it is not worse.
 */
export function shareBehind(own: ScanFigures, others: readonly ScanFigures[]): number {
  const comparable = others.filter(({ overhead }) => overhead <= Math.max(OVERHEAD_MAX, own.overhead));
  const best = Math.min(...comparable.map(({ lost, frames }) => lost / frames));
  const frames = comparable[0]?.frames;
  if (frames === undefined) return 0;
  const certain = interval(own.lost, own.frames).low > interval(best * frames, frames).high;
  return certain ? own.lost / own.frames - best : 0;
}

/** Rows of a scan's table and picture. @param figures by cell, then by strategy. */
export function scanRows({ cells, recoveries }: Scan, figures: readonly (readonly ScanFigures[])[]): PlotRow[] {
  return cells.flatMap(({ point, lossPercent, jitterMs, packets, roundTrips }, index) => {
    const own = figures[index]!;
    const hybrid = own[recoveries.indexOf('hybrid')]!;
    const behind = shareBehind(
      hybrid,
      own.filter((one) => one !== hybrid),
    );
    return recoveries.map((strategy, place) => ({
      ...{ loss: `${lossPercent} %`, delayMs: point.oneWayMs, jitterMs, budgetMs: point.budgetMs, packets, roundTrips },
      strategy,
      frames: own[place]!.frames,
      lostPercent: (100 * own[place]!.lost) / own[place]!.frames,
      overheadPercent: 100 * own[place]!.overhead,
      behindPercent: strategy === 'hybrid' ? 100 * behind : null,
    }));
  });
}
