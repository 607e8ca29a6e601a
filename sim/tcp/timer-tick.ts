import { type Instant, instant, later, type Microseconds } from '../../protocol/base/units.ts';

/** Timer wheel of Linux: from this many ticks on, each level is eight times coarser (kernel/time/timer.c). */
const WHEEL_TICKS = 63;
const WHEEL_STEP = 8;

/**
 * Returns when a TCP timer set at `now` for `wait` expires. Linux counts in jiffies: the wait is rounded up, starts
 * with the current tick, and the wheel adds one step, so timers never expire early. The phase of the current tick is
 * random in a kernel; here it is always one half, the mean.
 *
 * @param tick 4 ms with `CONFIG_HZ=250`; 1: exact to the microsecond.
 */
export function expiryAt(now: Instant, wait: Microseconds, tick: Microseconds): Instant {
  if (tick === 1) return later(now, wait);
  const ticks = Math.ceil(wait / tick);
  let step = 1;
  while (ticks >= WHEEL_TICKS * step) step *= WHEEL_STEP;
  return instant(now + Math.round((ticks + step / 2) * tick));
}
