import { expect } from 'vitest';
import { type Experiment, missedShare } from '../../../lab/validation/stream-simulations.ts';

/** One packet per frame every 4 ms, each a key frame, so that a missed frame is a missed packet. */
export const PACKETS = { framesPerSecond: 250, packets: 1, back: 'delay=20ms', budgetMs: 400 } as const;
export const SEED = 11;

/** Expects the share of missed frames within four standard errors, the one measured or that of independent misses. */
export function expectMissed(experiment: Experiment, predicted: number, frames: number): void {
  const { estimate, standardError } = missedShare(experiment, SEED, frames);
  const error = Math.max(standardError, Math.sqrt(predicted / frames));
  expect(Math.abs(estimate - predicted), `${estimate} for ${predicted} ± ${error}`).toBeLessThan(4 * error);
}
