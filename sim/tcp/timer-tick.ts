import type { Instant, Microseconds } from '../../protocol/base/instant.ts';

/** Linux' timer wheel: so many ticks and more are kept eight times as coarsely, and so on (kernel/time/timer.c). */
const WHEEL_TICKS = 63;
const WHEEL_STEP = 8;

/**
 * When a timer of TCP rings that is set at `now` for `wait`. Linux counts in ticks (jiffies): the wait is rounded up, it
 * begins with the tick that is under way, and the wheel adds one of its steps, so that no timer rings early. How far the
 * tick under way has come is chance: here it is half over each time, which is the mean.
 * @param tick 4 ms with `CONFIG_HZ=250`; 1: to the microsecond, as if there were none.
 */
export function ringsAt(now: Instant, wait: Microseconds, tick: Microseconds): Instant {
  if (tick === 1) return now + wait;
  const ticks = Math.ceil(wait / tick);
  let step = 1;
  while (ticks >= WHEEL_TICKS * step) step *= WHEEL_STEP;
  return now + Math.round((ticks + step / 2) * tick);
}
