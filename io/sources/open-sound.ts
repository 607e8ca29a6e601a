import {
  type EncodedPacket,
  EncodedPacketSink,
  type Input,
  type InputAudioTrack,
  MatroskaInputFormat,
} from 'mediabunny';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import { type Ffmpeg, locateFfmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { firstPictureAt, probe } from '../ffmpeg/ffmpeg-probe.ts';
import { readMp4Encryption, readMp4Structure } from '../mp4/mp4-structure.ts';
import { Failure } from '../os/failure.ts';
import { lateText, TIMEOUT, whileWorking, within } from '../os/time-limit.ts';
import { openContainerInput } from './container-file.ts';
import { isRemoteFile } from './input-file.ts';
import type { MediaSource } from './media-source.ts';
import { READ_MS_MAX } from './mp4-packets.ts';
import { findRateConflict, type RateConflict, resolveRateConflict } from './sampling-rate.ts';
import { ENCODER_OFFSET_SECONDS, ENCODING_MS_MAX, encodeSound } from './sound-encoder.ts';
import { type OpenedSound, type SoundPass, soundSource } from './sound-source.ts';
import { copiedFormatOf, type SoundFormatOfTrack } from './sound-track.ts';
import { isVarying } from './varying-sound.ts';

/** Which sound a stream is to have. */
export interface SoundWishes {
  /** Number of the track among those of the sound, from 1, or its language (`eng`); the first one by default. */
  readonly track?: number | string | undefined;
}

interface SoundOptions {
  readonly sound: SoundWishes;
  readonly ffmpeg?: string | undefined;
  /** Place at which the sound starts, seconds from the first picture, or from its own beginning where it is alone. */
  readonly startSeconds?: number | undefined;
  /** Time for which nothing may happen while the tracks are looked for, milliseconds; by default 20 s. */
  readonly patienceMs?: number | undefined;
  warn(message: string): void;
  readonly inform?: ((message: string) => void) | undefined;
}

/** A track of the sound, as the container describes it. */
interface FoundTrack {
  /** Index among the tracks of the sound, from 0. */
  readonly index: number;
  readonly codec: string;
  readonly language: string;
  /** How it is copied; `undefined` when it must be encoded anew. */
  readonly format: SoundFormatOfTrack | undefined;
  /** True when its parameters change within the file, which a stream cannot follow. */
  readonly isVarying?: boolean;
  /** True when only ffmpeg reads its container; default false. */
  readonly isForeign?: boolean;
  /** Absent where its times agree with its sampling rate. */
  readonly conflict?: RateConflict | undefined;
  /** Time of the first unit in the container, 90 kHz. */
  readonly startsAt: Ticks;
  readonly durationSeconds: number | undefined;
  /** Bits per second, where it is known. */
  readonly bitrate?: number | undefined;
}

const TICKS_PER_SECOND = 90_000;
/**
 * Highest bit rate, bits per second, of sound that is copied beside pictures which follow the path, and that of sound which is
 * encoded for them: on a narrow path the sound, with its redundancy, leaves the pictures what is over.
 */
const FOLLOWING_BITRATE_MAX = 128_000;
const FOLLOWING_BITRATE = 64_000;
/** Packets by which the bit rate of a track is measured: some ten seconds. */
const MEASURED_PACKETS = 500;
/** Codecs that are copied out of a container that is read in process. */
const COPIED: ReadonlySet<string> = new Set(['aac', 'opus']);
/** Language of a track that names none (ISO 639-2). */
const UNDETERMINED = 'und';

/**
 * Opens the sound of a file beside its pictures; `undefined` when there is none, or none that can be had, which one line
 * says.
 * @param pictures `startsAt`: time of their first one in the container, 90 kHz, where it is known; `undefined` for sound
 * alone, whose times count from its own beginning.
 * @throws {Failure} when the track that the user named is not there.
 */
export async function openSound(
  input: string,
  pictures: (MediaSource & { readonly startsAt?: Ticks | undefined }) | undefined,
  options: SoundOptions,
): Promise<OpenedSound | undefined> {
  const { tracks, unknown } = await findTracks(input, options);
  if (unknown !== undefined) {
    const what = `${input}: its sound tracks could not be found out (${unknown})`;
    if (options.sound.track !== undefined) throw new Failure(what);
    options.warn(pictures ? `${what}: it is sent without sound` : what);
    return undefined;
  }
  const found = chosenTrack(input, tracks, options.sound);
  if (!found) return undefined;
  const { format } = found;
  if (format && !found.conflict && pictures?.adaptive && (found.bitrate ?? 0) > FOLLOWING_BITRATE_MAX) {
    // Where it cannot be encoded, it is copied.
    const opus = await encoded(input, found, tracks, pictures, { ...options, warn: () => {} });
    if (opus) return opus;
  }
  const scheme = format ? undefined : await readMp4Encryption(input, 'sound').catch(() => undefined);
  if (scheme !== undefined) {
    const what = `${input}: its sound is encrypted (${scheme})`;
    if (!pictures) throw new Failure(`${what}, so it cannot be streamed`);
    options.warn(`${what}: the stream is silent`);
    return undefined;
  }
  if (format) {
    const startsAt = pictures ? (pictures.startsAt ?? (await firstPictureOf(input, options))) : found.startsAt;
    options.inform?.(`${input}: sound: ${found.codec}, copied${among(found, tracks)}`);
    if (!found.conflict) return copied(input, { ...found, format }, startsAt, options);
    const durations = {
      sound: found.durationSeconds,
      pictures: pictures ? pictures.description.durationSeconds : ('none' as const),
    };
    const resolved = resolveRateConflict(format, found.conflict, durations);
    options.warn(`${input}: ${resolved.correction}`);
    return copied(input, { ...found, format: resolved.format }, startsAt, options);
  }
  return await encoded(input, found, tracks, pictures, options);
}

/** Sound tracks of an input. */
interface FoundTracks {
  readonly tracks: readonly FoundTrack[];
  /** Cause, when it may have others that could not be found out. */
  readonly unknown?: string | undefined;
}

/** Finds the tracks in process, or through ffmpeg where mediabunny cannot read the file. */
async function findTracks(input: string, options: SoundOptions): Promise<FoundTracks> {
  const own = await ownTracks(input, options);
  if (typeof own !== 'string' && own.length > 0) return { tracks: own };
  const ffmpeg = await locateFfmpeg({ explicit: options.ffmpeg }).catch((error: Error) => error.message);
  // A container that was read, and names no sound, most likely has none.
  const doubt = typeof own === 'string' ? own : undefined;
  if (typeof ffmpeg === 'string') return { tracks: [], unknown: doubt && ffmpeg };
  const found = await probe(ffmpeg, sourceOf(input), { patienceMs: options.patienceMs });
  const { sound, durationSeconds, complaint } = found;
  const isLate = complaint?.startsWith(TIMEOUT) === true;
  if (complaint !== undefined && (doubt !== undefined || isLate)) return { tracks: [], unknown: complaint };
  return {
    tracks: sound.map(({ codec, language }, index) => ({
      ...{ index, codec, language, format: undefined, isForeign: true, startsAt: ticks(0), durationSeconds },
    })),
  };
}

/** The tracks as they are found in process, or the cause why that is not possible. */
async function ownTracks(input: string, options: SoundOptions): Promise<readonly FoundTrack[] | string> {
  let reads = 0;
  const container = openContainerInput(input, [], () => reads++);
  const limits = { idleMs: options.patienceMs ?? READ_MS_MAX };
  try {
    const found = await whileWorking(limits, () => reads, tracksOf(input, container, options.sound));
    return 'value' in found ? found.value : lateText(found.lateMs);
  } catch (error) {
    return (error as Error).message;
  } finally {
    container.dispose();
  }
}

async function tracksOf(input: string, container: Input, { track: wanted }: SoundWishes): Promise<FoundTrack[]> {
  const isMatroska = (await container.getFormat()) instanceof MatroskaInputFormat;
  const tracks = await container.getAudioTracks();
  return Promise.all(
    tracks.map(async (track, index) => {
      const codec = (await track.getCodec()) ?? 'unknown';
      const language = await track.getLanguageCode();
      const plain = { index, codec, language, format: undefined, startsAt: ticks(0), durationSeconds: undefined };
      // Finding the first packet takes long in a file of hundreds of tracks.
      if (!isChosen(wanted, plain)) return plain;
      const sink = new EncodedPacketSink(track);
      const first = await sink.getFirstPacket();
      const format = await copiedFormatOf(track, first, isMatroska);
      const structure = await readMp4Structure(input, track.id).catch(() => undefined);
      if (format && (await isVarying(structure, track, format))) return { ...plain, isVarying: true };
      const duration = await container.getDurationFromMetadata([track]).catch(() => null);
      const startsAt = ticks(Math.round((first?.timestamp ?? 0) * TICKS_PER_SECOND) - (format?.delay ?? 0));
      const conflict = format && (await findRateConflict(sink, format));
      // A scale that may be false is that of the edits as well.
      const edits = conflict ? [] : (structure?.edits ?? []);
      const edited = format && { ...format, edits };
      const durationSeconds = (edits.length > 0 ? structure?.durationSeconds : duration) ?? undefined;
      const stats = await track.computePacketStats(MEASURED_PACKETS).catch(() => undefined);
      const bitrate = stats && Math.round(stats.averageBitrate);
      return { ...plain, format: edited, conflict, startsAt, durationSeconds, bitrate };
    }),
  );
}

/** True for the track that the user wants; of several in a language, for each of them. */
function isChosen(wanted: SoundWishes['track'], { index, language }: Pick<FoundTrack, 'index' | 'language'>): boolean {
  if (wanted === undefined) return index === 0;
  return typeof wanted === 'number' ? index === wanted - 1 : language === wanted.toLowerCase();
}

function chosenTrack(
  input: string,
  tracks: readonly FoundTrack[],
  { track: wanted }: SoundWishes,
): FoundTrack | undefined {
  const found = tracks.find((track) => isChosen(wanted, track));
  if (found || wanted === undefined) return found;
  const list = tracks.map(({ codec, language }, index) => `${index + 1} (${codec}, ${language})`).join(', ');
  const has = tracks.length === 0 ? 'it has no sound' : `it has ${list}`;
  throw new Failure(`${input} has no sound track ${wanted}: ${has}`, 2);
}

/** `, track 2 of 3 (eng)`: where there is a choice. */
function among({ index, language }: FoundTrack, tracks: readonly FoundTrack[]): string {
  if (tracks.length < 2) return '';
  return `, track ${index + 1} of ${tracks.length}${language === UNDETERMINED ? '' : ` (${language})`}`;
}

function copied(
  input: string,
  { index, format, durationSeconds }: FoundTrack & { readonly format: SoundFormatOfTrack },
  startsAt: Ticks,
  { startSeconds, warn }: SoundOptions,
): OpenedSound {
  const open = async (): Promise<SoundPass> => {
    const container = openContainerInput(input);
    const close = (): void => container.dispose();
    try {
      const track = (await container.getAudioTracks())[index];
      if (track) return { track, close };
    } catch (error) {
      close();
      throw error;
    }
    close();
    throw new Error('the track is no longer in the file');
  };
  const seconds = durationSeconds && durationSeconds * (format.timeScale ?? 1);
  return soundSource({ input, format, startsAt, durationSeconds: seconds, startSeconds, open, warn });
}

async function encoded(
  input: string,
  found: FoundTrack,
  tracks: readonly FoundTrack[],
  pictures: (Pick<MediaSource, 'adaptive'> & { readonly startsAt?: Ticks | undefined }) | undefined,
  options: SoundOptions,
): Promise<OpenedSound | undefined> {
  const ffmpeg = await ffmpegFor(input, found, options);
  if (!ffmpeg) return undefined;
  const { startSeconds = 0 } = options;
  const bitrate = pictures?.adaptive && FOLLOWING_BITRATE;
  const open = (fromSeconds: number) =>
    encodeSound(ffmpeg, { input: sourceOf(input), index: found.index, fromSeconds, bitrate });
  let first: Awaited<ReturnType<typeof open>>;
  try {
    first = await open(startSeconds);
  } catch (error) {
    options.warn(`${input}: ${(error as Error).message}: the stream is silent`);
    return undefined;
  }
  let cause = '';
  const packet = await within(ENCODING_MS_MAX, firstPacketOf(first.track)).catch((error: Error) => {
    cause = ` (${error.message})`;
    return { value: undefined };
  });
  if (!packet) cause = ` (${lateText(ENCODING_MS_MAX)})`;
  const format = packet?.value && (await copiedFormatOf(first.track, packet.value, false));
  if (!format) {
    first.close();
    options.warn(`${input}: ffmpeg made no Opus of the sound${cause}: the stream is silent`);
    return undefined;
  }
  const at = bitrate === undefined ? '' : ` at ${kilobits(bitrate)}`;
  const why = `${found.codec}, encoded as Opus${at}, since ${reasonOf(found)}`;
  options.inform?.(`${input}: sound: ${why}${among(found, tracks)}`);
  const offset = ENCODER_OFFSET_SECONDS * TICKS_PER_SECOND;
  const startsAt = pictures
    ? ticks((pictures.startsAt ?? (await firstPictureOf(input, options))) + offset)
    : ticks(Math.round(startSeconds > 0 ? found.startsAt + offset : packet.value.timestamp * TICKS_PER_SECOND));
  const { durationSeconds } = found;
  const { warn } = options;
  return soundSource({ input, format, startsAt, durationSeconds, startSeconds, isEncoded: true, first, open, warn });
}

/** Why a track is encoded anew. */
function reasonOf({ codec, format, bitrate, isForeign, isVarying }: FoundTrack): string {
  if (format) return `its ${kilobits(bitrate ?? 0)} would leave a narrow path too little for the pictures`;
  if (isVarying) return 'its sampling rate or channels change';
  return isForeign && COPIED.has(codec)
    ? 'only ffmpeg reads its container'
    : 'only AAC and Opus (mono or stereo) are carried as they are';
}

const kilobits = (bitsPerSecond: number): string => `${Math.round(bitsPerSecond / 1_000)} kb/s`;

async function firstPacketOf(track: InputAudioTrack): Promise<EncodedPacket> {
  const first = await new EncodedPacketSink(track).getFirstPacket();
  if (!first) throw new Error('it is empty');
  return first;
}

async function ffmpegFor(input: string, { codec }: FoundTrack, options: SoundOptions): Promise<Ffmpeg | undefined> {
  try {
    return await locateFfmpeg({ explicit: options.ffmpeg });
  } catch (error) {
    options.warn(
      `${input}: its sound is ${codec} and must be encoded, but the stream is silent: ${(error as Error).message}`,
    );
    return undefined;
  }
}

/** Time of the first picture, where its reader does not tell: as mediabunny reads it, else as ffmpeg does, else 0. */
async function firstPictureOf(input: string, options: SoundOptions): Promise<Ticks> {
  const container = openContainerInput(input);
  try {
    const pictures = await container.getPrimaryVideoTrack();
    if (pictures) return ticks(Math.round((await pictures.getFirstTimestamp()) * TICKS_PER_SECOND));
  } catch {
    // A file of another format.
  } finally {
    container.dispose();
  }
  const first = await locateFfmpeg({ explicit: options.ffmpeg }).then(
    (ffmpeg) => firstPictureAt(ffmpeg, sourceOf(input)),
    (error: Error) => error.message,
  );
  if (typeof first !== 'string') return first;
  options.warn(`${input}: the time of its first picture is not known (${first}): sound and picture may be apart`);
  return ticks(0);
}

/** The input for ffmpeg: a file as a URL, so that its name is not interpreted. */
const sourceOf = (input: string): string => (isRemoteFile(input) ? input : `file:${input}`);
