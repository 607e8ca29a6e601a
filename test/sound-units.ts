import type { SoundSource } from '../io/sources/media-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { ticks } from '../protocol/base/units.ts';
import { type CodecName, codecByName } from '../protocol/codec/codecs.ts';
import { serializeOpusHead } from '../protocol/codec/opus/opus-head.ts';

/** Identification header of stereo, as libopus announces it. */
export const OPUS_HEAD = serializeOpusHead({
  channels: 2,
  preSkip: 312,
  inputRate: 48_000,
  gain: 0,
  mappingFamily: 0,
  mappingTable: new Uint8Array(0),
});

/** AudioSpecificConfig of AAC-LC, 44.1 kHz, stereo. */
export const AAC_CONFIG = Uint8Array.of(0x12, 0x10);

const KINDS = {
  opus: { sets: [OPUS_HEAD], clockRate: 48_000, decoder: 'opus', unitTicks: 1_800 },
  aac: { sets: [AAC_CONFIG], clockRate: 44_100, decoder: 'mp4a.40.2', unitTicks: (1_024 * 90_000) / 44_100 },
} as const;

/** Units of different content that cannot be decoded, from this time on, 90 kHz. */
export function soundUnits(codecName: 'opus' | 'aac', count: number, from = 0): AccessUnit[] {
  const codec = codecByName(codecName);
  return Array.from({ length: count }, (_, index) => {
    const timestamp = ticks(from + Math.round(index * KINDS[codecName].unitTicks));
    const bytes = 100 + ((index * 37) % 300);
    const part = codec.syntheticPart({ key: true, bytes, filling: index & 0xff });
    return { parts: [part], timestamp, decodeTimestamp: timestamp, importance: 'key' as const };
  });
}

/** A source of these units. */
export function soundSource(codecName: 'opus' | 'aac', units: readonly AccessUnit[]): SoundSource {
  const { sets, clockRate, decoder } = KINDS[codecName];
  return {
    description: { codecName: codecName as CodecName, decoder, clockRate, channels: 2, parameterSets: sets },
    async *units() {
      yield* units;
    },
  };
}
