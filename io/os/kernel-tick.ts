import type { Microseconds } from '../../protocol/base/instant.ts';
import { libraryFunction } from './c-library.ts';

const CLOCK_MONOTONIC_COARSE = 6;
/** Two words of 64 bits: seconds and nanoseconds. */
const TIMESPEC_BYTES = 16;

/**
 * The length of the kernel's tick (jiffy), by which TCP's timers go: it is the resolution of the clock that is only read
 * at ticks, clock_getres(2). `undefined` where it cannot be asked.
 */
export function kernelTick(): Microseconds | undefined {
  const call = libraryFunction<(clock: number, resolution: Uint8Array) => number>(
    'int clock_getres(int clock, void *resolution)',
  );
  const resolution = new Uint8Array(TIMESPEC_BYTES);
  if (call === undefined || call(CLOCK_MONOTONIC_COARSE, resolution) !== 0) return undefined;
  const nanoseconds = new DataView(resolution.buffer).getBigInt64(8, true);
  return Math.round(Number(nanoseconds) / 1_000);
}
