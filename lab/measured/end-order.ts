import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { Cell } from '../cell.ts';
import { openSource, type PackedUnits } from '../cell-source.ts';

/** What the two ends of a measured cell are told, as a file. */
export interface EndOrder {
  readonly cell: Cell;
  /** How long a small datagram is on its way at least, microseconds. */
  readonly transitMin: Microseconds;
  /** Of a recorded source: its units, by `v8.serialize`. */
  readonly source: string | undefined;
  /** Where the sender's end writes what came of it. */
  readonly result: string;
}

/** What the receiver's end saw; instants on the machine's monotonic clock, microseconds. */
export type Receipt =
  | {
      readonly kind: 'released';
      readonly at: Instant;
      readonly frame: number;
      readonly fate: 'onTime' | 'recovered' | 'late';
      readonly completeAt: Instant;
    }
  | {
      readonly kind: 'dropped';
      readonly at: Instant;
      readonly frame: number;
      readonly cause: 'incomplete' | 'neverArrived' | 'undecodable';
    }
  /** Over TCP: the last byte of a frame was read. */
  | { readonly kind: 'complete'; readonly at: Instant; readonly frame: number };

/** What came of a cell, at its two ends; instants on the machine's monotonic clock, microseconds. */
export interface EndResult {
  /** Zero of the cell's own time: the first frame was to be handed over a millisecond later. */
  readonly zero: Instant;
  readonly endedAt: Instant;
  /** When each frame was handed over, and whether the sender took it. */
  readonly captured: readonly { readonly at: Instant; readonly taken: boolean }[];
  /** Over TCP: frames that were given up before they were written. */
  readonly givenUp: readonly number[];
  readonly receipts: readonly Receipt[];
  /** By how much frames were handed over later than their time, microseconds; `max`, or the receiver's timers rang late. */
  readonly timerUs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Segments of which the receiver's kernel said that it had them twice; 0 over UDP. */
  readonly duplicatesReported: number;
  /** Datagrams that either socket refused or dropped. */
  readonly socketDrops: number;
}

/** Between the two processes. */
export type ToReceiver =
  /** There were so many: what the control channel of a session tells. */
  | { readonly kind: 'end-of-stream'; readonly frames: number; readonly lastSequence: number | null }
  | { readonly kind: 'conclude' };

export type ToSender =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'result';
      readonly receipts: readonly Receipt[];
      readonly socketDrops: number;
      /** By how much a timer of the receiver rang too late at most: so long it may have left what came lying, microseconds. */
      readonly timerUsMax: number;
    };

export const SENDER_PORT = 5_004;
export const RECEIVER_PORT = 6_004;

/** The cell's access units. @param packed of a recorded source. */
export function unitsOf(cell: Cell, packed: PackedUnits | undefined): () => AccessUnit | undefined {
  const { source } = cell;
  return openSource(source, source.kind === 'file' && packed ? new Map([[source.sha256, packed]]) : new Map());
}
