import { hrtime } from 'node:process';
import { type Microseconds, microseconds } from '../../protocol/base/units.ts';

const SAMPLES = 9;

/**
 * Offset from the clock of this process or thread to the machine's monotonic clock, which all processes share: add it
 * to `now()`. It is constant, and is taken from the pair of readings with the smallest gap.
 */
export function monotonicOffset(): Microseconds {
  let closest = { gap: Number.POSITIVE_INFINITY, offset: 0 };
  for (let sample = 0; sample < SAMPLES; sample++) {
    const before = performance.now();
    const machine = Number(hrtime.bigint()) / 1_000;
    const gap = performance.now() - before;
    if (gap < closest.gap) closest = { gap, offset: machine - (before + gap / 2) * 1_000 };
  }
  return microseconds(Math.round(closest.offset));
}
