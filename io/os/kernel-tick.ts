import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { libraryFunction } from './c-library.ts';

const CLOCK_MONOTONIC_COARSE = 6;
/** struct timespec: two 64-bit words, seconds and nanoseconds. */
const TIMESPEC_BYTES = 16;

/**
 * Length of the kernel's tick (jiffy), the unit of TCP's timers: the resolution of the coarse clock, clock_getres(2).
 * `undefined` when it cannot be read.
 */
export function kernelTick(): Microseconds | undefined {
  const call = libraryFunction<(clock: number, resolution: Uint8Array) => number>(
    'int clock_getres(int clock, void *resolution)',
  );
  const resolution = new Uint8Array(TIMESPEC_BYTES);
  if (call === undefined || call(CLOCK_MONOTONIC_COARSE, resolution) !== 0) return undefined;
  const nanoseconds = new DataView(resolution.buffer).getBigInt64(8, true);
  return microseconds(Math.round(Number(nanoseconds) / 1_000));
}
