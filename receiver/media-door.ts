import { type FrameMark, parseFrameMark } from '../protocol/frame-mark.ts';
import type { Instant } from '../protocol/instant.ts';
import type { RtpPacket } from '../protocol/rtp-packet.ts';
import { extend, type Sequence, type WireTimestamp } from '../protocol/sequence.ts';
import type { TakenPacket } from './loss-recovery.ts';
import { type Place, RollOver, vouch } from './roll-over.ts';

/** A packet of the stream, its place found. */
export interface MediaPacket {
  readonly place: Place;
  readonly packet: RtpPacket;
  /** As it came, where it is the packet's own datagram. */
  readonly datagram: Uint8Array | undefined;
  readonly mark: FrameMark | undefined;
  /** The frame's number, its roll-over undone; there where the mark is. */
  readonly number: number | undefined;
  readonly origin: TakenPacket['origin'];
}

/** A packet that wants to come in. */
export interface Comer {
  readonly packet: RtpPacket;
  readonly origin: TakenPacket['origin'];
  readonly datagram?: Uint8Array | undefined;
}

export type Admission =
  | { readonly verdict: 'admitted'; readonly packets: readonly MediaPacket[] }
  | { readonly verdict: 'foreign' }
  | { readonly verdict: 'malformed'; readonly cause: string };

const FOREIGN: Admission = { verdict: 'foreign' };
const HELD: Admission = { verdict: 'admitted', packets: [] };

export interface MediaDoorOptions {
  readonly initialSequence?: Sequence | undefined;
  readonly timestampBase?: WireTimestamp | undefined;
  readonly initialFrameNumber?: number | undefined;
  /** Whether header extensions are read for our frame mark. */
  readonly frameMarks: boolean;
}

/** Where numbers that roll over are counted on, and a packet that leaps is held until a second one vouches for it. */
export class MediaDoor {
  readonly #frameMarks: boolean;
  readonly #rollOver: RollOver;
  #highestFrame: number | undefined;
  #doubted: MediaPacket | undefined;

  constructor(options: MediaDoorOptions) {
    this.#frameMarks = options.frameMarks;
    this.#rollOver = new RollOver(options);
    if (options.initialFrameNumber !== undefined) this.#highestFrame = options.initialFrameNumber - 1;
  }

  /** The newest sequence number accepted, or the one before the first that is expected. */
  get highest(): Sequence | undefined {
    return this.#rollOver.highest;
  }

  /** @param kind of the stream, once it is known; packets with and without marks do not mix. */
  admit(now: Instant, { packet, origin, datagram }: Comer, kind: 'marked' | 'plain' | undefined): Admission {
    const parsed = packet.extension && this.#frameMarks ? parseFrameMark(packet.extension) : undefined;
    if (parsed && !parsed.ok) return { verdict: 'malformed', cause: parsed.malformed };
    const mark = parsed?.value;
    if (packet.payload.length > 0 && kind === (mark ? 'plain' : 'marked')) return FOREIGN;
    const number = mark && extend(mark.frameNumber, this.#highestFrame ?? mark.frameNumber);
    const framesAhead = number === undefined ? 0 : number - (this.#highestFrame ?? number);
    const place = this.#rollOver.place(now, packet, framesAhead);
    if (!place) return FOREIGN;
    const media: MediaPacket = { place, packet, datagram, mark, number, origin };
    return place.leap ? this.#doubt(media) : { verdict: 'admitted', packets: [media] };
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
    if (media.origin !== 'sent') return FOREIGN;
    this.#doubted = media;
    if (!earlier) return HELD;
    if (!vouch(earlier.place, media.place)) return FOREIGN;
    this.#doubted = undefined;
    const inOrder = earlier.place.sequence < media.place.sequence;
    return { verdict: 'admitted', packets: inOrder ? [earlier, media] : [media, earlier] };
  }
}
