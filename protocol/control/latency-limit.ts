/** The longest play-out delay that a receiver may ask for, be it on a command line or on a page, milliseconds. */
export const LATENCY_MS_MAX = 60_000;

/** The longest time for which a receiver may mend frames after their deadline, and the time without being told, milliseconds. */
export const MEND_MS_MAX = 8_000;
export const MEND_MS_DEFAULT = 5_000;
