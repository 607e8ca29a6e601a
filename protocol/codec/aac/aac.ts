import { CLOCK_RATE } from '../../base/units.ts';
import type { Codec } from '../codec.ts';
import { SOUND_UNITS } from '../sound/sound-units.ts';
import { channelsOf, parseAudioSpecificConfig } from './audio-specific-config.ts';
import { AAC_MP4 } from './mp4-format.ts';
import { AAC_UNIT_BYTES_MAX, looksLikeAac, packAac, readAac } from './rtp-payload.ts';
import { AAC_SESSION } from './session-format.ts';
import { silentAacFrame } from './silent-frame.ts';
import { AAC_TRANSPORT_STREAM } from './transport-stream-format.ts';

/**
 * AAC (ISO/IEC 14496-3) in RTP (RFC 3640, mode AAC-hbr). A part is the raw data block of one frame, without ADTS. The
 * parameter set is the AudioSpecificConfig. The clock rate is that of the usual stream; each stream has its own.
 */
export const AAC: Codec = {
  name: 'aac',
  clockRate: 48_000,
  clockRateVaries: true,
  ...SOUND_UNITS,
  partBytesMax: () => AAC_UNIT_BYTES_MAX,
  packetize: packAac,
  depacketize: readAac,
  recognizes: looksLikeAac,
  startsFrame: looksLikeAac,
  sound: {
    describe([record]) {
      const config = record && parseAudioSpecificConfig(record);
      if (!config) return undefined;
      const { announcedType, sampleRate } = config;
      return { decoder: `mp4a.40.${announcedType}`, sampleRate, channels: channelsOf(config) ?? 2 };
    },
    durationOf(parts, [record]) {
      const config = record && parseAudioSpecificConfig(record);
      return config ? (parts.length * config.samplesPerUnit * CLOCK_RATE) / config.sampleRate : 0;
    },
    silence(parts, [record]) {
      const config = record && parseAudioSpecificConfig(record);
      const frame = config && silentAacFrame(config);
      return frame && parts.map(() => frame);
    },
  },
  session: AAC_SESSION,
  transportStream: AAC_TRANSPORT_STREAM,
  mp4: AAC_MP4,
  matroska: { codecId: 'A_AAC', codecPrivate: ([config]) => config, block: AAC_MP4.sample },
  syntheticPart: ({ bytes, filling }) => new Uint8Array(bytes).fill(filling),
};
