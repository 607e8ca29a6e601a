import type { Importance } from '../../protocol/access-unit.ts';
import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import type { FrameMark } from '../../protocol/rtp/frame-mark.ts';
import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';
import type { ArrivedPacket, FrameBuffer, PacketArrival, PacketInsertion, PendingFrame } from './frame-buffer.ts';

class MarkedFrame implements PendingFrame {
  readonly number: number;
  readonly timestamp: Ticks;
  readonly decodeTimestamp: Ticks;
  readonly sentEarly: Microseconds;
  /** Frame numbers show missing frames, so none can be unknown. */
  readonly followsGap = false;
  readonly importance: Importance;
  readonly decodeOnly: boolean;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly arrivals: PacketArrival[] = [];
  lastArrivalAt: Instant = instant(0);
  receivedBytes = 0;
  readonly #packetCount: number;
  /** Sized by received packets, not by the announced packet count. */
  readonly #packets: (ArrivedPacket | undefined)[] = [];

  /** @param isSound true when it is due at its presentation time, and its lead is only how early it was sent. */
  constructor(number: number, mark: FrameMark, packet: ArrivedPacket, isSound: boolean) {
    this.number = number;
    this.timestamp = packet.timestamp;
    this.decodeTimestamp = isSound ? packet.timestamp : ticks(packet.timestamp - mark.decodeLead);
    this.sentEarly = isSound ? ticksToMicroseconds(mark.decodeLead) : microseconds(0);
    this.importance = mark.importance;
    this.decodeOnly = mark.decodeOnly === true;
    this.firstSequence = asSequence(packet.sequence - mark.packetIndex);
    this.lastSequence = asSequence(this.firstSequence + mark.packetCount - 1);
    this.#packetCount = mark.packetCount;
  }

  get receivedPackets(): number {
    return this.arrivals.length;
  }

