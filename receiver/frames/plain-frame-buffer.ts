import type { Importance } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import type { Instant, Ticks } from '../../protocol/base/units.ts';
import type { Codec, ObservedImportance } from '../../protocol/codec/codec.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import { DecodeOrder } from './decode-order.ts';
import type { ArrivedPacket, FrameBuffer, PacketInsertion } from './frame-buffer.ts';
import { PlainFrame, type PlainFrameContext } from './plain-frame.ts';

/** End of the frame before a gap, as far as known. */
interface Edge {
  readonly sequence: Sequence;
  readonly marked: boolean;
  readonly decodeTimestamp: Ticks;
}

/** Frames closer than one and a half intervals have no frame between them. */
const STEP_MAX = 1.5;
/**
 * Number of IDR or recovery-point pictures after which intra pictures no longer count as key frames (see the splitter).
 */
const CLEAN_ENTRIES_ENOUGH = 2;
const EMPTY_MAX = 1_024;

/**
 * Frames of senders without frame marks. Packets with equal RTP timestamps form a frame (RFC 3550 §5.1). The marker or
 * the next timestamp shows its end; the end of the previous frame shows its start or, after a gap, the start of its
 * payload.
 */
export class PlainFrameBuffer implements FrameBuffer, PlainFrameContext {
  readonly knowsDecodeTimes = false;
  /** Frames in order of sequence numbers. */
  readonly #frames: PlainFrame[] = [];
  readonly #codec: Codec;
  readonly #framesMax: number;
  readonly #packetsMax: number;
  readonly #order = new DecodeOrder();
  /** Sequence numbers of packets of padding only. */
  readonly #empty = new Set<Sequence>();
  #packets = 0;
  #next = 0;
  /** End of the last decided frame; everything up to it is decided. */
  #decided: (Edge & { readonly timestamp: Ticks; readonly whole: boolean }) | undefined;
  #marksEnds = false;
  #cleanEntries = 0;

  constructor(options: { readonly codec: Codec; readonly framesMax: number; readonly packetsMax: number }) {
    this.#codec = options.codec;
    this.#framesMax = options.framesMax;
    this.#packetsMax = options.packetsMax;
  }

  get next(): number {
    return this.#next;
  }

  /** Reorder depth in frames: 0 without B-frames. Decode times estimated before it grew were wrong. */
  get reorderDepth(): number {
    return this.#order.depth;
  }

  /** Decode time of the frame sent last among those received. */
  get newestDecodeTimestamp(): Ticks | undefined {
    return this.#frames.at(-1)?.decodeTimestamp;
  }

  get full(): boolean {
    return this.#frames.length >= this.#framesMax || this.#packets >= this.#packetsMax;
  }

