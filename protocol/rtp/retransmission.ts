import { assert } from '../base/assert.ts';
import { readUint16, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { RTP_PADDING, RtpLayout, type RtpPacket, rtpHeaderBytesOf } from './rtp-packet.ts';
import { type WireSequence, wireSequence } from './sequence.ts';

/**
 * Retransmission packet (RFC 4588 §4), SSRC-multiplexed: a copy of the original, header extension included, in a stream
 * with its own SSRC, payload type and sequence numbers. Its payload is
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            OSN                |                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               |
 *    |                  original RTP packet payload                  |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * where OSN is the original sequence number. Marker and timestamp are copied from the original.
 */
export interface RetransmissionHeader {
  readonly ssrc: number;
  readonly payloadType: number;
  /** Sequence number in the retransmission stream. */
  readonly sequenceNumber: WireSequence;
}

/** Size of the OSN field, by which a retransmission exceeds its original. */
export const RETRANSMISSION_OVERHEAD_BYTES = 2;

/** @param original a datagram that we sent; its padding is removed, as RFC 4588 §4 requires. */
export function wrapRetransmission(original: Uint8Array, header: RetransmissionHeader): Uint8Array {
  const layout = new RtpLayout();
  assert(layout.read(original) === undefined, 'the original packet must be a valid RTP packet');
  const { payloadAt, payloadEnd } = layout;
  const datagram = new Uint8Array(payloadEnd + RETRANSMISSION_OVERHEAD_BYTES);
  // Copy everything in front of the payload, then overwrite the fields that belong to the retransmission stream.
  datagram.set(original.subarray(0, payloadAt));
  datagram.set(original.subarray(payloadAt, payloadEnd), payloadAt + RETRANSMISSION_OVERHEAD_BYTES);
  datagram[0] = original[0]! & ~RTP_PADDING;
  datagram[1] = (original[1]! & 0x80) | header.payloadType;
  writeUint16(datagram, 2, header.sequenceNumber);
  writeUint32(datagram, 8, header.ssrc);
  writeUint16(datagram, payloadAt, readUint16(original, 2));
  return datagram;
}

/** Returns the original sequence number of a retransmission; `undefined` when the datagram is too short to have one. */
export function originalSequenceOf(datagram: Uint8Array): WireSequence | undefined {
  const at = rtpHeaderBytesOf(datagram);
  return at + RETRANSMISSION_OVERHEAD_BYTES > datagram.length ? undefined : wireSequence(readUint16(datagram, at));
}

/** Restores the original packet. */
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
