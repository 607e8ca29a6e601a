import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { ReleasedFrameClass } from '../../protocol/frame-class.ts';
import type { WireSequence } from '../../protocol/rtp/sequence.ts';
import type { Cell } from '../cell.ts';
import { type OpenCellSource, openCellSource, type SourceGuide } from '../cell-source.ts';
import type { PackedUnits } from '../packed-units.ts';

/** Order for the two ends of a measured cell, passed as a file. */
export interface EndOrder {
  readonly cell: Cell;
  /** Minimum transit time of a full datagram, microseconds. */
  readonly transitMin: Microseconds;
  /** Path of a file source's units (`v8.serialize`). */
  readonly source: string | undefined;
  /** Path of the result file, written by the sender's end. */
  readonly result: string;
}

/** Observation of the receiver's end; instants on the machine's monotonic clock, microseconds. */
export type Receipt =
  | {
      readonly kind: 'released';
      readonly at: Instant;
      readonly frame: number;
      readonly class: ReleasedFrameClass;
      readonly completeAt: Instant;
    }
  | {
      readonly kind: 'dropped';
      readonly at: Instant;
      readonly frame: number;
      readonly cause: 'incomplete' | 'neverArrived' | 'undecodable';
    }
  /** TCP: the last byte of a frame was read. */
  | { readonly kind: 'complete'; readonly at: Instant; readonly frame: number };

/** A frame at its capture. */
export interface CapturedFrame {
  readonly at: Instant;
  /** True when the sender accepted it. */
  readonly taken: boolean;
  /** Guidance that the source had for this frame; with it, an adaptive source makes the same frame again. */
  readonly guidance: { readonly targetBitrate?: number | undefined; readonly keyFrame: boolean };
}

/** Observations of both ends of a cell; instants on the machine's monotonic clock, microseconds. */
export interface EndResult {
  /** Zero of the cell's time; the first frame is due one millisecond later. */
  readonly zero: Instant;
  readonly endedAt: Instant;
  readonly captured: readonly CapturedFrame[];
  /** TCP: frames discarded before they were written. */
  readonly givenUp: readonly number[];
  readonly receipts: readonly Receipt[];
  /** Lateness of frame captures, microseconds; `max` includes the receiver's timers. */
  readonly timerUs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Segments reported as duplicates by the receiver's kernel; 0 over UDP. */
  readonly duplicatesReported: number;
  /** Datagrams refused or dropped by either socket. */
  readonly socketDrops: number;
}

/** Messages between the two processes. */
export type ToReceiver =
  /** End of the stream, which a session announces on its control channel. */
  | { readonly kind: 'end-of-stream'; readonly frames: number; readonly lastSequence: WireSequence | null }
  | { readonly kind: 'conclude' };

export type ToSender =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'result';
      readonly receipts: readonly Receipt[];
      readonly socketDrops: number;
      /** Largest lateness of a receiver timer, microseconds: packets may have waited unread for as long. */
      readonly timerUsMax: number;
    };

export const SENDER_PORT = 5_004;
export const RECEIVER_PORT = 6_004;

/**
 * Opens the cell's source. @param packed units of a file source. @param guide of an adaptive source.
 */
export function sourceOf(cell: Cell, packed: PackedUnits | undefined, guide: SourceGuide): OpenCellSource {
  const { source } = cell;
  const files = new Map(source.kind === 'file' && packed ? [[source.sha256, packed]] : []);
  return openCellSource(source, files, guide);
}
