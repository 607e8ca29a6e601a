import { hrtime } from 'node:process';

/** The machine's monotonic clock, microseconds; equal in all processes. */
export const monotonicMicroseconds = (): number => Number(hrtime.bigint() / 1_000n);
