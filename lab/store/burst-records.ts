import type { FinishedCell } from './cell-store.ts';

/** Number of loss bursts of one length in a cell, before or after recovery. */
export interface BurstRecord {
  readonly cell: string;
  readonly recovery: 'before' | 'after';
  readonly length: number;
  readonly count: number;
}

export const BURST_COLUMNS = { cell: 'text', recovery: 'text', length: 'whole', count: 'whole' } as const;

/** Histograms of the loss bursts of a cell, before and after recovery. */
export function burstRecords({ id, bursts }: FinishedCell): BurstRecord[] {
  return (['before', 'after'] as const).flatMap((recovery) =>
    bursts[recovery].map(([length, count]) => ({ cell: id, recovery, length, count })),
  );
}
