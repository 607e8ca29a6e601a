import { now } from '../../io/os/clock.ts';
import { later, type Microseconds, milliseconds } from '../../protocol/base/units.ts';

/** Number and length of consecutive punctual timers that indicate an idle machine. */
const TIMERS = 40;
const TIMER_MS = 5;

/**
 * Waits until timers are punctual again, because a measurement on a busy machine would have to be repeated.
 *
 * @param options.lateMax tolerated lateness of a timer, microseconds. @param options.waitMax longest wait,
 *   microseconds.
 */
export async function calmMachine(options: {
  readonly lateMax: Microseconds;
  readonly waitMax: Microseconds;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { lateMax, waitMax, signal } = options;
  const since = now();
  for (let inTime = 0; inTime < TIMERS && !signal.aborted && now() - since < waitMax; inTime++) {
    const due = later(now(), milliseconds(TIMER_MS));
    await new Promise((resolve) => setTimeout(resolve, TIMER_MS));
    if (now() - due > lateMax) inTime = -1;
  }
}
