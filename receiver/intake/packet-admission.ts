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
 * `admitted`: a packet of the stream, its place found; `foreign`: not of this stream; `held`: not sure yet; two come in
 * together where the second vouches for the first.
 */
export type Admission = 'admitted' | readonly [IncomingPacket, IncomingPacket] | 'foreign' | 'held';

export interface PacketAdmissionOptions {
  readonly initialSequence?: WireSequence | undefined;
  readonly timestampBase?: WireTimestamp | undefined;
  readonly initialFrameNumber?: number | undefined;
}

/** Where numbers that roll over are counted on, and a packet that leaps is held until a second one vouches for it. */
export class PacketAdmission {
  readonly #extender: SequenceExtender;
  #highestFrame: number | undefined;
  #doubted: IncomingPacket | undefined;

  constructor(options: PacketAdmissionOptions) {
    this.#extender = new SequenceExtender(options);
    if (options.initialFrameNumber !== undefined) this.#highestFrame = options.initialFrameNumber - 1;
  }

  /** The newest sequence number accepted, or the one before the first that is expected. */
  get highest(): Sequence | undefined {
    return this.#extender.highest;
  }

  /** @param kind of the stream, once it is known; packets with and without marks do not mix. */
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

  /** The packet is one of the stream's. */
  accept(now: Instant, packet: IncomingPacket): void {
    this.#extender.accept(now, packet);
  }

  /** Something of this frame has been taken. */
  acceptFrame(number: number): void {
    this.#highestFrame = Math.max(this.#highestFrame ?? number, number);
  }

  /** Far from all that came before, such as the first packet after an outage: taken once a second one says the same. */
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
