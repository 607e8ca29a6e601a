import type { FinishedCell } from '../store/cell-store.ts';
import type { Measurement } from './measurement.ts';

/** What a strategy's cells were measured with. Lists have more than one member where cells differ. */
export interface MeasuredStrategy {
  readonly strategy: string;
  readonly mode: 'socket';
  readonly cells: number;
  readonly congestionControl: readonly string[];
  readonly notsentLowat: readonly number[];
  readonly kernel: readonly string[];
  /** The worst of all cells, microseconds. */
  readonly timerUsP99: number;
  readonly relayUsP99: number;
  /** Cells that had to be run again, and those that were disturbed each time. */
  readonly repeated: number;
  readonly disturbed: number;
}

/** Under which conditions a cell was measured, a row for each cell that was. */
export type MeasuredRecord = Omit<Measurement, 'disturbed'> & {
  readonly cell: string;
  readonly strategy: string;
  readonly seed: number;
  readonly disturbed: 0 | 1;
};

export const MEASURED_COLUMNS = {
  cell: 'text',
  strategy: 'text',
  seed: 'whole',
  repeat: 'whole',
  mode: 'text',
  congestionControl: 'text',
  notsentLowat: 'whole',
  kernel: 'text',
  timerUsP99: 'whole',
  timerUsMax: 'whole',
  relayUsP50: 'whole',
  relayUsP99: 'whole',
  relayUsMax: 'whole',
  machineDrops: 'whole',
  attempts: 'whole',
  disturbed: 'whole',
} as const;

/** @param cell one that was measured. */
export const measuredRecord = ({ id, row, measurement }: FinishedCell): MeasuredRecord => ({
  cell: id,
  strategy: row.strategy,
  seed: row.seed,
  ...measurement!,
  disturbed: measurement!.disturbed ? 1 : 0,
});

/** By strategy. @param cells those that were measured. */
export function conditionsOf(cells: readonly FinishedCell[]): MeasuredStrategy[] {
  return [...new Set(cells.map(({ row }) => row.strategy))].map((strategy) => {
    const those = cells.filter(({ row }) => row.strategy === strategy).map(({ measurement }) => measurement!);
    const each = <Value>(read: (measurement: Measurement) => Value) => [...new Set(those.map(read))];
    return {
      strategy,
      mode: 'socket',
      cells: those.length,
      congestionControl: each(({ congestionControl }) => congestionControl),
      notsentLowat: each(({ notsentLowat }) => notsentLowat),
      kernel: each(({ kernel }) => kernel),
      timerUsP99: Math.max(...those.map(({ timerUsP99 }) => timerUsP99)),
      relayUsP99: Math.max(...those.map(({ relayUsP99 }) => relayUsP99)),
      repeated: those.filter(({ attempts }) => attempts > 1).length,
      disturbed: those.filter(({ disturbed }) => disturbed).length,
    };
  });
}
