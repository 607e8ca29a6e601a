import type { FinishedCell } from '../store/cell-store.ts';
import type { Measurement } from './measurement.ts';

/** Conditions of a strategy's measurements. Lists have several members when cells differ. */
export interface MeasuredStrategy {
  readonly strategy: string;
  readonly mode: 'socket';
  readonly transport: Transport;
  readonly cells: number;
  /** Settings of TCP; empty over UDP. */
  readonly congestionControl: readonly string[];
  readonly notsentLowat: readonly number[];
  readonly kernel: readonly string[];
  /** Worst of all cells, microseconds. */
  readonly timerUsP99: number;
  readonly relayUsP99: number;
  /** Cells that were repeated, and cells disturbed in every attempt. */
  readonly repeated: number;
  readonly disturbed: number;
}

/** Conditions of a measured cell, one row each. */
export type MeasuredRecord = Omit<Measurement, 'disturbed' | 'congestionControl' | 'notsentLowat'> & {
  readonly cell: string;
  readonly strategy: string;
  readonly seed: number;
  readonly disturbed: 0 | 1;
  /** Settings of TCP; `null` over UDP, which has none. */
  readonly congestionControl: string | null;
  readonly notsentLowat: number | null;
  readonly transport: Transport;
};

type Transport = 'udp' | 'tcp';
const transportOf = (strategy: string): Transport => (strategy.startsWith('tcp-') ? 'tcp' : 'udp');

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
  transport: 'text',
} as const;

/** @param cell a measured cell. */
export function measuredRecord({ id, row, measurement }: FinishedCell): MeasuredRecord {
  const transport = transportOf(row.strategy);
  return {
    cell: id,
    strategy: row.strategy,
    seed: row.seed,
    ...measurement!,
    ...(transport === 'udp' && { congestionControl: null, notsentLowat: null }),
    disturbed: measurement!.disturbed ? 1 : 0,
    transport,
  };
}

/** Groups conditions by strategy. @param cells measured cells. */
export function conditionsOf(cells: readonly FinishedCell[]): MeasuredStrategy[] {
  return [...new Set(cells.map(({ row }) => row.strategy))].map((strategy) => {
    const those = cells.filter(({ row }) => row.strategy === strategy).map(({ measurement }) => measurement!);
    const each = <Value>(read: (measurement: Measurement) => Value) => [...new Set(those.map(read))];
    const transport = transportOf(strategy);
    return {
      strategy,
      mode: 'socket',
      transport,
      cells: those.length,
      congestionControl: transport === 'tcp' ? each(({ congestionControl }) => congestionControl) : [],
      notsentLowat: transport === 'tcp' ? each(({ notsentLowat }) => notsentLowat) : [],
      kernel: each(({ kernel }) => kernel),
      timerUsP99: Math.max(...those.map(({ timerUsP99 }) => timerUsP99)),
      relayUsP99: Math.max(...those.map(({ relayUsP99 }) => relayUsP99)),
      repeated: those.filter(({ attempts }) => attempts > 1).length,
      disturbed: those.filter(({ disturbed }) => disturbed).length,
    };
  });
}
