import type { FlowTables } from './flows/flow-tables.ts';
import type { FrameTable } from './frame-table.ts';
import type { SecondPathFigures } from './paths/second-path.ts';
import type { SoundFigures } from './sound/sound-figures.ts';
import type { SummaryRow } from './tables.ts';

/** Result of a cell. */
export interface CellResult {
  /** Of a cell with flows: the row of the first one. */
  readonly row: SummaryRow;
  /** Of a cell with flows: all rows, and the rates over time. */
  readonly flows?: FlowTables;
  /** Of a cell with a second path: its figures. */
  readonly second?: SecondPathFigures;
  /** Of a cell with sound: its figures, and its access units. */
  readonly sound?: SoundFigures;
  readonly soundUnits?: FrameTable;
  readonly bursts: Bursts;
  readonly frames: FrameTable;
  /** Datagrams in both directions since the start, for cost accounting. */
  readonly datagrams: number;
}

/** Histogram of loss burst lengths, before and after recovery. */
export interface Bursts {
  readonly before: readonly (readonly [length: number, count: number])[];
  readonly after: readonly (readonly [length: number, count: number])[];
}
