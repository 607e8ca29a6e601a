import { readUint32 } from '../base/big-endian.ts';
import { wrapRetransmission } from '../rtp/retransmission.ts';
import { wireSequence } from '../rtp/sequence.ts';
import { retransmissionSsrc } from './rist-ssrc.ts';

/** Place of the SSRC in RTP (RFC 3550 §5.1). */
const SSRC_AT = 8;

/**
 * Puts the retransmissions of RIST, which are copies with the original's number, into the form in which a receiver counts
 * them (RFC 4588 §4).
 */
export class RistRetransmissions {
  readonly #payloadTypes: { readonly media: number; readonly again: number };
  #next = 0;

  /** @param payloadTypes of the media, and the one under which retransmissions are given to the receiver. */
  constructor(payloadTypes: { readonly media: number; readonly again: number }) {
    this.#payloadTypes = payloadTypes;
  }

  /** Returns a retransmission in its other form, and any other packet as it is. @param datagram valid RTP. */
  translate(datagram: Uint8Array): Uint8Array {
    const { media, again } = this.#payloadTypes;
    const ssrc = readUint32(datagram, SSRC_AT);
    if ((datagram[1]! & 0x7f) !== media || ssrc !== retransmissionSsrc(ssrc)) return datagram;
    return wrapRetransmission(datagram, { ssrc, payloadType: again, sequenceNumber: wireSequence(this.#next++) });
  }
}
