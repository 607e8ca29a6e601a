import { hrtime } from 'node:process';

/** The machine's monotonic clock in microseconds: the same for all processes. */
export const monotonicMicroseconds = (): number => Number(hrtime.bigint() / 1_000n);
