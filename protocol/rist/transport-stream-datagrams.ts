import { malformed, parsed } from '../base/parsed.ts';
import type { Codec } from '../codec/codec.ts';
import { SOUND_UNITS } from '../codec/sound/sound-units.ts';

/** First byte of a packet of MPEG-TS (ISO/IEC 13818-1 §2.4.3.2). */
const SYNC = 0x47;

/**
 * MPEG-TS in RTP (RFC 2250 §2) for a receiver that passes it on: each datagram is a unit by itself, and none waits for
 * another. Its pictures are found by a demuxer.
 */
export const TRANSPORT_STREAM_DATAGRAMS: Codec = {
  name: 'mp2t',
  clockRate: 90_000,
  ...SOUND_UNITS,
  packetize(parts, { headroomBytes, allocate = (bytes) => new Uint8Array(bytes) }) {
    return parts.map((part) => {
      const packet = allocate(headroomBytes + part.length);
      packet.set(part, headroomBytes);
      return packet;
    });
  },
  depacketize(payloads) {
    const parts = payloads.map(({ bytes, payloadAt, payloadEnd }) => bytes.slice(payloadAt, payloadEnd));
    if (parts.some(([first]) => first !== SYNC)) return malformed('mp2t-no-sync');
    return parsed({ count: parts.length, bytes: parts.reduce((sum, { length }) => sum + length, 0), parts });
  },
  recognizes: ([first]) => first === SYNC,
  startsFrame: () => true,
  sound: { unitsArePackets: true, describe: () => undefined, durationOf: () => 0, silence: () => undefined },
  syntheticPart: ({ bytes, filling }) => new Uint8Array(bytes).fill(filling).fill(SYNC, 0, 1),
};
