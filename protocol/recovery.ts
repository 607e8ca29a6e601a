/** What is done about loss, from nothing to everything. A receiver chooses, and tells its sender. */
export const RECOVERIES = ['none', 'reorder', 'nack'] as const;

export type Recovery = (typeof RECOVERIES)[number];
