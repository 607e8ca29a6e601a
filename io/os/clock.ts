import { performance } from 'node:perf_hooks';
import { hrtime } from 'node:process';
import type { Instant, Microseconds } from '../../protocol/base/instant.ts';

/** This process's monotonic clock, the only one that the endpoints are driven by. */
export const now = (): Instant => Math.round(performance.now() * 1_000);

const SAMPLES = 9;

/**
 * From this process's or thread's clock to the machine's monotonic one, which all processes share: add it to `now()`.
 * Both count the same time, so it stays; it is taken where the two were read closest after each other.
 */
export function monotonicOffset(): Microseconds {
  let closest = { gap: Number.POSITIVE_INFINITY, offset: 0 };
  for (let sample = 0; sample < SAMPLES; sample++) {
    const before = performance.now();
    const machine = Number(hrtime.bigint()) / 1_000;
    const gap = performance.now() - before;
    if (gap < closest.gap) closest = { gap, offset: machine - (before + gap / 2) * 1_000 };
  }
  return Math.round(closest.offset);
}
