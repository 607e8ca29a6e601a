import { basename } from 'node:path';
import { CLOCK_RATE, ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { hasImpossibleCounts } from '../mp4/sample-counts.ts';
import { Failure } from '../os/failure.ts';
import { liveInputOf } from './live-input.ts';
import type { MediaSource } from './media-source.ts';
import { NoPictures } from './no-pictures.ts';
import { openPictures } from './open-pictures.ts';
import type { SoundWishes } from './open-sound.ts';
import type { PictureSourceOptions } from './picture-source-options.ts';
import { isSilent } from './silent-input.ts';
import type { OpenedSound } from './sound-source.ts';

export interface MediaSourceOptions extends PictureSourceOptions {
  /** Sound to read; `undefined`: none. */
  readonly sound?: SoundWishes | undefined;
  /** False to leave the pictures out; default true. */
  readonly pictures?: boolean | undefined;
  /** True to read stdin, pipes, devices and other senders as live sources; default: they are refused, or read like files. */
  readonly live?: boolean | undefined;
  /** Called with one line about what is done to the sound. */
  readonly inform?: ((message: string) => void) | undefined;
  /** Time for which nothing may happen while the tracks of the sound are looked for, milliseconds; by default 20 s. */
  readonly patienceMs?: number | undefined;
  /** Called with one line about the tracks of a file that are left out; without it, nobody looks for them. */
  readonly detail?: ((message: string) => void) | undefined;
}

/**
 * Opens a file, a URL, a live source (see `liveInputOf`) or `testsrc` (see `parseTestPattern`). When it resolves, the first
 * access unit has been read. A file without pictures is a source of sound alone.
 * @throws {Failure} in one line for an input that cannot be streamed, or a sound track that is not there.
 */
export async function openMediaSource(input: string, options: MediaSourceOptions): Promise<MediaSource> {
  const { pictures: wantsPictures = true } = options;
  const live = options.live === true ? await liveInputOf(input) : undefined;
  if (live && options.startSeconds) throw hasNoPlaces(input);
  if (live && !wantsPictures) throw new Failure(`${input}: the sound of live sources is not sent yet`, 2);
  if (live) return (await import('./open-live.ts')).openLive(input, live, options);
  if (await hasImpossibleCounts(input).catch(() => false)) {
    throw new Failure(`${input}: its index is damaged: it counts more samples than there are`);
  }
  const source = await openTracks(input, options);
  if (options.detail) await tellLeftOut(input, source, options);
  return source;
}

/** The error of a start in a live source. */
export const hasNoPlaces = (input: string): Failure =>
  new Failure(`${input} is a live source, which has no place to start at: omit --start`, 2);

/** Says which tracks of a file are not streamed, as far as ffmpeg can tell. */
async function tellLeftOut(input: string, source: MediaSource, options: MediaSourceOptions): Promise<void> {
  const [{ locateFfmpeg }, { findLeftOut }] = await Promise.all([
    import('../ffmpeg/ffmpeg-locator.ts'),
    import('../ffmpeg/left-out.ts'),
  ]);
  const ffmpeg = await locateFfmpeg({ explicit: options.ffmpeg }).catch(() => undefined);
  if (!ffmpeg) return;
  const isSound = codecByName(source.description.codecName).mediaType === 'audio';
  const streamed = { pictures: !isSound, sound: isSound || source.sound !== undefined };
  const left = await findLeftOut(ffmpeg, `file:${input}`, streamed);
  if (left.length > 0) options.detail?.(`${input}: left out: ${left.join(', ')}`);
}

async function openTracks(input: string, options: MediaSourceOptions): Promise<MediaSource> {
  const { sound: wishes, pictures: wantsPictures = true } = options;
  if (!wishes) return openPictures(input, options);
  if (!wantsPictures) return soundAlone(input, { ...options, sound: wishes });
  let pictures: MediaSource;
  try {
    pictures = await openPictures(input, options);
  } catch (error) {
    if (!(error instanceof NoPictures)) throw error;
    return soundAlone(input, { ...options, sound: wishes });
  }
  try {
    if (await isSilent(input)) return pictures;
    const { openSound } = await loadSound();
    const sound = await openSound(input, pictures, { ...options, sound: wishes });
    return sound ? joined(pictures, sound) : pictures;
  } catch (error) {
    await pictures.close();
    throw soundFailure(input, error);
  }
}

/** Loaded on demand, with mediabunny: a raw byte stream without sound needs neither. */
const loadSound = () => import('./open-sound.ts');

/** A source whose access units are those of the sound. */
async function soundAlone(
  input: string,
  options: MediaSourceOptions & { readonly sound: SoundWishes },
): Promise<MediaSource> {
  let failure = '';
  const warn = (message: string): void => {
    failure = message;
    options.warn(message);
  };
  const { openSound } = await loadSound();
  const sound = await openSound(input, undefined, { ...options, warn }).catch((error: unknown) => {
    throw soundFailure(input, error);
  });
  if (!sound) {
    throw new Failure(
      failure === '' ? `${input} contains no sound that can be streamed` : `${input} cannot be streamed`,
    );
  }
  const { startSeconds = 0 } = options;
  if (startSeconds > 0) await checkStart(input, sound, startSeconds);
  const { codecName, decoder, clockRate, parameterSets } = sound.description;
  return {
    startSeconds,
    description: {
      name: basename(input),
      ...{ codecName, codec: decoder, clockRate, width: 0, height: 0, framesPerSecond: undefined },
      ...{ durationSeconds: sound.durationSeconds, mode: sound.isEncoded ? 'opus' : 'copy', parameterSets },
    },
    units: (pass) => sound.units(pass),
    close: async () => sound.close(),
  };
}

/** @throws {Failure} when nothing is heard from a place on. */
async function checkStart(input: string, sound: OpenedSound, startSeconds: number): Promise<void> {
  const units = sound.units();
  const first = await units.next();
  // Otherwise what this pass has opened stays open for the whole stream.
  await units.return(undefined);
  if (first.done !== true) return;
  sound.close();
  const { isBeyondEnd } = await import('./find-start.ts');
  throw isBeyondEnd(input, ticks(Math.round(startSeconds * CLOCK_RATE)), sound.durationSeconds);
}

const soundFailure = (input: string, error: unknown): Failure =>
  error instanceof Failure ? error : new Failure(`${input}: its sound cannot be read: ${(error as Error).message}`);

/** One source of pictures and sound. */
function joined(pictures: MediaSource, sound: OpenedSound | undefined): MediaSource {
  return {
    get description() {
      return pictures.description;
    },
    get adaptive() {
      return pictures.adaptive;
    },
    sound,
    get startSeconds() {
      return pictures.startSeconds;
    },
    units: (pass) => pictures.units(pass),
    close: async () => {
      sound?.close();
      await pictures.close();
    },
  };
}
