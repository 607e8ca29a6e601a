import type { Instant, Microseconds } from '../../protocol/instant.ts';

/**
 * When a timer rings that is set at `now` for `wait`. Linux counts the time of TCP's timers in ticks (jiffies): the wait
 * is rounded up to whole ticks and begins at the tick before, so that it takes up to a tick more or, set for few of them, less.
 * @param tick 4 ms with `CONFIG_HZ=250`; 1: to the microsecond.
 */
export const ringsAt = (now: Instant, wait: Microseconds, tick: Microseconds): Instant =>
  tick === 1 ? now + wait : (Math.floor(now / tick) + Math.ceil(wait / tick)) * tick;
