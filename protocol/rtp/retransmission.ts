import { assert } from '../base/assert.ts';
import { readUint16, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { RTP_PADDING, RtpLayout, type RtpPacket } from './rtp-packet.ts';
import { type WireSequence, wireSequence } from './sequence.ts';

/**
 * Retransmission (RFC 4588 §4), SSRC-multiplexed: the packet again, header extension included, in a stream with an
 * SSRC, a payload type and sequence numbers of its own. Its payload is
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            OSN                |                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               |
 *    |                  original RTP packet payload                  |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * where OSN is the original sequence number. Marker and timestamp are the original's.
 */
export interface RetransmissionHeader {
  readonly ssrc: number;
  readonly payloadType: number;
  /** The retransmission stream's own, one more for each of its packets. */
  readonly sequenceNumber: WireSequence;
}

/** How much longer the retransmission is than the original. */
export const RETRANSMISSION_OVERHEAD_BYTES = 2;

/** @param original a datagram that we sent; padding is taken off, as RFC 4588 §4 demands. */
export function wrapRetransmission(original: Uint8Array, header: RetransmissionHeader): Uint8Array {
  const layout = new RtpLayout();
  assert(layout.read(original) === undefined, 'what is sent again was a packet of ours');
  const { payloadAt, payloadEnd } = layout;
  const datagram = new Uint8Array(payloadEnd + RETRANSMISSION_OVERHEAD_BYTES);
  // What is in front of the payload stays as it was, but for what the other stream has of its own.
  datagram.set(original.subarray(0, payloadAt));
  datagram.set(original.subarray(payloadAt, payloadEnd), payloadAt + RETRANSMISSION_OVERHEAD_BYTES);
  datagram[0] = original[0]! & ~RTP_PADDING;
  datagram[1] = (original[1]! & 0x80) | header.payloadType;
  writeUint16(datagram, 2, header.sequenceNumber);
  writeUint32(datagram, 8, header.ssrc);
  writeUint16(datagram, payloadAt, readUint16(original, 2));
  return datagram;
}

/** The packet as it would have come the first time. */
export function unwrapRetransmission(
  packet: RtpPacket,
  original: { readonly ssrc: number; readonly payloadType: number },
): Parsed<RtpPacket> {
  const { payload } = packet;
  if (payload.length < RETRANSMISSION_OVERHEAD_BYTES) return malformed('retransmission-too-short');
  return parsed({
    marker: packet.marker,
    payloadType: original.payloadType,
    sequenceNumber: wireSequence(readUint16(payload, 0)),
    timestamp: packet.timestamp,
    ssrc: original.ssrc,
    csrcs: packet.csrcs,
    payload: payload.subarray(RETRANSMISSION_OVERHEAD_BYTES),
    extension: packet.extension,
  });
}
