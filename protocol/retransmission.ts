import { assert } from './assert.ts';
import { readUint16, writeUint16 } from './big-endian.ts';
import { malformed, type Parsed, parsed } from './parsed.ts';
import { parseRtpPacket, type RtpPacket, serializeRtpPacket } from './rtp-packet.ts';
import type { WireSequence } from './sequence.ts';

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
  const packet = parseRtpPacket(original);
  assert(packet.ok, 'what is sent again was a packet of ours');
  const { marker, timestamp, csrcs, extension, sequenceNumber } = packet.value;
  const payload = new Uint8Array(RETRANSMISSION_OVERHEAD_BYTES + packet.value.payload.length);
  writeUint16(payload, 0, sequenceNumber);
  payload.set(packet.value.payload, RETRANSMISSION_OVERHEAD_BYTES);
  return serializeRtpPacket({
    marker,
    payloadType: header.payloadType,
    sequenceNumber: header.sequenceNumber,
    timestamp,
    ssrc: header.ssrc,
    csrcs,
    payload,
    extension,
  });
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
    sequenceNumber: readUint16(payload, 0),
    timestamp: packet.timestamp,
    ssrc: original.ssrc,
    csrcs: packet.csrcs,
    payload: payload.subarray(RETRANSMISSION_OVERHEAD_BYTES),
    extension: packet.extension,
  });
}
