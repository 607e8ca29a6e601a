import type { Importance } from '../protocol/access-unit.ts';
import type { Ticks } from '../protocol/base/units.ts';
import { frameMarkBytes, type MarkedPackets, writeFrameMark } from '../protocol/rtp/frame-mark.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../protocol/rtp/rtp-packet.ts';
import { type Sequence, type WireTimestamp, wireSequence } from '../protocol/rtp/sequence.ts';

/** Fields of a frame's packets that are those of one receiver's stream. */
export interface OwnHeader {
  readonly payloadType: number;
  readonly ssrc: number;
  /** Sequence number of the first packet. */
  readonly firstSequence: Sequence;
  readonly packetCount: number;
  readonly timestamp: WireTimestamp;
  /** Packets with the frame mark, of which the fields below are; `undefined`: none. */
  readonly marked: MarkedPackets | undefined;
  readonly frameNumber: number;
  readonly importance: Importance;
  readonly decodeOnly: boolean;
  readonly decodeLead: Ticks;
}

/** Length of the header of the frame's packet with this index, extension included. */
export const ownHeaderBytes = (
  { packetCount, decodeLead, marked }: Pick<OwnHeader, 'packetCount' | 'decodeLead' | 'marked'>,
  packetIndex: number,
): number => RTP_HEADER_BYTES + (marked ? frameMarkBytes({ packetIndex, packetCount, decodeLead }, marked) : 0);

/** Writes the header of the frame's packet with this index in front of its payload. */
export function writeOwnHeader(datagram: Uint8Array, header: OwnHeader, packetIndex: number): void {
  const { payloadType, ssrc, packetCount, timestamp, marked } = header;
  const extension = ownHeaderBytes(header, packetIndex) > RTP_HEADER_BYTES;
  writeRtpHeader(datagram, {
    marker: packetIndex === packetCount - 1,
    extension,
    payloadType,
    sequenceNumber: wireSequence((header.firstSequence + packetIndex) & 0xffff),
    timestamp,
    ssrc,
  });
  if (!extension) return;
  const { frameNumber, importance, decodeOnly, decodeLead } = header;
  // Fields are listed one by one: a spread costs more than the rest of a packet.
  writeFrameMark(
    datagram,
    RTP_HEADER_BYTES,
    { frameNumber, packetIndex, packetCount, importance, decodeOnly, decodeLead },
    marked,
  );
}
