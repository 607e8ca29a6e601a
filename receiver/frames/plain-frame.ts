import type { Importance } from '../../protocol/access-unit.ts';
import { type Instant, instant, type Ticks } from '../../protocol/base/units.ts';
import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';
import type { ArrivedPacket, PacketArrival, PendingFrame } from './frame-buffer.ts';

/** Context that a frame needs from its buffer. */
export interface PlainFrameContext {
  numberOf(frame: PlainFrame): number;
  startKnown(frame: PlainFrame): boolean;
  endKnown(frame: PlainFrame): boolean;
  followsGap(frame: PlainFrame): boolean;
  importanceOf(frame: PlainFrame): Importance;
  /** Number of packets of padding only between these two sequence numbers. */
  emptyBetween(first: Sequence, last: Sequence): number;
}

/** The packets of one RTP timestamp, in any order of arrival. */
export class PlainFrame implements PendingFrame {
  readonly timestamp: Ticks;
  readonly packets = new Map<Sequence, ArrivedPacket>();
  /** Estimated by the buffer from the frames before it. */
  decodeTimestamp: Ticks;
  firstSequence: Sequence;
  lastSequence: Sequence;
  lastArrivalAt: Instant = instant(0);
  receivedBytes = 0;
  readonly #surroundings: PlainFrameContext;

  constructor(surroundings: PlainFrameContext, packet: ArrivedPacket) {
    this.#surroundings = surroundings;
    this.timestamp = packet.timestamp;
    this.decodeTimestamp = packet.timestamp;
    this.firstSequence = packet.sequence;
    this.lastSequence = packet.sequence;
  }

  get number(): number {
    return this.#surroundings.numberOf(this);
  }

  get importance(): Importance | undefined {
    return this.complete ? this.#surroundings.importanceOf(this) : undefined;
  }

  get newestSequence(): Sequence {
    return this.lastSequence;
  }

  get receivedPackets(): number {
    return this.packets.size;
  }

  get followsGap(): boolean {
    return this.#surroundings.followsGap(this);
  }

  get contiguous(): boolean {
    const absent = this.lastSequence - this.firstSequence + 1 - this.packets.size;
    return absent === 0 || absent === this.#surroundings.emptyBetween(this.firstSequence, this.lastSequence);
  }

  get complete(): boolean {
    return this.contiguous && this.#surroundings.startKnown(this) && this.#surroundings.endKnown(this);
  }

  get arrivals(): PacketArrival[] {
    return [...this.packets.values()].map((packet) => packet.arrival);
  }

  get firstPayload(): Uint8Array {
    return this.packets.get(this.firstSequence)!.payload;
  }

  get endsMarked(): boolean {
    return this.packets.get(this.lastSequence)!.marker;
  }

  /** @returns true when the packet is new. */
  take(now: Instant, packet: ArrivedPacket): boolean {
    if (this.packets.has(packet.sequence)) return false;
    this.packets.set(packet.sequence, packet);
    this.receivedBytes += packet.payloadEnd - packet.payloadAt;
    this.firstSequence = asSequence(Math.min(this.firstSequence, packet.sequence));
    this.lastSequence = asSequence(Math.max(this.lastSequence, packet.sequence));
    this.lastArrivalAt = now;
    return true;
  }

  payloads(): ArrivedPacket[] {
    return [...this.packets.values()].sort((a, b) => a.sequence - b.sequence);
  }

  missing(through: Sequence = this.lastSequence): Sequence[] {
    const missing: Sequence[] = [];
    const end = Math.min(this.lastSequence, through);
    for (let sequence = this.firstSequence; sequence <= end; sequence++) {
      if (!this.packets.has(sequence)) missing.push(sequence);
    }
    return missing;
  }
}
