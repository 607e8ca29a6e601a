import { now } from '../../io/os/clock.ts';
import type { Microseconds } from '../../protocol/base/instant.ts';

/** So many timers in a row, of this length, say that nobody else wants the cores just now. */
const TIMERS = 40;
const TIMER_MS = 5;

/**
 * Waits until timers ring in time again: a measurement that begins while others work is one that has to be repeated.
 * @param options `lateMax`: what a timer may be late; `waitMax`: how long to wait for that at most.
 */
export async function calmMachine(options: {
  readonly lateMax: Microseconds;
  readonly waitMax: Microseconds;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { lateMax, waitMax, signal } = options;
  const since = now();
  for (let inTime = 0; inTime < TIMERS && !signal.aborted && now() - since < waitMax; inTime++) {
    const due = now() + TIMER_MS * 1_000;
    await new Promise((resolve) => setTimeout(resolve, TIMER_MS));
    if (now() - due > lateMax) inTime = -1;
  }
}
