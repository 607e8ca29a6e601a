import type { Instant } from '../protocol/instant.ts';
import { extend, type Sequence, type WireTimestamp } from '../protocol/sequence.ts';
import type { Comer } from './comer.ts';
import { type Place, RollOver, vouch } from './roll-over.ts';

/** A packet of the stream, its place found. */
export interface MediaPacket {
  readonly place: Place;
  readonly packet: Comer;
  /** The frame's number, its roll-over undone; there where the mark is. */
  readonly number: number | undefined;
}

/** `foreign`: not of this stream; `held`: not sure yet; two come in together where the second vouches for the first. */
export type Admission = MediaPacket | readonly [MediaPacket, MediaPacket] | 'foreign' | 'held';

export interface MediaDoorOptions {
  readonly initialSequence?: Sequence | undefined;
  readonly timestampBase?: WireTimestamp | undefined;
  readonly initialFrameNumber?: number | undefined;
}

/** Where numbers that roll over are counted on, and a packet that leaps is held until a second one vouches for it. */
export class MediaDoor {
  readonly #rollOver: RollOver;
  #highestFrame: number | undefined;
  #doubted: MediaPacket | undefined;

  constructor(options: MediaDoorOptions) {
    this.#rollOver = new RollOver(options);
    if (options.initialFrameNumber !== undefined) this.#highestFrame = options.initialFrameNumber - 1;
  }

  /** The newest sequence number accepted, or the one before the first that is expected. */
  get highest(): Sequence | undefined {
    return this.#rollOver.highest;
  }

  /** @param kind of the stream, once it is known; packets with and without marks do not mix. */
  admit(now: Instant, packet: Comer, kind: 'marked' | 'plain' | undefined): Admission {
    const { mark } = packet;
    if (packet.payload.length > 0 && kind === (mark ? 'plain' : 'marked')) return 'foreign';
    const number = mark && extend(mark.frameNumber, this.#highestFrame ?? mark.frameNumber);
    const framesAhead = number === undefined ? 0 : number - (this.#highestFrame ?? number);
    const place = this.#rollOver.place(now, packet, framesAhead);
    if (!place) return 'foreign';
    const media: MediaPacket = { place, packet, number };
    return place.leap ? this.#doubt(media) : media;
  }

  /** The packet is one of the stream's. */
  accept(now: Instant, { place }: MediaPacket): void {
    this.#rollOver.accept(now, place);
  }

  /** Something of this frame has been taken. */
  acceptFrame(number: number): void {
    this.#highestFrame = Math.max(this.#highestFrame ?? number, number);
  }

  /** Far from all that came before, such as the first packet after an outage: taken once a second one says the same. */
  #doubt(media: MediaPacket): Admission {
    const earlier = this.#doubted;
    if (media.packet.origin !== 'sent') return 'foreign';
    this.#doubted = media;
    if (!earlier) return 'held';
    if (!vouch(earlier.place, media.place)) return 'foreign';
    this.#doubted = undefined;
    const inOrder = earlier.place.sequence < media.place.sequence;
    return inOrder ? [earlier, media] : [media, earlier];
  }
}
