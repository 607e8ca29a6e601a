import type { ColumnKind } from '../store/columns.ts';
import type { SummaryRow } from '../tables.ts';

/** Figures of a flow on the shared link. Rates count bytes that left the queue, headers included. */
export interface FlowFigures {
  readonly flow: string;
  /** Payload: `media`, `download` or `constant`. */
  readonly flowLoad: string;
  readonly flowDirection: 'forward' | 'back';
  /** The time over which it is measured, milliseconds since the start of the links. */
  readonly flowFromMs: number;
  readonly flowUntilMs: number;
  /** Bits per second. */
  readonly flowRate: number;
  /** Share of the link's capacity in that interval; `null` when it has no limit. */
  readonly capacityShare: number | null;
  /** Bytes relative to an equal share of the capacity among the flows present at each time. */
  readonly fairRatio: number | null;
  /** Jain's index of the rates of all flows of the direction while all are present; `null` when they never are. */
  readonly jain: number | null;
  /** Time in the queue, microseconds. */
  readonly queueUsMean: number | null;
  readonly queueUsP95: number | null;
  /** Datagrams that reached the queue; of these, dropped by it, and marked with congestion experienced. */
  readonly flowDatagrams: number;
  readonly flowDropped: number;
  readonly flowMarked: number;
}

/** A summary row of a flow. */
export type FlowRow = SummaryRow & FlowFigures;

/** Rate of a flow over one bin of time. */
export interface FlowRate {
  readonly flow: string;
  /** Begin of the bin, milliseconds since the start of the links. */
  readonly atMs: number;
  /** Bits per second that left the queue. */
  readonly rate: number;
  /** Bits per second that the link could carry; `null` when it has no limit. */
  readonly capacity: number | null;
  /** Mean time in the queue, microseconds; `null` when nothing left it. */
  readonly queueUs: number | null;
}

/** Results of a cell with flows. */
export interface FlowTables {
  readonly rows: readonly FlowRow[];
  readonly rates: readonly FlowRate[];
}

export const FLOW_COLUMNS: { readonly [Name in keyof FlowFigures]-?: ColumnKind } = {
  flow: 'text',
  flowLoad: 'text',
  flowDirection: 'text',
  flowFromMs: 'real',
  flowUntilMs: 'real',
  flowRate: 'whole',
  capacityShare: 'real',
  fairRatio: 'real',
  jain: 'real',
  queueUsMean: 'whole',
  queueUsP95: 'whole',
  flowDatagrams: 'whole',
  flowDropped: 'whole',
  flowMarked: 'whole',
};

export const RATE_COLUMNS: { readonly [Name in keyof FlowRate]-?: ColumnKind } = {
  flow: 'text',
  atMs: 'real',
  rate: 'whole',
  capacity: 'whole',
  queueUs: 'whole',
};
