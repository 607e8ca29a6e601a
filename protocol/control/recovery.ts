/** What is done about loss, from nothing to everything. A receiver chooses, and tells its sender. */
export const RECOVERIES = ['none', 'reorder', 'nack', 'fec', 'hybrid'] as const;

/** Name of a loss recovery. */
export type Recovery = (typeof RECOVERIES)[number];