  insert(now: Instant, packet: ArrivedPacket): PacketInsertion {
    const decided = this.#decided;
    if (decided && packet.sequence <= decided.sequence) return 'behind';
    if (decided && this.#isTail(decided, packet)) {
      this.#decided = { ...decided, sequence: packet.sequence, marked: packet.marker };
      return 'behind';
    }
    if (this.#packets >= this.#packetsMax) return 'overflow';
    let frame = this.#frames.find((candidate) => candidate.timestamp === packet.timestamp);
    if (!frame) {
      if (this.#frames.length >= this.#framesMax) return 'overflow';
      frame = new PlainFrame(this, packet);
      frame.take(now, packet);
      this.#frames.push(frame);
    } else {
      const first = frame.firstSequence;
      if (!frame.take(now, packet)) return 'duplicate';
      if (frame.firstSequence === first) return this.#taken(packet);
    }
    this.#frames.sort((a, b) => a.firstSequence - b.firstSequence);
    const decodeTimestamps = this.#order.reckon(this.#frames.map(({ timestamp }) => timestamp));
    for (const [index, each] of this.#frames.entries()) each.decodeTimestamp = decodeTimestamps[index]!;
    return this.#taken(packet);
  }

  /** Records a packet of padding, whose number is then not a gap. */
  insertEmpty(sequence: Sequence): void {
    if (this.#empty.size >= EMPTY_MAX) this.#empty.delete(this.#empty.keys().next().value!);
    this.#empty.add(sequence);
  }

  head(): PlainFrame | undefined {
    return this.#frames[0];
  }

  /** Not used: decode times are made monotonic, so the following frame adds no information. */
  following(): undefined {
    return undefined;
  }

  earliest(): PlainFrame | undefined {
    return this.#frames[0];
  }

  frames(): Iterable<PlainFrame> {
    return this.#frames;
  }

  advance(): void {
    const frame = this.#frames[0];
    assert(frame !== undefined, 'a plain frame must have a packet before it is decided');
    if (this.#cleanEntries < CLEAN_ENTRIES_ENOUGH && frame.complete) {
      if (this.#observedImportance(frame) === 'key') this.#cleanEntries++;
    }
    this.#decided = { ...edgeOf(frame), timestamp: frame.timestamp, whole: frame.contiguous && this.endKnown(frame) };
    this.#order.decide(frame.timestamp);
    this.#frames.shift();
    this.#packets -= frame.packets.size;
    for (const sequence of this.#empty) if (sequence <= frame.lastSequence) this.#empty.delete(sequence);
    this.#next++;
  }

  skipTo(number: number): void {
    this.#next = Math.max(this.#next, number);
  }

  numberOf(frame: PlainFrame): number {
    return this.#next + this.#frames.indexOf(frame);
  }

  startKnown(frame: PlainFrame): boolean {
    const before = this.#before(frame);
    return (before !== undefined && this.#belongsBefore(frame, before)) || this.#codec.startsFrame(frame.firstPayload);
  }

  endKnown(frame: PlainFrame): boolean {
    if (frame.endsMarked || this.#codec.sound?.unitsArePackets) return true;
    const following = this.#frames[this.#frames.indexOf(frame) + 1];
    return following !== undefined && this.#gap(frame.lastSequence, following.firstSequence) === 0;
  }

  /** True when a frame of which nothing arrived may be missing before this one. */
  followsGap(frame: PlainFrame): boolean {
    const before = this.#before(frame);
    if (before === undefined || this.#belongsBefore(frame, before)) return false;
    // With B-frames a missing timestamp cannot be detected: decode times are estimated from the received frames.
    if (this.#order.depth > 0) return true;
    return frame.decodeTimestamp - before.decodeTimestamp > this.#order.interval * STEP_MAX;
  }

  importanceOf(frame: PlainFrame): Importance {
    const importance = this.#observedImportance(frame);
    if (importance !== 'intra') return importance;
    return this.#cleanEntries < CLEAN_ENTRIES_ENOUGH ? 'key' : 'reference';
  }

  emptyBetween(first: Sequence, last: Sequence): number {
    let count = 0;
    for (const sequence of this.#empty) if (sequence > first && sequence < last) count++;
    return count;
  }

  #observedImportance(frame: PlainFrame): ObservedImportance {
    return this.#codec.importanceOf(frame.payloads().map(({ payload }) => payload));
  }

  #taken(packet: ArrivedPacket): PacketInsertion {
    this.#packets++;
    this.#marksEnds ||= packet.marker;
    return 'taken';
  }

  /** True for a late packet from the end of a frame that was decided without it; it must not start a new frame. */
  #isTail(decided: { readonly timestamp: Ticks; readonly whole: boolean }, packet: ArrivedPacket): boolean {
    const head = this.#frames[0];
    return !decided.whole && packet.timestamp === decided.timestamp && !(head && head.firstSequence < packet.sequence);
  }

  #before(frame: PlainFrame): Edge | undefined {
    const previous = this.#frames[this.#frames.indexOf(frame) - 1];
    return previous ? edgeOf(previous) : this.#decided;
  }

  /** True when all packets missing between the two belong to the earlier one. */
  #belongsBefore(frame: PlainFrame, before: Edge): boolean {
    const gap = this.#gap(before.sequence, frame.firstSequence);
    // One packet is missing, and the earlier frame has shown no end: the packet belongs to it.
    return gap === 0 || (gap === 1 && this.#marksEnds && !before.marked);
  }

  /** Number of missing packets between these two. */
  #gap(before: Sequence, after: Sequence): number {
    return Math.max(0, after - before - 1 - this.emptyBetween(before, after));
  }
}

const edgeOf = (frame: PlainFrame): Edge => ({
  sequence: frame.lastSequence,
  marked: frame.endsMarked,
  decodeTimestamp: frame.decodeTimestamp,
});