  get newestSequence(): Sequence {
    return asSequence(this.firstSequence + this.#packets.length - 1);
  }

  get complete(): boolean {
    return this.arrivals.length === this.#packetCount;
  }

  /** True while the frame's properties come from a single packet, which may be damaged. */
  get doubtful(): boolean {
    return this.arrivals.length === 1 && this.#packetCount > 1;
  }

  agrees(mark: FrameMark, packet: ArrivedPacket): boolean {
    return (
      mark.packetCount === this.#packetCount &&
      packet.sequence - mark.packetIndex === this.firstSequence &&
      packet.timestamp === this.timestamp &&
      mark.importance === this.importance &&
      (mark.decodeOnly === true) === this.decodeOnly
    );
  }

  holds(packetIndex: number): boolean {
    return this.#packets[packetIndex] !== undefined;
  }

  take(now: Instant, mark: FrameMark, packet: ArrivedPacket): void {
    this.#packets[mark.packetIndex] = packet;
    this.arrivals.push(packet.arrival);
    this.receivedBytes += packet.payloadEnd - packet.payloadAt;
    this.lastArrivalAt = now;
  }

  payloads(): ArrivedPacket[] {
    return this.#packets.filter((packet) => packet !== undefined);
  }

  missing(through: Sequence = this.lastSequence): Sequence[] {
    const missing: Sequence[] = [];
    const end = Math.min(this.#packetCount, through - this.firstSequence + 1);
    for (let index = 0; index < end; index++) {
      if (!this.#packets[index]) missing.push(asSequence(this.firstSequence + index));
    }
    return missing;
  }
}

/** Half a minute of 150 Mb/s; our senders never need more. */
const PACKETS_MAX = 500_000;

/** Frames of our own senders, in which any one packet identifies all packets of its frame. */
export class MarkedFrameBuffer implements FrameBuffer {
  readonly knowsDecodeTimes = true;
  /** Frames in order. Nearly every packet belongs to the last ones, so searches from the end are short. */
  readonly #frames: MarkedFrame[] = [];
  readonly #framesMax: number;
  readonly #isSound: boolean;
  #packets = 0;
  #next: number;
  /** Frame with the highest number so far, decided or not. */
  #highest: MarkedFrame | undefined;
  /** A contradicting version of a frame that is known from one packet only. */
  #rival: MarkedFrame | undefined;

  /**
   * @param options.framesMax maximum number of frames held.
   * @param options.isSound true for sound: it is due at its presentation time, and its decode lead is how early it was sent.
   */
  constructor(options: { readonly firstFrame: number; readonly framesMax: number; readonly isSound?: boolean }) {
    this.#next = options.firstFrame;
    this.#framesMax = options.framesMax;
    this.#isSound = options.isSound ?? false;
  }

  get next(): number {
    return this.#next;
  }

  get full(): boolean {
    return this.#frames.length >= this.#framesMax || this.#packets >= PACKETS_MAX;
  }

  /** True when this packet of a frame has been received. */
  holds(number: number, packetIndex: number): boolean {
    return this.#find(number)?.holds(packetIndex) ?? false;
  }

  insert(now: Instant, number: number, mark: FrameMark, packet: ArrivedPacket): PacketInsertion {
    if (number < this.#next) return 'behind';
    if (this.#packets >= PACKETS_MAX) return 'overflow';
    let frame = this.#find(number);
    if (frame && !frame.agrees(mark, packet)) {
      if (!frame.doubtful || !this.#outvotes(now, number, mark, packet)) return 'inconsistent';
      const rival = this.#rival!;
      if (!this.#replace(frame, rival)) return 'inconsistent';
      frame = rival;
    }
    if (!frame) {
      if (this.#frames.length >= this.#framesMax) return 'overflow';
      frame = new MarkedFrame(number, mark, packet, this.#isSound);
      if (!this.#fits(frame)) return 'inconsistent';
      this.#enter(frame);
      if (!this.#highest || number > this.#highest.number) this.#highest = frame;
    }
    if (frame.holds(mark.packetIndex)) return 'duplicate';
    frame.take(now, mark, packet);
    this.#packets++;
    return 'taken';
  }

  head(): MarkedFrame | undefined {
    const earliest = this.#frames[0];
    return earliest?.number === this.#next ? earliest : undefined;
  }

  following(): MarkedFrame | undefined {
    const behind = this.#frames[this.#frames[0]?.number === this.#next ? 1 : 0];
    return behind?.number === this.#next + 1 ? behind : undefined;
  }

  /** Returns the frame with the highest number, unless it is decided. */
  newest(): MarkedFrame | undefined {
    const highest = this.#highest;
    return highest && this.#find(highest.number) === highest ? highest : undefined;
  }

  earliest(): MarkedFrame | undefined {
    return this.#frames[0];
  }

  frames(): Iterable<MarkedFrame> {
    return this.#frames;
  }

  advance(): void {
    const frame = this.head();
    if (frame) {
      this.#forget(frame);
      if (frame.doubtful && frame === this.#highest) this.#highest = undefined;
    }
    this.#next++;
  }

  skipTo(number: number): void {
    this.#next = Math.max(this.#next, number);
  }

  /** True when two agreeing packets contradict a single earlier one, which is then taken as damaged. */
  #outvotes(now: Instant, number: number, mark: FrameMark, packet: ArrivedPacket): boolean {
    const rival = this.#rival;
    if (rival?.number === number && rival.agrees(mark, packet)) return !rival.holds(mark.packetIndex);
    this.#rival = new MarkedFrame(number, mark, packet, this.#isSound);
    this.#rival.take(now, mark, packet);
    return false;
  }

  #replace(loser: MarkedFrame, rival: MarkedFrame): boolean {
    this.#rival = undefined;
    this.#forget(loser);
    if (this.#highest === loser) this.#highest = undefined;
    if (!this.#fits(rival)) return false;
    this.#enter(rival);
    this.#packets += rival.receivedPackets;
    if (!this.#highest || rival.number > this.#highest.number) this.#highest = rival;
    return true;
  }

  #find(number: number): MarkedFrame | undefined {
    const place = this.#placeOf(number);
    return this.#frames[place]?.number === number ? this.#frames[place] : undefined;
  }

  /** Index of the frame with this number, or the index at which to insert it. */
  #placeOf(number: number): number {
    let place = this.#frames.length;
    while (place > 0 && this.#frames[place - 1]!.number >= number) place--;
    return place;
  }

  #enter(frame: MarkedFrame): void {
    this.#frames.splice(this.#placeOf(frame.number), 0, frame);
  }

  #forget(frame: MarkedFrame): void {
    this.#frames.splice(this.#frames.indexOf(frame), 1);
    this.#packets -= frame.receivedPackets;
  }

  /** Frames are in packet order, and each has at least one packet: anything else is damaged or forged. */
  #fits(frame: MarkedFrame): boolean {
    const { number } = frame;
    return (
      this.#isCleared(frame, this.#find(number - 1)) &&
      this.#isCleared(frame, this.#find(number + 1)) &&
      this.#isCleared(frame, this.#highest)
    );
  }

  /** True when the other frame is consistent with this one, or has been removed for it. */
  #isCleared(frame: MarkedFrame, other: MarkedFrame | undefined): boolean {
    if (!other || inOrder(other, frame) || inOrder(frame, other)) return true;
    const decided = this.#find(other.number) !== other;
    if (decided || !other.doubtful) return false;
    this.#forget(other);
    if (this.#highest === other) this.#highest = undefined;
    return true;
  }
}

const inOrder = (before: MarkedFrame, after: MarkedFrame): boolean =>
  after.number > before.number && after.firstSequence - before.lastSequence >= after.number - before.number;
