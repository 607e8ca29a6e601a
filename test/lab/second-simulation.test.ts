import { describe, expect, test } from 'vitest';
import type { Cell } from '../../lab/cell.ts';
import { runCell } from '../../lab/run-cell.ts';
import { type SecondPath, type SecondStream, secondFec, secondNack } from './second-simulation.ts';

/**
 * The laboratory against a second simulation that knows nothing of it. Their random numbers differ, so shares of missed
 * frames are compared within the interval of both.
 */

const FRAMES = 4_000;
/** Until the receiver knows the round trip. */
const WARM_UP = 400;
const BATCHES = 20;
/** Normal score of a two-sided 99.9 % interval: one of a thousand cells differs by chance. */
const SCORE = 3.29;

type Figures = readonly [
  lossPercent: number,
  burst: number,
  lossBackPercent: number,
  delay: number,
  jitter: number,
  packets: number,
  framesPerSecond: number,
  budget: number,
];

/**
 * Budgets are not whole milliseconds: where a request is answered exactly at the deadline, the clocks of both decide,
 * whose round trips differ by the resolution of NTP (15 µs).
 */
const NACK: readonly Figures[] = [
  [5, 4, 0, 40, 0, 4, 25, 130.7],
  [0.5, 4, 0, 20, 0, 6, 25, 87.7],
  [5, 4, 0, 40, 10, 4, 60, 139.7],
  [5, 1, 0, 5, 0, 1, 25, 57.7],
  [0.5, 1, 10, 10, 0, 4, 60, 42.7],
  [5, 1, 0, 40, 4, 4, 60, 162.7],
  [10, 4, 10, 5, 0, 6, 25, 45.7],
  [10, 2, 2, 5, 0, 4, 60, 49.7],
  [2, 1, 2, 60, 0, 6, 30, 223.7],
  [20, 2, 2, 40, 0, 6, 60, 113.7],
  [10, 1, 10, 10, 10, 10, 30, 78.7],
  [20, 1, 10, 60, 10, 2, 30, 189.7],
  [20, 1, 2, 40, 10, 2, 60, 176.7],
  [20, 4, 2, 5, 4, 6, 25, 24.7],
  [20, 1, 2, 40, 0, 1, 25, 147.7],
  [10, 4, 10, 40, 0, 1, 25, 261.7],
  [10, 4, 0, 60, 4, 1, 30, 351.7],
  [5, 2, 10, 5, 0, 6, 25, 42.7],
  [5, 1, 0, 60, 0, 10, 60, 304.7],
  [20, 1, 2, 10, 10, 2, 30, 84.7],
];

/** With repair packets per media packet. */
const FEC: readonly (readonly [...Figures, ratio: number])[] = [
  [0.5, 4, 0, 60, 0, 4, 25, 80, 0.5],
  [10, 2, 10, 60, 0, 6, 25, 80, 0.1],
  [1, 4, 2, 20, 4, 2, 30, 44, 0.25],
  [2, 4, 0, 5, 10, 2, 25, 35, 0.25],
  [20, 1, 0, 10, 4, 2, 25, 34, 0.5],
  [10, 1, 2, 40, 0, 1, 25, 60, 0.5],
  [5, 1, 10, 5, 4, 6, 60, 29, 0.1],
  [20, 1, 2, 10, 0, 4, 30, 30, 0.1],
  [10, 1, 0, 60, 4, 6, 25, 84, 0.1],
  [5, 1, 10, 40, 10, 2, 60, 70, 0.1],
  [10, 2, 2, 5, 0, 4, 60, 25, 0.25],
  [2, 2, 0, 5, 0, 4, 25, 25, 0.1],
  [1, 4, 10, 20, 0, 1, 30, 40, 0.5],
  [5, 2, 0, 60, 0, 2, 60, 80, 0.5],
  [20, 2, 2, 40, 0, 6, 60, 60, 0.1],
  [20, 4, 0, 20, 4, 10, 25, 44, 0.1],
  [5, 4, 10, 10, 4, 2, 60, 34, 0.5],
  [2, 2, 0, 5, 4, 2, 25, 29, 0.5],
  [10, 4, 0, 60, 0, 10, 30, 80, 0.25],
  // Too short a budget for the slower half of the packets.
  [5, 1, 0, 30, 10, 4, 30, 35.7, 0.25],
];

function split([loss, burst, lossBack, delay, jitter, packets, framesPerSecond, budget]: Figures) {
  const path: SecondPath = { loss: loss / 100, burst, lossBack: lossBack / 100, delay, jitter };
  const stream: SecondStream = { packets, framesPerSecond, budget };
  return { path, stream };
}

