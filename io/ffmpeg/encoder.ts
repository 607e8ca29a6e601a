import { createRequire } from 'node:module';
import { PassThrough, type Readable } from 'node:stream';
import type { FfmpegCommand, default as FluentFfmpeg } from 'fluent-ffmpeg';
import { type FragmentedMp4Event, FragmentedMp4Reader } from '../mp4/fragmented-mp4-reader.ts';
import { Failure } from '../os/failure.ts';
import { within } from '../os/time-limit.ts';
import type { RawPictures } from '../sources/raw-pictures.ts';
import { type Ffmpeg, knowsFrameRateMode, remedy } from './ffmpeg-locator.ts';
import { inputGuard } from './input-guard.ts';

/** A test pattern drawn by ffmpeg; endless without `durationSeconds`. */
export interface TestPattern {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly durationSeconds: number | undefined;
}

/** One of several encodes of an input. */
export interface RenditionEncoding {
  /** Bits per second. */
  readonly bitrate: number;
  /** Size of the picture, luma samples, even. */
  readonly size: { readonly width: number; readonly height: number };
}

export interface EncoderOptions {
  readonly ffmpeg: Ffmpeg;
  /** A file or URL in ffmpeg's syntax, or a test pattern. */
  readonly input: string | TestPattern;
  /** Geometry of an input of raw pictures without a header. */
  readonly rawPictures?: RawPictures | undefined;
  /** Name of the input in error messages. */
  readonly name: string;
  /** `x264` encodes; `copy` extracts H.264 or HEVC from a container that dropframe does not read itself. */
  readonly mode: 'x264' | 'copy';
  /** Maximum bit rate, bits per second; used by `x264`. */
  readonly bitrate: number;
  /** Key frame interval, frames; used by `x264`. */
  readonly gop: number;
  /** Frame rate written into the sequence parameter set, 1/s: players of a raw stream follow it. */
  readonly framesPerSecond: number;
  /**
   * Spaces the frames evenly at `framesPerSecond`, for inputs without timestamps. Otherwise the timestamps of the input
   * pass through, and no frame is duplicated or dropped.
   */
  readonly evenTimes?: boolean;
  /** Input that produces pictures by itself. */
  readonly live?: LiveReading | undefined;
  /** Place at which to begin, seconds; output timestamps count from there. */
  readonly fromSeconds?: number;
  /** Time without output after which ffmpeg counts as hung, milliseconds: until the first output, and after it. */
  readonly silence?: { readonly beginningMs: number; readonly laterMs: number } | undefined;
  /** Encodes the input several times, one track each, in place of `bitrate`; key frames are at the same pictures. */
  readonly renditions?: { readonly encodings: readonly RenditionEncoding[]; readonly preset: string } | undefined;
}

/** How a live input is read. */
export interface LiveReading {
  /** Options in front of `-i`, beside the whitelists. */
  readonly options: readonly string[];
  /** Bytes of the input, where ffmpeg does not open it itself. */
  readonly feed?: Readable | undefined;
  /** Time without output after which the source counts as gone, milliseconds. */
  readonly silenceMsMax: number;
}

/** Loads a package when the first run needs it. */
const load = createRequire(import.meta.url);

/** Time without output after which ffmpeg counts as hung, milliseconds: far above a slow disk or a camera's start. */
const SILENCE_MS_MAX = 30_000;
/** Time limit for the exit after SIGKILL, milliseconds. */
const EXIT_MS_MAX = 5_000;
/** Output buffered for a slow consumer, bytes; beyond it the pipe fills up and ffmpeg blocks. */
const QUEUE_BYTES = 256 * 1024;

/**
 * One run of ffmpeg through fluent-ffmpeg. The output is fragmented MP4 rather than a raw stream, because MP4 keeps the
 * timestamps. Pull-driven: ffmpeg blocks while nobody reads.
 */
export class Encoder {
  readonly #options: EncoderOptions;
  readonly #command: FfmpegCommand;
  /** Not destroyed at its end: fluent-ffmpeg would take that for an abort and report an error 20 ms later. */
  readonly #output = new PassThrough({ highWaterMark: QUEUE_BYTES, autoDestroy: false });
  /** Resolves after the exit of ffmpeg with its error message, or `undefined` without an error. */
  readonly #ended: Promise<string | undefined>;
  readonly #killOnExit = (): void => this.#kill();
  #started = false;
  #stopping = false;
  #hasOutput = false;

