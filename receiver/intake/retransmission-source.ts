import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import { type WireSequence, wireSequence } from '../../protocol/rtp/sequence.ts';

/** First dynamic payload type (RFC 3551 §3). */
const DYNAMIC_MIN = 96;
/** Shortest payload: original sequence number, and a byte of the original. */
const PAYLOAD_BYTES_MIN = 3;
/** Farthest that the timestamp of a retransmission is from that of the newest packet, ticks: 20 s at 90 kHz. */
const TIMESTAMP_DISTANCE_MAX = 1_800_000;

/**
 * Recognizes the retransmissions of a sender that has not announced their SSRC: by its payload type, if it is known, and
 * by a packet that was requested (RFC 4588 §5.3), with the timestamp that such a packet can have.
 */
export class RetransmissionSource {
  #payloadType: number | undefined;
  #ssrc: number | undefined;
  #newest: number | undefined;

  /** @param payloadType of the retransmissions; `undefined` to learn it too. */
  constructor(payloadType: number | undefined) {
    this.#payloadType = payloadType;
  }

  /** SSRC of the retransmissions, once one was recognized. */
  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  /** Records a packet of the media. */
  onMedia(datagram: Uint8Array): void {
    this.#newest = readUint32(datagram, 4);
  }

  /**
   * True for a retransmission.
   * @param packet an RTP datagram of another SSRC than that of the media. @param payloadAt offset of its payload.
   * @param media payload type of the media, and whether a packet of it was requested.
   */
  recognizes(
    packet: Uint8Array,
    payloadAt: number,
    media: { readonly payloadType: number | undefined; isRequested(sequence: WireSequence): boolean },
  ): boolean {
    const payloadType = packet[1]! & 0x7f;
    if (this.#payloadType !== undefined && payloadType !== this.#payloadType) return false;
    if (payloadType === media.payloadType || payloadType < DYNAMIC_MIN) return false;
    const ssrc = readUint32(packet, 8);
    if (ssrc === this.#ssrc) return true;
    if (this.#newest === undefined || packet.length < payloadAt + PAYLOAD_BYTES_MIN) return false;
    if (Math.abs((readUint32(packet, 4) - this.#newest) | 0) > TIMESTAMP_DISTANCE_MAX) return false;
    if (!media.isRequested(wireSequence(readUint16(packet, payloadAt)))) return false;
    this.#ssrc = ssrc;
    this.#payloadType ??= payloadType;
    return true;
  }
}
