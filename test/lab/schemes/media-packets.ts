import type { ProtectedStream, SentSchemePacket } from '../../../lab/schemes/scheme.ts';
import { milliseconds } from '../../../protocol/base/units.ts';
import { writeRtpHeader } from '../../../protocol/rtp/rtp-packet.ts';
import { asSequence, wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { MEDIA_SSRC } from '../../../sim/simulated-stream.ts';

/** A stream that begins with sequence number 0. */
export const STREAM: ProtectedStream = {
  latency: milliseconds(100),
  datagramBytesMax: 1_200,
  initialSequence: wireSequence(0),
  roundTrip: () => milliseconds(20),
  reportedLoss: () => 0.1,
};

/** Packets of different lengths, in frames of `perFrame` packets. */
export const mediaPackets = (count: number, perFrame = 1): SentSchemePacket[] =>
  Array.from({ length: count }, (_, index) => {
    const datagram = new Uint8Array(60 + ((index * 37) % 100)).map((_, at) => (at * 7 + index * 13) & 0xff);
    writeRtpHeader(datagram, {
      marker: index % perFrame === perFrame - 1,
      extension: false,
      payloadType: 96,
      sequenceNumber: wireSequence(index & 0xffff),
      timestamp: wireTimestamp(Math.floor(index / perFrame) * 3_000),
      ssrc: MEDIA_SSRC,
    });
    return { sequence: asSequence(index), datagram, packetIndex: index % perFrame, packetCount: perFrame };
  });
