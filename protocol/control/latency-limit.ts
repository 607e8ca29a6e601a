/** The longest play-out delay that a receiver may ask for, be it on a command line or on a page, milliseconds. */
export const LATENCY_MS_MAX = 60_000;
