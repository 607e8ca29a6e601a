import { elapsed, type Instant, type Microseconds, milliseconds } from '../../protocol/base/units.ts';

/** Two failures of an encoder within this time are attributed to the film or the machine: the fallback takes over. */
const LOST_AGAIN_WITHIN: Microseconds = milliseconds(10_000);

/** True when an encoder that fails now has failed shortly before. */
export const isLostAgain = (before: Instant | undefined, now: Instant): boolean =>
  before !== undefined && elapsed(before, now) < LOST_AGAIN_WITHIN;
