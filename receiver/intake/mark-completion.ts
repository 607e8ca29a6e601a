import type { Instant } from '../../protocol/base/units.ts';
import type { FrameMark } from '../../protocol/rtp/frame-mark.ts';
import { asSequence, extend, type Sequence, type WireTimestamp } from '../../protocol/rtp/sequence.ts';
import type { IncomingPacket } from './incoming-packet.ts';
import type { PacketAdmission } from './packet-admission.ts';

/** Frame of which a mark has arrived. */
interface KnownFrame {
  readonly mark: FrameMark;
  readonly timestamp: WireTimestamp;
  /** Wire sequence number of its first packet. */
  readonly first: number;
  /** Frame known before with the same timestamp. */
  readonly earlier: KnownFrame | undefined;
}

/** Packets held at most: the middles of the few frames whose edges may be lost within a round trip. */
const HELD_MAX = 512;
/** Farther from the newest packet, a packet whose frame is unknown follows an outage, or is forged. */
const REACH_PACKETS = 256;

/** `in-reach`: held, and near the newest packet; `decided`: too late for its frame, whichever it is. */
type Holding = 'in-reach' | 'far' | 'decided' | 'duplicate' | 'overflow';

/**
 * Completes packets without a frame mark from the mark of another packet of their frame: all have the same timestamp,
 * and the sequence numbers of a frame are contiguous. Holds packets until a mark of their frame arrives.
 */
export class MarkCompletion {
  readonly #framesMax: number;
  readonly #admission: Pick<PacketAdmission, 'highest' | 'highestFrame'>;
  /** Frames by timestamp, oldest first. */
  readonly #known = new Map<WireTimestamp, KnownFrame>();
  #last: KnownFrame | undefined;
  /** Packets whose frame is unknown, in the order of arrival. */
  readonly #held = new Map<Sequence, IncomingPacket>();

  /** @param options.framesMax frames remembered: those that can still be incomplete. */
  constructor(options: { readonly framesMax: number }, admission: Pick<PacketAdmission, 'highest' | 'highestFrame'>) {
    this.#framesMax = options.framesMax;
    this.#admission = admission;
  }

  /** Number of the newest frame, modulo 65536, from which the numbers of short marks are extended. */
  get near(): number {
    return (this.#admission.highestFrame ?? 0) & 0xffff;
  }

  /** Takes a packet with a mark. @returns held packets of its frame, which are complete now, in the order of arrival. */
  learn({ mark, sequenceNumber, wireTimestamp: timestamp }: IncomingPacket): readonly IncomingPacket[] {
    if (!mark || mark.packetCount === 1) return NONE;
    const first = (sequenceNumber - mark.packetIndex) & 0xffff;
    const known = this.#last?.timestamp === timestamp ? this.#last : this.#known.get(timestamp);
    if (known && known.first === first && known.mark.packetCount === mark.packetCount) return NONE;
    this.#remember({ mark, timestamp, first, earlier: known && { ...known, earlier: undefined } });
    const completed: IncomingPacket[] = [];
    for (const [sequence, packet] of this.#held) {
      if (!this.complete(packet)) continue;
      this.#held.delete(sequence);
      completed.push(packet);
    }
    return completed;
  }

  /** Gives a packet without a mark its mark. @returns false when its frame is unknown. */
  complete(packet: IncomingPacket): boolean {
    const { wireTimestamp: timestamp, sequenceNumber } = packet;
    let frame = this.#last?.timestamp === timestamp ? this.#last : this.#known.get(timestamp);
    for (; frame; frame = frame.earlier) {
      const packetIndex = (sequenceNumber - frame.first) & 0xffff;
      if (packetIndex >= frame.mark.packetCount) continue;
      const { frameNumber, packetCount, importance, decodeOnly, decodeLead } = frame.mark;
      const mark = { frameNumber, packetIndex, packetCount, importance, decodeLead };
      packet.mark = decodeOnly ? { ...mark, decodeOnly } : mark;
      return true;
    }
    return false;
  }

  /** Holds a packet, whose sequence number it extends. @param decidedThrough newest packet whose frame is decided. */
  hold(now: Instant, packet: IncomingPacket, decidedThrough: Sequence | undefined): Holding {
    const { highest } = this.#admission;
    const sequence = extend(packet.sequenceNumber, highest ?? asSequence(packet.sequenceNumber));
    packet.sequence = sequence;
    if (decidedThrough !== undefined && sequence <= decidedThrough) return 'decided';
    if (this.#held.has(sequence)) return 'duplicate';
    if (this.#held.size >= HELD_MAX) return 'overflow';
    this.#held.set(sequence, packet);
    packet.heldAt = now;
    return highest !== undefined && Math.abs(sequence - highest) <= REACH_PACKETS ? 'in-reach' : 'far';
  }

  holds(sequence: Sequence): boolean {
    return this.#held.size > 0 && this.#held.has(sequence);
  }

  /** True when a packet after this one is held. */
  holdsAfter(sequence: Sequence): boolean {
    for (const held of this.#held.keys()) if (held > sequence) return true;
    return false;
  }

  /** Removes and returns the held packets up to and including `sequence`, whose frames are decided. */
  takeThrough(sequence: Sequence): readonly IncomingPacket[] {
    if (this.#held.size === 0) return NONE;
    const taken = [...this.#held.values()].filter((packet) => packet.sequence <= sequence);
    for (const packet of taken) this.#held.delete(packet.sequence);
    return taken;
  }

  #remember(frame: KnownFrame): void {
    this.#last = frame;
    this.#known.delete(frame.timestamp);
    this.#known.set(frame.timestamp, frame);
    if (this.#known.size > this.#framesMax) this.#known.delete(this.#known.keys().next().value!);
  }
}

const NONE: readonly IncomingPacket[] = [];
