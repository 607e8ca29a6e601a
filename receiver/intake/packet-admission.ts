import type { Instant } from '../../protocol/base/units.ts';
import {
  extendFrameNumber,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
} from '../../protocol/rtp/sequence.ts';
import type { IncomingPacket } from './incoming-packet.ts';
import { SequenceExtender, vouch } from './sequence-extender.ts';

/**
 * `admitted`: belongs to the stream, with its position known; `foreign`: does not; `held`: undecided. Two packets are
 * admitted together when the second confirms the first.
 */
export type Admission = 'admitted' | readonly [IncomingPacket, IncomingPacket] | 'foreign' | 'held';

export interface PacketAdmissionOptions {
  /** RTP clock rate, ticks per second. */
  readonly clockRate?: number;
  readonly initialSequence?: WireSequence | undefined;
  readonly timestampBase?: WireTimestamp | undefined;
  readonly initialFrameNumber?: number | undefined;
}

/**
 * Extends sequence numbers and frame numbers, and holds a packet after a sequence jump until a second one confirms it.
 */
export class PacketAdmission {
  readonly #extender: SequenceExtender;
  #highestFrame: number | undefined;
  #doubted: IncomingPacket | undefined;

  constructor(options: PacketAdmissionOptions) {
    this.#extender = new SequenceExtender(options);
    if (options.initialFrameNumber !== undefined) this.#highestFrame = options.initialFrameNumber - 1;
  }

  /** Newest accepted sequence number, or the one before the first expected. */
  get highest(): Sequence | undefined {
    return this.#extender.highest;
  }

  /** Newest accepted frame number, or the one before the first expected. */
  get highestFrame(): number | undefined {
    return this.#highestFrame;
  }

  /** @param kind of the stream, once known; packets with and without frame marks do not mix. */
  admit(now: Instant, packet: IncomingPacket, kind: 'marked' | 'plain' | undefined): Admission {
    const { mark } = packet;
    if (packet.payloadEnd > packet.payloadAt && kind === (mark ? 'plain' : 'marked')) return 'foreign';
    const number = mark && extendFrameNumber(mark.frameNumber, this.#highestFrame ?? mark.frameNumber);
    const framesAhead = number === undefined ? 0 : number - (this.#highestFrame ?? number);
    const place = this.#extender.place(now, packet, framesAhead);
    if (!place) return 'foreign';
    packet.sequence = place.sequence;
    packet.timestamp = place.timestamp;
    packet.ahead = place.ahead;
    packet.leap = place.leap;
    packet.number = number;
    return place.leap ? this.#doubt(packet) : 'admitted';
  }

  /** Accepts a packet as part of the stream. */
  accept(now: Instant, packet: IncomingPacket): void {
    this.#extender.accept(now, packet);
  }

  /** Records that a packet of this frame was accepted. */
  acceptFrame(number: number): void {
    this.#highestFrame = Math.max(this.#highestFrame ?? number, number);
  }

  /** Holds a packet far from all earlier ones, such as the first after an outage, until a second one confirms it. */
  #doubt(packet: IncomingPacket): Admission {
    const earlier = this.#doubted;
    if (packet.origin !== 'sent') return 'foreign';
    this.#doubted = packet;
    if (!earlier) return 'held';
    if (!vouch(earlier, packet)) return 'foreign';
    this.#doubted = undefined;
    const inOrder = earlier.sequence < packet.sequence;
    return inOrder ? [earlier, packet] : [packet, earlier];
  }
}
