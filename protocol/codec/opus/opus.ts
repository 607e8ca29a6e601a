import { malformed, parsed } from '../../base/parsed.ts';
import type { Codec } from '../codec.ts';
import { SOUND_UNITS } from '../sound/sound-units.ts';
import { OPUS_MP4 } from './mp4-format.ts';
import { OPUS_CLOCK_RATE, parseOpusHead } from './opus-head.ts';
import { isOpusPacket, opusPacketSamples, silentOpusPacket } from './opus-packet.ts';
import { OPUS_SESSION } from './session-format.ts';
import { OPUS_TRANSPORT_STREAM } from './transport-stream-format.ts';

/** Table-of-contents byte of a mono CELT packet of one frame, full band, 20 ms (RFC 6716 §3.1). */
const FULL_BAND_20_MS = 0xf8;
/** Ticks of 90 kHz in a sample of 48 kHz. */
const TICKS_PER_SAMPLE = 1.875;

/**
 * Opus (RFC 6716) in RTP (RFC 7587). A part is one Opus packet, which is the payload as it is. The parameter set is the
 * identification header of RFC 7845 §5.1.
 */
export const OPUS: Codec = {
  name: 'opus',
  clockRate: OPUS_CLOCK_RATE,
  ...SOUND_UNITS,
  // The format has no fragments.
  partBytesMax: (payloadBytesMax) => payloadBytesMax,
  packetize(parts, { headroomBytes, allocate = (bytes) => new Uint8Array(bytes) }) {
    return parts.map((part) => {
      const packet = allocate(headroomBytes + part.length);
      packet.set(part, headroomBytes);
      return packet;
    });
  },
  depacketize(payloads) {
    let bytes = 0;
    for (const { payloadAt, payloadEnd } of payloads) {
      if (payloadEnd === payloadAt) return malformed('opus-empty');
      bytes += payloadEnd - payloadAt;
    }
    let parts: Uint8Array[] | undefined;
    return parsed({
      count: payloads.length,
      bytes,
      get parts() {
        parts ??= payloads.map(
          (payload) => new Uint8Array(payload.bytes.subarray(payload.payloadAt, payload.payloadEnd)),
        );
        return parts;
      },
    });
  },
  recognizes: isOpusPacket,
  startsFrame: () => true,
  sound: {
    unitsArePackets: true,
    describe(sets) {
      const head = sets[0] && parseOpusHead(sets[0]);
      return head && { decoder: 'opus', sampleRate: OPUS_CLOCK_RATE, channels: head.channels };
    },
    durationOf: (parts) => parts.reduce((sum, part) => sum + opusPacketSamples(part), 0) * TICKS_PER_SAMPLE,
    silence(parts, [record]) {
      const silent = parts.map(silentOpusPacket).filter((packet) => packet !== undefined);
      // More channels than two are several streams in a packet.
      const isKnown = record !== undefined && parseOpusHead(record)?.mappingFamily === 0;
      return isKnown && silent.length === parts.length ? silent : undefined;
    },
  },
  session: OPUS_SESSION,
  transportStream: OPUS_TRANSPORT_STREAM,
  mp4: OPUS_MP4,
  matroska: { codecId: 'A_OPUS', codecPrivate: ([head]) => head, block: OPUS_MP4.sample },
  syntheticPart({ bytes, filling }) {
    const part = new Uint8Array(bytes).fill(filling);
    part[0] = FULL_BAND_20_MS;
    return part;
  },
};