/** True for each frame that missed its budget in the laboratory. */
function missedInLaboratory(strategy: 'nack' | 'fec', figures: Figures, redundancy: number, seed: number): boolean[] {
  const [loss, burst, lossBack, delay, jitter, packets, fps, budgetMs] = figures;
  const variation = jitter > 0 ? ` jitter=${jitter}ms order=kept` : '';
  const bytes = packets === 1 ? 200 : packets * 1_100;
  const cell: Cell = {
    strategy,
    parameters: { redundancy },
    source: {
      kind: 'synthetic',
      fps,
      kbps: (bytes * fps) / 125,
      keyInterval: 1,
      keyFrameRatio: 1,
      frames: FRAMES + WARM_UP,
    },
    forward: `loss=${loss}% burst=${burst} delay=${delay}ms${variation} seed=${seed}`,
    back: `loss=${lossBack}% delay=${delay}ms${variation} seed=${seed}`,
    budgetMs,
    warmUpSeconds: WARM_UP / fps,
    release: 'deadline',
    seed,
  };
  const { frames } = runCell(cell);
  expect(frames.packets(WARM_UP)).toBe(packets);
  return Array.from({ length: FRAMES }, (_, frame) => {
    const row = frame + WARM_UP;
    const delayUs = frames.time(row, 'decodableAt') - frames.time(row, 'capturedAt');
    return !(delayUs <= budgetMs * 1_000);
  });
}

/** Mean share of missed frames, and its standard error from the means of batches, as losses in a row are not independent. */
function estimate(missed: readonly boolean[]): { readonly share: number; readonly error: number } {
  const size = missed.length / BATCHES;
  const shares = Array.from(
    { length: BATCHES },
    (_, batch) => missed.slice(batch * size, (batch + 1) * size).filter(Boolean).length / size,
  );
  const share = shares.reduce((sum, each) => sum + each, 0) / BATCHES;
  const squares = shares.reduce((sum, each) => sum + (each - share) ** 2, 0);
  return { share, error: Math.sqrt(squares / (BATCHES - 1) / BATCHES) };
}

/** Distance of the laboratory from the second simulation, in standard errors. */
function distance(laboratory: readonly boolean[], second: readonly boolean[]): number {
  const [one, other] = [estimate(laboratory), estimate(second)];
  const error = Math.sqrt(one.error ** 2 + other.error ** 2);
  expect(error).toBeGreaterThan(0);
  return (one.share - other.share) / error;
}

interface Compared {
  readonly figures: readonly number[];
  /** Distance, computed once by whichever test asks first. */
  readonly apart: () => number;
}

function once(compute: () => number): () => number {
  let known: number | undefined;
  return () => {
    known ??= compute();
    return known;
  };
}

const COMPARED: { readonly [Strategy in 'nack' | 'fec']: readonly Compared[] } = {
  nack: NACK.map((figures, index) => {
    const { path, stream } = split(figures);
    const seed = index + 1;
    const apart = () => distance(missedInLaboratory('nack', figures, 1, seed), secondNack(path, stream, FRAMES, seed));
    return { figures, apart: once(apart) };
  }),
  fec: FEC.map((figures, index) => {
    const [ratio, own] = [figures[8], figures.slice(0, 8) as unknown as Figures];
    const { path, stream } = split(own);
    const seed = index + 1;
    const apart = () =>
      distance(missedInLaboratory('fec', own, ratio, seed), secondFec(path, stream, ratio, FRAMES, seed));
    return { figures, apart: once(apart) };
  }),
};

describe('an independent simulation', () => {
  test.each(COMPARED.nack)('agrees about nack: $figures', ({ apart }) => {
    expect(Math.abs(apart())).toBeLessThan(SCORE);
  });

  test.each(COMPARED.fec)('agrees about fec: $figures', ({ apart }) => {
    expect(Math.abs(apart())).toBeLessThan(SCORE);
  });

  test.each(['nack', 'fec'] as const)('is not better or worse than the laboratory in general: %s', (strategy) => {
    const all = COMPARED[strategy].map(({ apart }) => apart());
    expect(all).toHaveLength(20);
    const sum = all.reduce((total, each) => total + each, 0);
    expect(Math.abs(sum / Math.sqrt(all.length)), all.map((each) => each.toFixed(1)).join(' ')).toBeLessThan(SCORE);
  });
});
