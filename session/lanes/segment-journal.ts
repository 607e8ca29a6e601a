import { readUint32 } from '../../protocol/base/big-endian.ts';
import type { Instant } from '../../protocol/base/units.ts';
import type { PacketKind } from '../../protocol/page/lane-message.ts';
import type { LaneJournal } from './lane-journal.ts';
import type { LaneRecord } from './lane-record.ts';

/** Offsets of the sequence number and the header length in a segment (RFC 9293 §3.1). */
const SEQUENCE_OFFSET = 4;
const DATA_OFFSET = 12;
/** Frames whose position in the stream is kept. */
const RANGES_MAX = 4_096;

interface Held {
  readonly number: number;
  readonly offset: number;
  readonly end: number;
}

/** Enters the segments of a byte stream into the journal: which frame each one carries, and which ones wait for another. */
export class SegmentJournal {
  readonly #journal: LaneJournal;
  readonly #record: LaneRecord;
  readonly #newestFrame: () => number;
  /** Sequence number of the first byte of the stream. */
  #firstByte: number;
  /** End of each unit in the byte stream, in order, with the frame of a picture, −1 for sound. */
  readonly #ranges: { readonly frame: number; readonly end: number }[] = [];
  #written = 0;
  /** End of the bytes sent so far. */
  #sentThrough = 0;
  /** End of the bytes received without a gap. */
  #wholeThrough = 0;
  /** Segments received after a gap, by position. */
  readonly #held: Held[] = [];

  /**
   * @param firstByte sequence number of the first byte of the stream, 32 bits.
   * @param newestFrame returns the number of the newest frame.
   */
  constructor(
    { journal, record }: { readonly journal: LaneJournal; readonly record: LaneRecord },
    firstByte: number,
    newestFrame: () => number,
  ) {
    this.#journal = journal;
    this.#record = record;
    this.#firstByte = firstByte;
    this.#newestFrame = newestFrame;
  }

  /** End of the bytes sent so far. */
  get sentThrough(): number {
    return this.#sentThrough;
  }

  /** Takes the sequence number of the first byte, which a connection of the kernel chooses. */
  beginAt(firstByte: number): void {
    this.#firstByte = firstByte;
  }

  /** Records that a unit was written to the stream. @param frame −1 for sound. */
  wrote(frame: number, bytes: number): void {
    this.#written += bytes;
    this.#ranges.push({ frame, end: this.#written });
    if (this.#ranges.length > RANGES_MAX) this.#ranges.shift();
  }

  /** @returns the number of the packet. */
  sent(now: Instant, segment: Uint8Array, lost: boolean): number {
    const length = payloadOf(segment);
    const offset = this.#offsetOf(segment, this.#sentThrough);
    const kind: PacketKind = length === 0 ? 'control' : offset < this.#sentThrough ? 'again' : 'media';
    if (length > 0) this.#sentThrough = Math.max(this.#sentThrough, offset + length);
    this.#record.packetSent(kind, lost);
    const frame = () => (kind === 'control' ? -1 : this.#frameAt(offset));
    return this.#journal.packetSent(now, kind, frame, lost);
  }

  /** Records that a segment was lost after it had been sent. */
  lost(number: number): void {
    this.#record.packetLost('media');
    this.#journal.packetLost(number);
  }

  arrived(now: Instant, number: number, segment: Uint8Array): void {
    const length = payloadOf(segment);
    const offset = this.#offsetOf(segment, this.#wholeThrough);
    const held = length > 0 && offset > this.#wholeThrough;
    this.#journal.packetArrived(number, now, held);
    if (length === 0) return;
    if (held) {
      const at = this.#held.findIndex((other) => other.offset > offset);
      this.#held.splice(at < 0 ? this.#held.length : at, 0, { number, offset, end: offset + length });
      return;
    }
    this.#wholeThrough = Math.max(this.#wholeThrough, offset + length);
    while (this.#held.length > 0 && this.#held[0]!.offset <= this.#wholeThrough) {
      const next = this.#held.shift()!;
      this.#wholeThrough = Math.max(this.#wholeThrough, next.end);
      this.#journal.packetFreed(next.number, now);
    }
  }

  /** Returns the stream position of a segment: of the positions with its 32-bit number, the one nearest to `known`. */
  #offsetOf(segment: Uint8Array, known: number): number {
    const wire = readUint32(segment, SEQUENCE_OFFSET);
    return known + ((wire - this.#firstByte - known) | 0);
  }

  #frameAt(offset: number): number {
    for (let index = this.#ranges.length - 1; index >= 0; index--) {
      if (this.#ranges[index]!.end <= offset) return this.#ranges[index + 1]?.frame ?? this.#newestFrame();
    }
    return this.#ranges[0]?.frame ?? 0;
  }
}

/** Number of payload bytes in a segment. */
export function payloadOf(segment: Uint8Array): number {
  return Math.max(0, segment.length - 4 * (segment[DATA_OFFSET]! >> 4));
}
