import type { Importance } from '../protocol/access-unit.ts';
import type { Ticks } from '../protocol/base/units.ts';
import { writeFrameMark } from '../protocol/rtp/frame-mark.ts';
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
  /** True to add the frame mark, of which the fields below are. */
  readonly frameMarks: boolean;
  readonly frameNumber: number;
  readonly importance: Importance;
  readonly decodeOnly: boolean;
  readonly decodeLead: Ticks;
}

/** Writes the header of the frame's packet with this index in front of its payload. */
export function writeOwnHeader(datagram: Uint8Array, header: OwnHeader, packetIndex: number): void {
  const { payloadType, ssrc, packetCount, timestamp, frameMarks } = header;
  writeRtpHeader(datagram, {
    marker: packetIndex === packetCount - 1,
    extension: frameMarks,
    payloadType,
    sequenceNumber: wireSequence((header.firstSequence + packetIndex) & 0xffff),
    timestamp,
    ssrc,
  });
  if (!frameMarks) return;
  const { frameNumber, importance, decodeOnly, decodeLead } = header;
  // Fields are listed one by one: a spread costs more than the rest of a packet.
  writeFrameMark(datagram, RTP_HEADER_BYTES, {
    frameNumber,
    packetIndex,
    packetCount,
    importance,
    decodeOnly,
    decodeLead,
  });
}
