/** Loss recoveries, from none to the strongest. The receiver chooses one and names it in `hello`. */
export const RECOVERIES = ['none', 'reorder', 'nack', 'fec', 'hybrid'] as const;

/** Name of a loss recovery. */
export type Recovery = (typeof RECOVERIES)[number];
