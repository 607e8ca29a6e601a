import type { EncodedPacketSink } from 'mediabunny';
import { CLOCK_RATE } from '../../protocol/base/units.ts';
import { parseAudioSpecificConfig, SAMPLE_RATES } from '../../protocol/codec/aac/audio-specific-config.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { SoundFormatOfTrack } from './sound-track.ts';

/** Packets whose distances are measured, and the fewest that are judged. */
const PACKETS = 64;
const PACKETS_MIN = 16;
/** Largest difference of these distances, seconds: that of a container that rounds to milliseconds. More is a hole. */
const UNEVEN_MAX = 0.002;
/** Difference of rates from which on one of them is false; standard rates are at least 8 % apart. */
const FALSE_FROM = 0.02;
/** Difference from a standard rate up to which the times are those of that rate. */
const STANDARD_WITHIN = 0.003;
/**
 * Object types whose access units have 960 or 1,024 samples: AAC Main, LC, SSR and LTP. Those of others have a length of their
 * own: 512 samples (LD, ELD), 2,048 (USAC).
 */
const CORE_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4]);
/** Configuration without extensions, bytes. */
const CORE_CONFIG_BYTES = 2;

/** Two sampling rates of one track, samples per second, of which one is false. */
export interface RateConflict {
  /** Rate in the decoder configuration. */
  readonly announced: number;
  /** Standard rate at which the packets are as far apart as their times say. */
  readonly timed: number;
}

/** Finds a track of AAC whose times are those of another standard rate than its configuration says. */
export async function findRateConflict(
  sink: EncodedPacketSink,
  { codecName, parameterSets, unitOf }: Pick<SoundFormatOfTrack, 'codecName' | 'parameterSets' | 'unitOf'>,
): Promise<RateConflict | undefined> {
  // Packets of Opus tell their duration by themselves.
  if (codecName !== 'aac') return undefined;
  const config = parseAudioSpecificConfig(parameterSets[0]!);
  // With explicit band replication, the type is that of the core, as the packets' duration is.
  if (!config || !CORE_TYPES.has(config.objectType)) return undefined;
  const times: number[] = [];
  let ticksPerUnit = 0;
  for await (const { data, timestamp } of sink.packets()) {
    const part = unitOf(data);
    if (part) ticksPerUnit ||= codecByName(codecName).sound!.durationOf([part], parameterSets);
    times.push(timestamp);
    if (times.length === PACKETS) break;
  }
  if (times.length < PACKETS_MIN || ticksPerUnit === 0) return undefined;
  const distances = times.slice(1).map((time, index) => time - times[index]!);
  if (Math.max(...distances) - Math.min(...distances) > UNEVEN_MAX) return undefined;
  const distance = (times.at(-1)! - times[0]!) / distances.length;
  const { sampleRate: announced } = config;
  const measured = (announced * ticksPerUnit) / CLOCK_RATE / distance;
  const timed = SAMPLE_RATES.find((rate) => Math.abs(measured / rate - 1) <= STANDARD_WITHIN);
  if (timed === undefined || Math.abs(timed / announced - 1) < FALSE_FROM) return undefined;
  return { announced, timed };
}

/** Returns a configuration of AAC with another sampling rate; `undefined` where it is not a number of the table. */
export function withSamplingRate(config: Uint8Array, sampleRate: number): Uint8Array | undefined {
  const found = parseAudioSpecificConfig(config);
  const index = SAMPLE_RATES.indexOf(sampleRate as (typeof SAMPLE_RATES)[number]);
  // An explicit rate, an extension and a long object type move the fields.
  if (!found || index < 0 || found.rateIndex >= SAMPLE_RATES.length) return undefined;
  if (found.objectType !== found.announcedType || !CORE_TYPES.has(found.objectType)) return undefined;
  // The next fields describe the extension at the false rate, except for channels of a program configuration element.
  const changed = found.channelConfiguration === 0 ? config.slice() : config.slice(0, CORE_CONFIG_BYTES);
  changed[0] = (changed[0]! & 0xf8) | (index >> 1);
  changed[1] = (changed[1]! & 0x7f) | ((index & 1) << 7);
  return changed;
}

/** Known times of the pictures beside a sound whose rates contradict each other. */
interface Durations {
  /** Duration of the sound by its times, seconds; `undefined` when unknown. */
  readonly sound: number | undefined;
  /** Duration of the pictures, seconds; `undefined` when unknown; `none` for sound alone. */
  readonly pictures: number | undefined | 'none';
}

/**
 * Resolves a conflict: the rate at which the sound is as long as the pictures is taken for the true one. Without pictures
 * it is that of the configuration, by which players decode; with pictures of unknown duration, that of the times. The format is
 * left as it is where it cannot say so.
 * @returns the format to be used, and what was corrected, for a message.
 */
export function resolveRateConflict(
  format: SoundFormatOfTrack,
  { announced, timed }: RateConflict,
  { sound, pictures }: Durations,
): { readonly format: SoundFormatOfTrack; readonly correction: string } {
  const facts = `its sound is announced with ${announced} Hz, but its times are those of ${timed} Hz`;
  const timeScale = timed / announced;
  const retimed = {
    format: { ...format, timeScale },
    correction: `${facts}: the times are corrected, as it would not be as long as the pictures with them`,
  };
  if (pictures === 'none') return { ...retimed, correction: `${facts}: the times are corrected` };
  if (sound !== undefined && pictures !== undefined) {
    const [asTimed, asAnnounced] = [Math.abs(sound - pictures), Math.abs(sound * timeScale - pictures)];
    if (asAnnounced < asTimed) return retimed;
  }
  const config = withSamplingRate(format.parameterSets[0]!, timed);
  if (!config) return { format, correction: `${facts}: it is sent as it is` };
  return { format: { ...format, parameterSets: [config] }, correction: `${facts}: it is played with ${timed} Hz` };
}
