import type { Importance } from '../protocol/access-unit.ts';
import { assert } from '../protocol/assert.ts';
import type { Instant, Ticks } from '../protocol/instant.ts';
import type { Sequence } from '../protocol/sequence.ts';
import type { Arrival, ArrivedPacket, FrameBuffer, Insertion, PendingFrame } from './frame-buffer.ts';
import { payloadsImportance, startsNalUnit } from './plain-payload.ts';

/** The packets of one RTP timestamp, in whatever order they came. */
class PlainFrame implements PendingFrame {
  readonly timestamp: Ticks;
  readonly packets = new Map<Sequence, ArrivedPacket>();
  firstSequence: Sequence;
  lastSequence: Sequence;
  lastArrivalAt: Instant = 0;
  readonly #buffer: PlainFrameBuffer;
  readonly #firstArrivalAt: Instant;

  constructor(now: Instant, buffer: PlainFrameBuffer, packet: ArrivedPacket) {
    this.#buffer = buffer;
    this.#firstArrivalAt = now;
    this.timestamp = packet.timestamp;
    this.firstSequence = packet.sequence;
    this.lastSequence = packet.sequence;
  }

  get number(): number {
    return this.#buffer.numberOf(this);
  }

  /** A stranger does not tell; what is known is how far its timestamps run backwards. */
  get decodeTimestamp(): Ticks {
    return this.timestamp - this.#buffer.reorderDepth;
  }

  get arrivedAt(): Instant | undefined {
    return this.#buffer.reorderDepth > 0 ? this.#firstArrivalAt : undefined;
  }

  get importance(): Importance | undefined {
    return this.complete ? payloadsImportance(this.payloads()) : undefined;
  }

  get receivedPackets(): number {
    return this.packets.size;
  }

  get contiguous(): boolean {
    return this.packets.size === this.lastSequence - this.firstSequence + 1;
  }

  get complete(): boolean {
    return this.contiguous && this.#buffer.startKnown(this) && this.#buffer.endKnown(this);
  }

  get arrivals(): Arrival[] {
    return [...this.packets.values()].map((packet) => packet.arrival);
  }

  payloads(): Uint8Array[] {
    const payloads: Uint8Array[] = [];
    for (let sequence = this.firstSequence; sequence <= this.lastSequence; sequence++) {
      const packet = this.packets.get(sequence);
      if (packet) payloads.push(packet.payload);
    }
    return payloads;
  }

  missing(): Sequence[] {
    const missing: Sequence[] = [];
    for (let sequence = this.firstSequence; sequence <= this.lastSequence; sequence++) {
      if (!this.packets.has(sequence)) missing.push(sequence);
    }
    return missing;
  }
}

/**
 * Frames of senders that know nothing of our frame mark: a frame is what shares an RTP timestamp (RFC 6184 §5.1), its
 * end shows by the marker or by the next timestamp, its start by the end of the frame before it.
 */
export class PlainFrameBuffer implements FrameBuffer {
  /** In the order of their sequence numbers. */
  readonly #frames: PlainFrame[] = [];
  readonly #framesMax: number;
  readonly #packetsMax: number;
  #packets = 0;
  #next = 0;
  /** The last packet of the frame decided last; what is at or before it has been decided. */
  #decidedThrough: Sequence | undefined;
  #decidedWhole = true;
  #lastMarked = false;
  #marksEnds = false;
  #highestTimestamp: Ticks | undefined;
  #reorderDepth: Ticks = 0;
  #interval: Ticks = 0;

  constructor(options: { readonly framesMax: number; readonly packetsMax: number }) {
    this.#framesMax = options.framesMax;
    this.#packetsMax = options.packetsMax;
  }

  get next(): number {
    return this.#next;
  }

  /** How far presentation runs ahead of decoding, ticks: 0 without B-frames. */
  get reorderDepth(): Ticks {
    return this.#reorderDepth;
  }

