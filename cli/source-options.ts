import { causeOf, Failure } from '../io/os/failure.ts';
import type { Log } from '../io/os/log.ts';
import { followRange } from '../io/sources/follow-range.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import type { MediaSourceOptions } from '../io/sources/open-source.ts';
import type { Recorder } from '../session/run/recorder.ts';
import { Interrupt } from './interrupt.ts';

/** Options of the command line that describe a sender's input. */
export interface SourceCommandOptions {
  /** True to say what is left out of a file. */
  readonly verbose?: boolean;
  readonly encode: 'auto' | 'copy' | 'x264';
  readonly bitrate: number;
  readonly gop: number;
  /** Whether an encoded source follows the path; default: where it can. */
  readonly rate?: 'auto' | 'fixed' | undefined;
  readonly bitrateMin?: number | undefined;
  readonly bitrateMax?: number | undefined;
  /** True for periodic key frames in any case: receivers join without asking. */
  readonly joinable?: boolean;
  readonly fps?: number;
  /** Place at which the first input starts, seconds. */
  readonly start?: number | undefined;
  /** False to leave the sound out. */
  readonly audio?: boolean | undefined;
  /** False to leave the pictures out. */
  readonly video?: boolean | undefined;
  /** Number of the sound track, from 1, or its language. */
  readonly audioTrack?: number | string | undefined;
  readonly ffmpeg?: string;
  /** True where the input may be a live source. */
  readonly live?: boolean | undefined;
  readonly record?: string;
}

/** @throws {Failure} for options that cannot be combined. */
function followOf(options: SourceCommandOptions): MediaSourceOptions['follow'] {
  const { rate, encode, bitrateMin, bitrateMax } = options;
  const follow = followRange(options);
  if (rate === 'fixed' && (bitrateMin ?? bitrateMax) !== undefined) {
    throw new Failure('--rate fixed cannot be combined with --bitrate-min or --bitrate-max', 2);
  }
  if (follow?.prefer === true && encode === 'copy') {
    throw new Failure('--encode copy keeps the bit rate of the file: omit --rate auto and its limits', 2);
  }
  if (follow && follow.bitrateMin > follow.bitrateMax) {
    throw new Failure(`--bitrate-min (${follow.bitrateMin}) is above --bitrate-max (${follow.bitrateMax})`, 2);
  }
  return follow && options.joinable === true ? { ...follow, keyInterval: options.gop } : follow;
}

/** @param limits which streams may be copied; default: all that this program carries. */
export async function openInput(
  input: string,
  options: SourceCommandOptions,
  log: Log,
  limits: Pick<MediaSourceOptions, 'copies' | 'upright'> = {},
): Promise<MediaSource> {
  return exitOnSignal(() => openSource(input, options, log, limits));
}

/** Lets a signal exit the process, as nothing runs yet, and the tools that examine the input with it. */
async function exitOnSignal<Result>(open: () => Promise<Result>): Promise<Result> {
  const interrupt = new Interrupt(() => process.exit(0));
  try {
    return await open();
  } finally {
    interrupt.dispose();
  }
}

/** @param log `undefined` when what it says has been said before. */
async function openSource(
  input: string,
  options: SourceCommandOptions,
  log: Log | undefined,
  limits: Pick<MediaSourceOptions, 'copies' | 'upright'>,
): Promise<MediaSource> {
  if (options.video === false && options.audio !== true) {
    throw new Failure('--no-video leaves nothing to send without sound', 2);
  }
  // Loaded on demand: it takes as long to load as everything that a receiver needs.
  const { hasNoPlaces, openMediaSource } = await import('../io/sources/open-source.ts');
  const opening: MediaSourceOptions = {
    encode: options.encode,
    ...limits,
    bitrate: options.bitrate,
    gop: options.gop,
    follow: followOf(options),
    ffmpeg: options.ffmpeg,
    live: options.live,
    framesPerSecond: options.fps,
    startSeconds: options.start,
    sound: options.audio === true ? { track: options.audioTrack } : undefined,
    pictures: options.video !== false,
    inform: (message) => log?.info(message),
    warn: (message) => log?.warn(message),
    ...(options.verbose && { detail: (message: string) => log?.debug(message) }),
  };
  if (options.live === true && /^rist:/i.test(input)) {
    if (options.start) throw hasNoPlaces(input);
    const [{ ristInput }, { openLive }] = await Promise.all([
      import('../session/rist/rist-input.ts'),
      import('../io/sources/open-live.ts'),
    ]);
    const { name, live } = await ristInput(input);
    return openLive(name, live, opening);
  }
  return openMediaSource(input, opening);
}

/** Names an option of the range of bit rates; `undefined` when none was given. */
function limitOption({ bitrateMin, bitrateMax }: SourceCommandOptions): string | undefined {
  if (bitrateMin !== undefined) return '--bitrate-min';
  return bitrateMax === undefined ? undefined : '--bitrate-max';
}

/** Opens the inputs of a stream, one after another when there are several. */
export async function openInputs(
  inputs: readonly string[],
  options: SourceCommandOptions,
  log: Log,
  limits: Pick<MediaSourceOptions, 'copies' | 'upright'> = {},
): Promise<MediaSource> {
  const [first = '', ...others] = inputs;
  if (others.length === 0) return openInput(first, options, log, limits);
  const unused = options.rate === 'auto' ? '--rate auto' : limitOption(options);
  if (unused !== undefined) throw new Failure(`a playlist does not follow the path: omit ${unused}`, 2);
  const { openPlaylist } = await import('../io/sources/playlist.ts');
  let isOpen = false;
  // From then on, signals and lines belong to the stream.
  const open = async (input: string, { isFirst }: { readonly isFirst: boolean }) => {
    const own: SourceCommandOptions = { ...options, rate: 'fixed', start: isFirst ? options.start : undefined };
    return openSource(input, own, isOpen ? undefined : log, limits);
  };
  const warn = (message: string) => log.warn(message);
  const playlist = await exitOnSignal(() => openPlaylist({ inputs: [first, ...others], open, warn }));
  isOpen = true;
  return playlist;
}

/**
 * Opens the recording requested by `--record`; `undefined` without the option. When it fails later, as on a full disk, it
 * ends with a warning: the receivers of the stream have no part in it.
 */
export async function openRecord(
  { record }: SourceCommandOptions,
  { description, sound }: MediaSource,
  log: Log,
): Promise<Recorder | undefined> {
  if (record === undefined) return undefined;
  const { Recorder } = await import('../session/run/recorder.ts');
  return await Recorder.open(record, { ...description, sound: sound?.description }, (error) =>
    log.warn(`the recording ended: ${causeOf(error)}; the stream continues without it`),
  );
}
