import { codecByName } from '../../protocol/codec/codecs.ts';
import { holdsTransportStream } from '../../protocol/transport-stream.ts';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { type Probe, probe } from '../ffmpeg/ffmpeg-probe.ts';
import { pipeGuard } from '../ffmpeg/input-guard.ts';
import { now } from '../os/clock.ts';
import { Failure } from '../os/failure.ts';
import { codecOfAnnexB, rateOfAnnexB } from './annex-b-file.ts';
import type { LiveInput } from './live-input.ts';
import { LiveSource } from './live-source.ts';
import type { MediaSource } from './media-source.ts';
import { ffmpegFor, ffmpegRecipe } from './open-encoding.ts';
import { copiedCodecOf, FRAMES_PER_SECOND_DEFAULT, mustEncode } from './open-pictures.ts';
import type { SoundWishes } from './open-sound.ts';
import type { PictureSourceOptions } from './picture-source-options.ts';
import { PipeFeed } from './pipe-feed.ts';
import { NoEntry, UnitSource } from './unit-source.ts';

export interface LiveSourceWishes extends PictureSourceOptions {
  readonly sound?: SoundWishes | undefined;
  /** Called with one line about what becomes of the source. */
  readonly inform?: ((message: string) => void) | undefined;
}

/**
 * Silence after which another sender counts as gone, and is opened again, milliseconds: it may begin with a key frame, which
 * cameras send every ten seconds at most. A pipe may be silent for ever.
 */
const GONE_MS = 20_000;
const NEVER_MS = 2 ** 31 - 1;
/** Longest wait for a key frame while other pictures come, milliseconds: far above x264's default of 250 pictures. */
const KEY_FRAME_MS_MAX = 60_000;

/**
 * Opens an input that produces pictures by itself. When it resolves, its first picture has come.
 * @throws {Failure} in one line when it cannot be read.
 */
export async function openLive(input: string, live: LiveInput, options: LiveSourceWishes): Promise<MediaSource> {
  const name = displayName(input);
  if (options.sound?.track !== undefined) {
    throw new Failure(`${name} is a live source, whose sound is not sent yet: --audio-track cannot be used`, 2);
  }
  // A source that returns is not described again.
  const said = new Set<string>();
  const once = (say: (message: string) => void) => (message: string) => {
    if (!said.has(message)) say(message);
    said.add(message);
  };
  const quiet = { ...options, warn: once(options.warn), inform: once(options.inform ?? (() => {})) };
  options.inform?.(`${name}: waiting for the first picture of this live source`);
  return await LiveSource.open({
    name,
    open: () => openOnce(name, live, quiet),
    returns: live.returns,
    warn: options.warn,
    inform: options.inform ?? (() => {}),
  });
}

async function openOnce(name: string, live: LiveInput, options: LiveSourceWishes): Promise<MediaSource> {
  const ffmpeg = await ffmpegFor(name, options);
  const goneMs = live.hasSender ? GONE_MS : NEVER_MS;
  const beginsMs = live.listens ? NEVER_MS : goneMs;
  const bytes = await live.bytes?.(ffmpeg);
  const feed = bytes && (await PipeFeed.open(name, bytes, beginsMs));
  try {
    const { found, reading } = await examine(name, live, { ffmpeg, feed, options });
    if (found.complaint !== undefined) throw new Failure(`${name} cannot be read: ${found.complaint}`);
    if (!found.video) throw new Failure(`${name} contains no video${found.hasAudio ? ', only audio' : ''}`);
    const hasSound = found.hasAudio || bytes?.leavesOutSound?.() === true;
    if (hasSound && options.sound) options.inform?.(`${name}: the sound of live sources is left out so far`);
    const { codec, framesPerSecond = FRAMES_PER_SECOND_DEFAULT, rotation } = found.video;
    const codecName = copiedCodecOf(codec);
    const mode = mustEncode(name, { codecName, title: codec, rotation }, options) ? 'x264' : 'copy';
    const encoding = {
      source: live.url,
      framesPerSecond,
      isRateKnown: found.video.framesPerSecond !== undefined,
      durationSeconds: undefined,
      rotation,
      live: { options: reading, feed: feed?.stream, silenceMsMax: goneMs },
      ...(mode === 'copy' && { codecName }),
    };
    const source = await UnitSource.open(await ffmpegRecipe(name, encoding, mode, options), options.warn);
    return {
      description: source.description,
      units: () => source.units(),
      close: async () => {
        feed?.close();
        await source.close();
      },
    };
  } catch (error) {
    feed?.close();
    throw error instanceof NoEntry ? new Failure(`${name}: ${error.message}`) : error;
  }
}

/** Properties of an input, and the options in front of `-i` with which ffmpeg finds them. */
interface Examination {
  readonly found: Probe;
  readonly reading: readonly string[];
}

/**
 * Examines an input until its pictures are described, which a key frame does.
 * @throws {Failure} when none comes.
 */
async function examine(
  name: string,
  live: LiveInput,
  parts: { readonly ffmpeg: Ffmpeg; readonly feed: PipeFeed | undefined; readonly options: LiveSourceWishes },
): Promise<Examination> {
  const { ffmpeg, feed, options } = parts;
  const beganAt = now();
  const attempt = async (analysis: readonly string[]): Promise<Examination> => {
    // Devices open no protocol: their format is given.
    const guard = live.bytes ? pipeGuard() : [];
    const reading = [...guard, ...live.options, ...analysis, ...clockOf(feed?.head, options)];
    return { reading, found: await probe(ffmpeg, live.url, { live: { options: reading, head: feed?.head } }) };
  };
  let examined = await attempt([]);
  if (!feed || !lacksKeyFrame(examined.found, feed)) return examined;
  // The whole head, which may hold more than the usual analysis reads, and little more.
  const whole = () =>
    attempt(['-analyzeduration', live.hasSender ? '5000000' : '60000000', '-probesize', `${feed.head.length}`]);
  examined = await whole();
  while (lacksKeyFrame(examined.found, feed) && !feed.hasEnded) {
    options.inform?.(`${name}: waiting for a key frame`);
    if (now() - beganAt > KEY_FRAME_MS_MAX * 1_000) {
      throw new Failure(`${name} cannot be read: no key frame within ${KEY_FRAME_MS_MAX / 1_000} s`);
    }
    await feed.advance();
    examined = await whole();
  }
  return examined;
}

/** True when more of the input may describe its pictures: the size comes with the parameter sets of a key frame. */
function lacksKeyFrame({ video, complaint }: Probe, feed: PipeFeed | undefined): boolean {
  if (video) return video.size === undefined;
  return complaint !== undefined && feed !== undefined && holdsTransportStream(feed.head);
}

/** A raw byte stream has no times: those of its arrival, unless the user or the stream names a rate. */
function clockOf(head: Uint8Array | undefined, { framesPerSecond }: LiveSourceWishes): string[] {
  const codecName = head && codecOfAnnexB(head);
  if (!codecName) return [];
  const rate = framesPerSecond ?? rateOfAnnexB(head, codecByName(codecName));
  const format = codecName === 'h265' ? 'hevc' : codecName;
  return ['-f', format, ...(rate === undefined ? ['-use_wallclock_as_timestamps', '1'] : ['-framerate', `${rate}`])];
}

/** The input without a login in its URL, for messages and names. */
function displayName(input: string): string {
  return input === '-' ? 'stdin' : input.replace(/:\/\/[^/@]+@/, '://');
}