  insert(now: Instant, packet: ArrivedPacket): Insertion {
    if (this.#decidedThrough !== undefined && packet.sequence <= this.#decidedThrough) return 'behind';
    if (this.#packets >= this.#packetsMax) return 'overflow';
    let frame = this.#frames.find((candidate) => candidate.timestamp === packet.timestamp);
    if (!frame) {
      if (this.#frames.length >= this.#framesMax) return 'overflow';
      frame = new PlainFrame(now, this, packet);
      this.#frames.push(frame);
      this.#observeOrder(packet.timestamp);
    }
    if (frame.packets.has(packet.sequence)) return 'duplicate';
    frame.packets.set(packet.sequence, packet);
    frame.firstSequence = Math.min(frame.firstSequence, packet.sequence);
    frame.lastSequence = Math.max(frame.lastSequence, packet.sequence);
    frame.lastArrivalAt = now;
    this.#packets++;
    if (packet.marker) this.#marksEnds = true;
    this.#frames.sort((a, b) => a.firstSequence - b.firstSequence);
    return 'taken';
  }

  head(): PlainFrame | undefined {
    return this.#frames[0];
  }

  earliest(): PlainFrame | undefined {
    return this.#frames[0];
  }

  frames(): Iterable<PlainFrame> {
    return this.#frames;
  }

  advance(): void {
    const frame = this.#frames.shift();
    assert(frame !== undefined, 'a plain frame is decided only when something of it is here');
    this.#decidedWhole = frame.contiguous && this.endKnown(frame);
    this.#lastMarked = frame.packets.get(frame.lastSequence)?.marker ?? false;
    this.#decidedThrough = frame.lastSequence;
    this.#packets -= frame.packets.size;
    this.#next++;
  }

  skipTo(_number: number): void {
    // Nothing to do: numbers are given in the order in which frames are decided.
  }

  numberOf(frame: PlainFrame): number {
    return this.#next + this.#frames.indexOf(frame);
  }

  startKnown(frame: PlainFrame): boolean {
    const before = frame.firstSequence - 1;
    const previous = this.#frames[this.#frames.indexOf(frame) - 1];
    if (previous) {
      if (previous.lastSequence === before) return true;
      // One packet is missing between the two, and the frame before has not shown its end: it is that one's.
      const marked = previous.packets.get(previous.lastSequence)?.marker ?? false;
      return this.#marksEnds && !marked && previous.lastSequence === before - 1;
    }
    if (this.#decidedThrough === undefined) return startsNalUnit(frame.packets.get(frame.firstSequence)!.payload);
    if (this.#decidedThrough === before) return true;
    return this.#marksEnds && !this.#decidedWhole && !this.#lastMarked && this.#decidedThrough === before - 1;
  }

  endKnown(frame: PlainFrame): boolean {
    if (frame.packets.get(frame.lastSequence)?.marker) return true;
    const following = this.#frames[this.#frames.indexOf(frame) + 1];
    return following !== undefined && following.firstSequence === frame.lastSequence + 1;
  }

  /** RTP carries presentation times only; how far they run backwards is how deep the sender reorders. */
  #observeOrder(timestamp: Ticks): void {
    if (this.#highestTimestamp === undefined || timestamp > this.#highestTimestamp) {
      if (this.#highestTimestamp !== undefined) {
        const step = timestamp - this.#highestTimestamp;
        this.#interval = this.#interval === 0 ? step : Math.min(this.#interval, step);
      }
      this.#highestTimestamp = timestamp;
      return;
    }
    const back = this.#highestTimestamp - timestamp + this.#interval;
    if (back <= REORDER_DEPTH_MAX) this.#reorderDepth = Math.max(this.#reorderDepth, back);
  }
}

/** Sixteen frames (H.264's largest) at 24 frames a second are 60,000 ticks; more is no reordering but a new clock. */
const REORDER_DEPTH_MAX: Ticks = 90_000;
