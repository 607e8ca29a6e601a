import type { Importance } from '../protocol/access-unit.ts';
import type { FrameMark } from '../protocol/frame-mark.ts';
import type { Instant, Ticks } from '../protocol/instant.ts';
import type { Sequence } from '../protocol/sequence.ts';
import type { Arrival, ArrivedPacket, FrameBuffer, Insertion, PendingFrame } from './frame-buffer.ts';

class MarkedFrame implements PendingFrame {
  readonly number: number;
  readonly timestamp: Ticks;
  readonly decodeTimestamp: Ticks;
  readonly arrivedAt = undefined;
  readonly importance: Importance;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly arrivals: Arrival[] = [];
  lastArrivalAt: Instant = 0;
  readonly #payloads: (Uint8Array | undefined)[];

  constructor(number: number, mark: FrameMark, packet: ArrivedPacket) {
    this.number = number;
    this.timestamp = packet.timestamp;
    this.decodeTimestamp = packet.timestamp - mark.decodeLead;
    this.importance = mark.importance;
    this.firstSequence = packet.sequence - mark.packetIndex;
    this.lastSequence = this.firstSequence + mark.packetCount - 1;
    this.#payloads = new Array(mark.packetCount);
  }

  get receivedPackets(): number {
    return this.arrivals.length;
  }

  get complete(): boolean {
    return this.arrivals.length === this.#payloads.length;
  }

  take(now: Instant, mark: FrameMark, packet: ArrivedPacket): Insertion {
    const consistent =
      mark.packetCount === this.#payloads.length &&
      packet.sequence - mark.packetIndex === this.firstSequence &&
      packet.timestamp === this.timestamp &&
      mark.importance === this.importance;
    if (!consistent) return 'inconsistent';
    if (this.#payloads[mark.packetIndex]) return 'duplicate';
    this.#payloads[mark.packetIndex] = packet.payload;
    this.arrivals.push(packet.arrival);
    this.lastArrivalAt = now;
    return 'taken';
  }

  payloads(): Uint8Array[] {
    return this.#payloads.filter((payload) => payload !== undefined);
  }

  missing(): Sequence[] {
    const missing: Sequence[] = [];
    for (let index = 0; index < this.#payloads.length; index++) {
      if (!this.#payloads[index]) missing.push(this.firstSequence + index);
    }
    return missing;
  }
}

/** Frames of our own senders: any one packet tells what belongs to its frame. */
export class MarkedFrameBuffer implements FrameBuffer {
  readonly #frames = new Map<number, MarkedFrame>();
  readonly #framesMax: number;
  #next: number;
  #highest: number;

  /** @param framesMax a packet of a frame this far ahead of the next one is not taken. */
  constructor(options: { readonly firstFrame: number; readonly framesMax: number }) {
    this.#next = options.firstFrame;
    this.#highest = options.firstFrame - 1;
    this.#framesMax = options.framesMax;
  }

  get next(): number {
    return this.#next;
  }

  insert(now: Instant, number: number, mark: FrameMark, packet: ArrivedPacket): Insertion {
    if (number < this.#next) return 'behind';
    let frame = this.#frames.get(number);
    if (!frame) {
      if (this.#frames.size >= this.#framesMax) return 'overflow';
      frame = new MarkedFrame(number, mark, packet);
      if (!this.#fits(frame)) return 'inconsistent';
      this.#frames.set(number, frame);
      if (number > this.#highest) this.#highest = number;
    }
    return frame.take(now, mark, packet);
  }

  head(): MarkedFrame | undefined {
    return this.#frames.get(this.#next);
  }

  earliest(): MarkedFrame | undefined {
    if (this.#frames.size === 0) return undefined;
    const head = this.head();
    if (head) return head;
    let lowest = Number.POSITIVE_INFINITY;
    for (const number of this.#frames.keys()) if (number < lowest) lowest = number;
    return this.#frames.get(lowest);
  }

  *frames(): Iterable<MarkedFrame> {
    for (const number of [...this.#frames.keys()].sort((a, b) => a - b)) yield this.#frames.get(number)!;
  }

  advance(): void {
    this.#frames.delete(this.#next);
    this.#next++;
  }

  skipTo(number: number): void {
    this.#next = Math.max(this.#next, number);
  }

  /** Frames are in the order of their packets: one that overlaps a neighbor is a lie or a bit error. */
  #fits(frame: MarkedFrame): boolean {
    const before = this.#frames.get(frame.number - 1);
    const after = this.#frames.get(frame.number + 1);
    if (before && before.lastSequence >= frame.firstSequence) return false;
    return !(after && after.firstSequence <= frame.lastSequence);
  }
}
