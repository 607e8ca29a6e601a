/** Longest play-out delay that a receiver may request, milliseconds. */
export const LATENCY_MS_MAX = 60_000;

/** Longest time for which a receiver may mend frames after their deadline, and its default, milliseconds. */
export const MEND_MS_MAX = 8_000;
export const MEND_MS_DEFAULT = 5_000;
