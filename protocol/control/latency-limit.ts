import { type Microseconds, milliseconds } from '../base/units.ts';

/** Longest play-out delay that a receiver may request, milliseconds. */
export const LATENCY_MS_MAX = 60_000;

/** Longest time for which a receiver may mend frames after their deadline, and its default, milliseconds. */
export const MEND_MS_MAX = 8_000;
export const MEND_MS_DEFAULT = 5_000;

/** Returns the cause of a session without a frame. Before the latency has passed, no frame is due. */
export function noMediaCause(options: { readonly latencyMs: number; readonly timeout: Microseconds }): string {
  const { latencyMs, timeout } = options;
  if (timeout > milliseconds(latencyMs)) return 'no media arrived';
  return `no frame within a timeout that is not longer than the latency, ${latencyMs} ms`;
}
