import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { EncodedPacketSink, type Input, type InputAudioTrack, MatroskaInputFormat } from 'mediabunny';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { type Ffmpeg, locateFfmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { firstPictureAt, probe } from '../ffmpeg/ffmpeg-probe.ts';
import { Failure } from '../os/failure.ts';
import { within } from '../os/time-limit.ts';
import { openContainerInput } from './container-file.ts';
import type { MediaSource, SoundDescription, SoundSource } from './media-source.ts';
import { READ_MS_MAX } from './mp4-packets.ts';
import { ENCODER_OFFSET_SECONDS, encodeSound } from './sound-encoder.ts';
import { copiedFormatOf, type SoundFormatOfTrack } from './sound-track.ts';
import { type SoundLosses, soundUnits } from './sound-units.ts';

/** Which sound a stream is to have. */
export interface SoundWishes {
  /** Number of the track among those of the sound, from 1, or its language (`eng`); the first one by default. */
  readonly track?: number | string | undefined;
}

/** Sound that was opened, and what it holds. */
export interface OpenedSound extends SoundSource {
  /** Stops everything that was started for it. */
  close(): void;
}

interface SoundOptions {
  readonly sound: SoundWishes;
  readonly ffmpeg?: string | undefined;
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
}

const TICKS_PER_SECOND = 90_000;
/** Language of a track that names none (ISO 639-2). */
const UNDETERMINED = 'und';

/**
 * Opens the sound of a file beside its pictures; `undefined` when there is none, or none that can be had, which one line
 * says.
 * @param pictures `startsAt`: time of their first one in the container, 90 kHz, where it is known.
 * @throws {Failure} when the track that the user named is not there.
 */
export async function openSound(
  input: string,
  pictures: MediaSource & { readonly startsAt?: Ticks | undefined },
  options: SoundOptions,
): Promise<OpenedSound | undefined> {
  if (!(await isFile(input))) return undefined;
  const tracks = await findTracks(input, options);
  const found = chosenTrack(input, tracks, options.sound);
  if (!found) return undefined;
  const { format } = found;
  if (format) {
    const startsAt = pictures.startsAt ?? (await firstPictureOf(input, options));
    options.inform?.(`${input}: sound: ${found.codec}, copied${among(found, tracks)}`);
    return copied(input, { ...found, format }, startsAt, options);
  }
  return await encoded(input, found, tracks, pictures.startsAt, options);
}

/** Finds the tracks in process, or through ffmpeg where mediabunny cannot read the file. */
async function findTracks(input: string, options: SoundOptions): Promise<readonly FoundTrack[]> {
  const container = openContainerInput(input);
  try {
    const found = await within(READ_MS_MAX, tracksOf(container));
    if (found && found.value.length > 0) return found.value;
  } catch {
    // A file of another format.
  } finally {
    container.dispose();
  }
  const ffmpeg = await locateFfmpeg({ explicit: options.ffmpeg }).catch(() => undefined);
  const { sound } = ffmpeg ? await probe(ffmpeg, `file:${input}`) : { sound: [] };
  return sound.map(({ codec, language }, index) => ({ index, codec, language, format: undefined }));
}

async function tracksOf(container: Input): Promise<FoundTrack[]> {
  const isMatroska = (await container.getFormat()) instanceof MatroskaInputFormat;
  const tracks = await container.getAudioTracks();
  return Promise.all(
    tracks.map(async (track, index) => ({
      index,
      codec: (await track.getCodec()) ?? 'unknown',
      language: await track.getLanguageCode(),
      format: await formatOf(track, isMatroska),
    })),
  );
}

async function formatOf(track: InputAudioTrack, isMatroska: boolean): Promise<SoundFormatOfTrack | undefined> {
  const first = await new EncodedPacketSink(track).getFirstPacket();
  return copiedFormatOf(track, first, isMatroska);
}

function chosenTrack(
  input: string,
  tracks: readonly FoundTrack[],
  { track: wanted }: SoundWishes,
): FoundTrack | undefined {
  if (wanted === undefined) return tracks[0];
  const found =
    typeof wanted === 'number' ? tracks[wanted - 1] : tracks.find(({ language }) => language === wanted.toLowerCase());
  if (found) return found;
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
  { index, format }: FoundTrack & { readonly format: SoundFormatOfTrack },
  startsAt: Ticks,
  options: SoundOptions,
): OpenedSound {
  const running = new Set<Input>();
  return {
    description: descriptionOf(format),
    async *units() {
      const container = openContainerInput(input);
      running.add(container);
      const losses: SoundLosses = { backwards: 0, damaged: 0 };
      try {
        const track = (await container.getAudioTracks())[index];
        if (track) yield* soundUnits(track, format, { startsAt, losses });
      } catch (error) {
        if (running.has(container)) options.warn(`${input}: the sound ends early: ${(error as Error).message}`);
      } finally {
        running.delete(container);
        container.dispose();
        reportLosses(input, losses, options);
      }
    },
    close() {
      const all = [...running];
      running.clear();
      for (const container of all) container.dispose();
    },
  };
}

async function encoded(
  input: string,
  found: FoundTrack,
  tracks: readonly FoundTrack[],
  knownStart: Ticks | undefined,
  options: SoundOptions,
): Promise<OpenedSound | undefined> {
  const ffmpeg = await ffmpegFor(input, found, options);
  if (!ffmpeg) return undefined;
  const source = `file:${input}`;
  const startsAt = knownStart ?? (await firstPictureOf(input, options));
  const order = { input: source, index: found.index, name: basename(input) };
  let first: Awaited<ReturnType<typeof encodeSound>> | undefined;
  try {
    first = await encodeSound(ffmpeg, order);
  } catch (error) {
    options.warn(`${(error as Error).message}: the stream is silent`);
    return undefined;
  }
  const format = await formatOf(first.track, false);
  if (!format) {
    first.close();
    options.warn(`${input}: ffmpeg made no Opus of the sound: the stream is silent`);
    return undefined;
  }
  const why = `${found.codec}, encoded as Opus, since only AAC and Opus (mono or stereo) are carried as they are`;
  options.inform?.(`${input}: sound: ${why}${among(found, tracks)}`);
  const offset = ticks(startsAt + ENCODER_OFFSET_SECONDS * TICKS_PER_SECOND);
  const running = new Set([first]);
  return {
    description: descriptionOf(format),
    async *units() {
      const losses: SoundLosses = { backwards: 0, damaged: 0 };
      const run = first ?? (await encodeSound(ffmpeg, order));
      first = undefined;
      running.add(run);
      try {
        yield* soundUnits(run.track, format, { startsAt: offset, losses });
      } catch (error) {
        if (running.has(run)) options.warn(`${input}: the sound ends early: ${(error as Error).message}`);
      } finally {
        running.delete(run);
        run.close();
      }
    },
    close() {
      const all = [...running];
      running.clear();
      for (const run of all) run.close();
    },
  };
}

function descriptionOf({ codecName, parameterSets }: SoundFormatOfTrack): SoundDescription {
  const { sound, clockRate, clockRateVaries } = codecByName(codecName);
  const format = sound!.describe(parameterSets)!;
  return {
    codecName,
    decoder: format.decoder,
    clockRate: clockRateVaries ? format.sampleRate : clockRate,
    channels: format.channels,
    parameterSets,
  };
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
  const ffmpeg = await locateFfmpeg({ explicit: options.ffmpeg }).catch(() => undefined);
  return (ffmpeg && (await firstPictureAt(ffmpeg, `file:${input}`))) ?? ticks(0);
}

function reportLosses(input: string, { backwards, damaged }: SoundLosses, { warn }: SoundOptions): void {
  if (backwards > 0) warn(`${input}: ${backwards} packets of the sound were left out, as their times run backwards`);
  if (damaged > 0) warn(`${input}: ${damaged} packets of the sound were left out, as they are damaged`);
}

async function isFile(input: string): Promise<boolean> {
  return stat(input).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
