/** Decoder configuration of an AAC stream, as far as it matters here. */
export interface AudioSpecificConfig {
  /** Audio object type of the core: 2 is AAC-LC. */
  readonly objectType: number;
  /** Object type as announced: 5 or 29 where spectral band replication is signaled explicitly. */
  readonly announcedType: number;
  /** Sampling rate of the core, 1/s. */
  readonly sampleRate: number;
  /** Index of this rate in the table, or 15 when it is none of these. */
  readonly rateIndex: number;
  /** Channel configuration, 0 … 15; 0: described in the stream. */
  readonly channelConfiguration: number;
  /** Samples of the core in an access unit: 1024 or 960. */
  readonly samplesPerUnit: number;
}

/** Sampling frequencies by index (ISO/IEC 14496-3 table 1.18). */
export const SAMPLE_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
] as const;
const EXPLICIT_RATE = 15;
const RATE_MAX = 192_000;
/** Object types with a second type behind them: spectral band replication, and parametric stereo. */
const EXTENSIONS: ReadonlySet<number> = new Set([5, 29]);
/** Channels of the channel configurations (table 1.19). */
const CHANNELS = [undefined, 1, 2, 3, 4, 5, 6, 8, undefined, undefined, undefined, 7, 8, undefined, 8, undefined];

/** Reads an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1); `undefined` when it is malformed. */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig | undefined {
  let at = 0;
  const bits = (count: number): number => {
    let value = 0;
    for (let index = 0; index < count; index++, at++)
      value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
  const type = (): number => {
    const short = bits(5);
    return short === 31 ? 32 + bits(6) : short;
  };
  const rate = (): { readonly index: number; readonly rate: number } => {
    const index = bits(4);
    return { index, rate: index === EXPLICIT_RATE ? bits(24) : (SAMPLE_RATES[index] ?? 0) };
  };
  const announcedType = type();
  const core = rate();
  const channelConfiguration = bits(4);
  let objectType = announcedType;
  if (EXTENSIONS.has(announcedType)) {
    rate();
    objectType = type();
  }
  // The first bit of GASpecificConfig.
  const samplesPerUnit = bits(1) === 1 ? 960 : 1_024;
  if (at > bytes.length * 8 || objectType === 0 || core.rate === 0 || core.rate > RATE_MAX) return undefined;
  const { index: rateIndex, rate: sampleRate } = core;
  return { objectType, announcedType, sampleRate, rateIndex, channelConfiguration, samplesPerUnit };
}

/** Number of channels of a configuration; `undefined` when only the stream tells. */
export const channelsOf = ({ channelConfiguration }: AudioSpecificConfig): number | undefined =>
  CHANNELS[channelConfiguration];

/** Returns the AudioSpecificConfig that an ADTS header describes. */
export function configOfAdts(header: {
  readonly objectType: number;
  readonly rateIndex: number;
  readonly channelConfiguration: number;
}): Uint8Array {
  const { objectType, rateIndex, channelConfiguration } = header;
  const value = (objectType << 11) | (rateIndex << 7) | (channelConfiguration << 3);
  return Uint8Array.of(value >> 8, value & 0xff);
}