  constructor(options: EncoderOptions) {
    if (options.mode === 'x264' && !options.ffmpeg.libx264) {
      throw new Failure(`${options.ffmpeg.path} has no libx264, which encoding needs: ${remedy()}`, 3);
    }
    this.#options = options;
    const ffmpegCommand = load('fluent-ffmpeg') as typeof FluentFfmpeg;
    this.#command = ffmpegCommand(options.live?.feed ?? ffmpegInput(options.input))
      .inputOptions(inputOptions(options))
      .outputOptions(outputOptions(options));
    ffmpegCommand.setFfmpegPath(options.ffmpeg.path);
    this.#ended = new Promise((resolve) => {
      this.#command.on('end', () => resolve(undefined));
      this.#command.on('error', (error: Error, _stdout: string | null, stderr: string | null) => {
        // After an error fluent-ffmpeg leaves the stream open. It still holds the output before the error.
        this.#output.end();
        resolve(complaint(stderr, ffmpegInput(options.input)) ?? error.message);
      });
    });
    this.#command.on('start', () => {
      this.#started = true;
      if (this.#stopping) this.#kill();
    });
    process.once('exit', this.#killOnExit);
    this.#command.pipe(this.#output, { end: true });
  }

  /**
   * Yields the events of the whole run, once. Ends silently after `close()`.
   * @throws {Failure} when the run fails, after the good part has been yielded.
   */
  async *events(): AsyncGenerator<FragmentedMp4Event> {
    const reader = new FragmentedMp4Reader();
    const chunks = this.#output[Symbol.asyncIterator]();
    try {
      while (true) {
        const chunk = await this.#watched(chunks.next()).catch((error: unknown) => {
          // `close` destroys the stream while a read is pending.
          if (this.#stopping) return undefined;
          throw error;
        });
        if (chunk === undefined || chunk.done === true || this.#stopping) break;
        const events = reader.push(chunk.value as Uint8Array);
        if (!events.ok) throw new Failure(`${this.#options.name}: ffmpeg's output is damaged: ${events.malformed}`);
        yield* events.value;
      }
      if (this.#stopping) return;
      const complained = await this.#watched(this.#ended);
      if (complained !== undefined) throw new Failure(`${this.#options.name}: ffmpeg failed: ${complained}`);
    } finally {
      await this.close();
    }
  }

  /** Stops ffmpeg if it is running, and resolves after its exit. Idempotent. */
  async close(): Promise<void> {
    this.#stopping = true;
    this.#kill();
    this.#output.resume();
    await within(EXIT_MS_MAX, this.#ended);
    this.#output.destroy();
    process.off('exit', this.#killOnExit);
  }

  #kill(): void {
    // Before the start there is no process, and fluent-ffmpeg would discard the request.
    if (this.#started) this.#command.kill('SIGKILL');
  }

  async #watched<Result>(result: Promise<Result>): Promise<Result> {
    const { live, silence } = this.#options;
    const own = silence && (this.#hasOutput ? silence.laterMs : silence.beginningMs);
    const silenceMsMax = own ?? live?.silenceMsMax ?? SILENCE_MS_MAX;
    const outcome = await within(silenceMsMax, result);
    if (outcome !== undefined) {
      this.#hasOutput = true;
      return outcome.value;
    }
    throw new Failure(
      `${this.#options.name}: timeout: ffmpeg produced no output for ${silenceMsMax / 1000} s and was stopped`,
    );
  }
}

/** Returns the input in ffmpeg's syntax: a name, or a graph of the lavfi device. */
export function ffmpegInput(input: string | TestPattern): string {
  if (typeof input === 'string') return input;
  const { width, height, framesPerSecond, durationSeconds } = input;
  const duration = durationSeconds === undefined ? '' : `:duration=${durationSeconds}`;
  return `testsrc2=size=${width}x${height}:rate=${framesPerSecond}${duration}`;
}

/** True when pictures before the place are decoded and dropped: without timestamps, and in a pattern, nothing can be searched. */
export const skipsByCount = ({
  input,
  mode,
  evenTimes,
}: Pick<EncoderOptions, 'input' | 'mode' | 'evenTimes'>): boolean =>
  mode === 'x264' && (evenTimes === true || typeof input !== 'string');

/** Formats and codecs are passed as plain options: fluent-ffmpeg's checks misread the lists of ffmpeg 7 and later. */
function inputOptions(encoder: EncoderOptions): string[] {
  const { input, mode, rawPictures, live, fromSeconds = 0 } = encoder;
  const options = ['-nostdin', '-hide_banner', '-loglevel', 'error'];
  if (typeof input === 'string') options.push(...(live?.options ?? inputGuard(input)));
  else options.push('-f', 'lavfi');
  if (rawPictures !== undefined) {
    const { width, height, framesPerSecond } = rawPictures;
    options.push('-f', 'rawvideo', '-pixel_format', 'yuv420p');
    options.push('-video_size', `${width}x${height}`, '-framerate', `${framesPerSecond}`);
  }
  if (fromSeconds > 0 && !skipsByCount(encoder)) options.push('-ss', fromSeconds.toFixed(3));
  // AVI and program streams may lack presentation timestamps.
  if (mode === 'copy') options.push('-fflags', '+genpts');
  return options;
}

function outputOptions(options: EncoderOptions): string[] {
  return [
    ...(options.renditions ? [] : ['-map', PICTURES]),
    ...['-an', '-sn', '-dn'],
    ...(options.mode === 'copy' ? ['-c:v', 'copy'] : encodingOptions(options)),
    // The timescale is the RTP clock, so timestamps are exact; one fragment per frame, so each frame leaves at once.
    ...['-video_track_timescale', '90000', '-movflags', 'frag_every_frame+empty_moov+default_base_moof'],
    ...['-flush_packets', '1', '-f', 'mp4'],
  ];
}

/** V instead of v excludes cover pictures. */
const PICTURES = '0:V:0';
const EVEN = 'scale=trunc(iw/2)*2:trunc(ih/2)*2';
/** Length of the buffer (VBV), seconds: it limits the burst of a key frame. That of renditions meets a path that is full. */
const BUFFER_SECONDS = 1 / 4;
const RENDITION_BUFFER_SECONDS = 1 / 8;

/** Encoder options of the reference measurements: low delay, no B-frames, one slice, parameter sets in the stream. */
function encodingOptions(options: EncoderOptions): string[] {
  const { ffmpeg, bitrate, gop, framesPerSecond, evenTimes, renditions, fromSeconds = 0 } = options;
  const skipped = skipsByCount(options) ? Math.round(fromSeconds * framesPerSecond) : 0;
  const times = [
    ...(skipped > 0 ? [`trim=start_frame=${skipped}`, 'setpts=PTS-STARTPTS'] : []),
    ...(evenTimes === true ? [`setpts=N/(${framesPerSecond}*TB)`] : []),
  ];
  return [
    ...(renditions ? renditionFilters(renditions.encodings, times) : ['-filter:v', [...times, EVEN].join(',')]),
    ...[knowsFrameRateMode(ffmpeg.version) ? '-fps_mode' : '-vsync', 'passthrough'],
    // By default the encoder's time base is the frame rate, and a variable rate is rounded to it.
    ...['-enc_time_base', '1:90000'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      renditions?.preset ?? 'veryfast',
      '-tune',
      'zerolatency',
      '-profile:v',
      'baseline',
    ],
    ...['-pix_fmt', 'yuv420p', '-bf', '0', '-g', `${gop}`, '-keyint_min', `${gop}`, '-sc_threshold', '0'],
    ...(renditions?.encodings.flatMap((each, index) =>
      rateOptions(each.bitrate, RENDITION_BUFFER_SECONDS, `:v:${index}`),
    ) ?? rateOptions(bitrate, BUFFER_SECONDS)),
    // force-cfr=0 undoes a part of zerolatency: rate control must follow the timestamps, not the frame count.
    ...['-x264-params', 'repeat-headers=1:aud=1:sliced-threads=0:slices=1:force-cfr=0'],
    // x264 writes the encoder's clock, 90,000 frames per second, into the stream. A frame is two ticks (H.264 §E.2.1).
    ...['-bsf:v', `h264_metadata=tick_rate=${Math.round(2000 * framesPerSecond)}/1000`],
  ];
}

function rateOptions(bitrate: number, bufferSeconds: number, stream = ''): string[] {
  // The options for the bit rate and the buffer name the kind of stream themselves.
  const [rate, buffer] = [`${Math.round(bitrate)}`, `${Math.round(bitrate * bufferSeconds)}`];
  return [`-b${stream === '' ? ':v' : stream}`, rate, `-maxrate${stream}`, rate, `-bufsize${stream}`, buffer];
}

/** One decoder for all renditions. */
function renditionFilters(encodings: readonly RenditionEncoding[], times: readonly string[]): string[] {
  const copies = encodings.map((_, index) => `[copy${index}]`);
  const begin = `[${PICTURES}]${[...times, `split=${encodings.length}`].join(',')}${copies.join('')}`;
  const scaled = encodings.map(({ size }, index) => {
    return `${copies[index]}scale=${size.width}:${size.height}:flags=bilinear[rendition${index}]`;
  });
  const maps = encodings.flatMap((_, index) => ['-map', `[rendition${index}]`]);
  return ['-filter_complex', [begin, ...scaled].join(';'), ...maps];
}

/**
 * Returns the cause in ffmpeg's error output: its last line before the lines about its own state, without `[demuxer @
 * address]` and without the name of the input, which the caller adds.
 * @param input name to strip; `''`: none.
 */
export function complaint(errorOutput: string | null, input: string): string | undefined {
  const refused = NOT_A_VIDEO_FILE.exec(errorOutput ?? '')?.[1];
  if (refused !== undefined) return `a ${refused} file, which names other files: name the video itself`;
  const line = (errorOutput ?? '')
    .split(/[\r\n]+/)
    .map((text) => text.replace(/^(\[[^\]]*\]\s*)+/, '').trim())
    .filter((text) => text !== '' && !AFTERMATH.test(text))
    .at(-1);
  return line
    ?.replace('Error opening input: ', '')
    .replace(input === '' ? '' : `${input}: `, '')
    .replace(/[.\s]+$/, '');
}

/** Error message about a format that `inputGuard` does not allow. */
const NOT_A_VIDEO_FILE = /^\[([\w,]+) @ \w+\] Format not on whitelist/m;

/** Lines after the cause in ffmpeg's error output, and its usage text, which it prints when `probe` names no output. */
const AFTERMATH =
  /^(At least one output file must|Use -h to get|Usage:|Hyper fast|Conversion failed|Error (while )?(initializing|opening (input|output) file|opening output|processing|submitting|sending|during)|Terminating|Task finished|Nothing was written|Exiting)/;
