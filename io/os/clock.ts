import { type Instant, instant, milliseconds } from '../../protocol/base/units.ts';

/** Monotonic clock of this process, or in a browser of this worker, microseconds. All endpoints run on it. */
export const now = (): Instant => instant(milliseconds(performance.now()));
