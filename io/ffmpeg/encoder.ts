import { PassThrough } from 'node:stream';
import ffmpegCommand, { type FfmpegCommand } from 'fluent-ffmpeg';
import { type FragmentedMp4Event, FragmentedMp4Reader } from '../mp4/fragmented-mp4-reader.ts';
import { Failure } from '../os/failure.ts';
import { within } from '../os/time-limit.ts';
import type { RawPictures } from '../sources/raw-pictures.ts';
import { type Ffmpeg, knowsFrameRateMode, remedy } from './ffmpeg-locator.ts';
import { inputGuard } from './input-guard.ts';

/** The pictures that ffmpeg draws itself; endless without `durationSeconds`. */
export interface TestPattern {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly durationSeconds: number | undefined;
}

export interface EncoderOptions {
  readonly ffmpeg: Ffmpeg;
  /** A file or URL as ffmpeg understands it, or pictures of its own. */
  readonly input: string | TestPattern;
  /** Of an input that is pictures and nothing else. */
  readonly rawPictures?: RawPictures | undefined;
  /** What failures call the input. */
  readonly name: string;
  /** `x264` encodes; `copy` takes H.264 out of a container that we don't read ourselves. */
  readonly mode: 'x264' | 'copy';
  /** Bit/s, at most; used by `x264`. */
  readonly bitrate: number;
  /** Frames from one keyframe to the next; used by `x264`. */
  readonly gop: number;
  /** What the sequence parameter set says of the frame rate, 1/s: a player of the raw stream goes by it. */
  readonly framesPerSecond: number;
  /**
   * Gives the frames even times at `framesPerSecond`, for inputs that have no times. Otherwise the input's timestamps
   * pass through, and no frame is doubled or dropped for a constant rate's sake.
   */
  readonly evenTimes?: boolean;
}

/** How long ffmpeg may be silent while we wait for it: far above what a slow disk or a camera's start takes. */
const SILENCE_MS_MAX = 30_000;
/** After SIGKILL only the kernel is left to wait for. */
const EXIT_MS_MAX = 5_000;
/** What waits here for a slow consumer; beyond it ffmpeg's pipe fills up and ffmpeg stands still. */
const QUEUE_BYTES = 256 * 1024;

/**
 * One run of ffmpeg, through fluent-ffmpeg. The pictures come through its pipe in fragmented MP4 and not as a raw
 * stream, since that is what keeps their timestamps. Pull-driven: ffmpeg stands still while nobody reads.
 */
export class Encoder {
  readonly #options: EncoderOptions;
  readonly #command: FfmpegCommand;
  /** Not destroyed at its end: fluent-ffmpeg takes that for an abort and reports an error 20 ms later. */
  readonly #output = new PassThrough({ highWaterMark: QUEUE_BYTES, autoDestroy: false });
  /** Settles when ffmpeg is gone: `undefined`, or what it complained about. */
  readonly #ended: Promise<string | undefined>;
  readonly #killOnExit = (): void => this.#kill();
  #started = false;
  #stopping = false;

  constructor(options: EncoderOptions) {
    if (options.mode === 'x264' && !options.ffmpeg.libx264) {
      throw new Failure(`${options.ffmpeg.path} has no libx264, which encoding needs: ${remedy()}`, 3);
    }
    this.#options = options;
    this.#command = ffmpegCommand(source(options.input))
      .inputOptions(inputOptions(options))
      .outputOptions(outputOptions(options));
    ffmpegCommand.setFfmpegPath(options.ffmpeg.path);
    this.#ended = new Promise((resolve) => {
      this.#command.on('end', () => resolve(undefined));
      this.#command.on('error', (error: Error, _stdout: string | null, stderr: string | null) => {
        // On an error fluent-ffmpeg leaves the stream open for ever. What ffmpeg gave before is still in it.
        this.#output.end();
        resolve(complaint(stderr, source(options.input)) ?? error.message);
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
   * Everything ffmpeg gives, once. It ends in silence after `close()`; a run that breaks off throws a `Failure`, after
   * the good part has been handed out.
   */
  async *events(): AsyncGenerator<FragmentedMp4Event> {
    const reader = new FragmentedMp4Reader();
    const chunks = this.#output[Symbol.asyncIterator]();
    try {
      while (true) {
        const chunk = await this.#watched(chunks.next()).catch((error: unknown) => {
          // `close` destroys the stream under a read that is still waiting.
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
      if (complained !== undefined) throw new Failure(`${this.#options.name}: ffmpeg stopped: ${complained}`);
    } finally {
      await this.close();
    }
  }

  /** Ends ffmpeg, if it still runs, and resolves when it is gone. May be called twice. */
  async close(): Promise<void> {
    this.#stopping = true;
    this.#kill();
    this.#output.resume();
    await within(EXIT_MS_MAX, this.#ended);
    this.#output.destroy();
    process.off('exit', this.#killOnExit);
  }

  #kill(): void {
    // Before its start there is nothing to kill, and fluent-ffmpeg would forget the request.
    if (this.#started) this.#command.kill('SIGKILL');
  }

  async #watched<Result>(result: Promise<Result>): Promise<Result> {
    const outcome = await within(SILENCE_MS_MAX, result);
    if (outcome !== undefined) return outcome.value;
    throw new Failure(`${this.#options.name}: ffmpeg gave nothing for ${SILENCE_MS_MAX / 1000} s and was stopped`);
  }
}

function source(input: string | TestPattern): string {
  if (typeof input === 'string') return input;
  const { width, height, framesPerSecond, durationSeconds } = input;
  const duration = durationSeconds === undefined ? '' : `:duration=${durationSeconds}`;
  return `testsrc2=size=${width}x${height}:rate=${framesPerSecond}${duration}`;
}

/** Formats and codecs go in as plain options: fluent-ffmpeg's own checks misread the lists of ffmpeg 7 and later. */
function inputOptions({ input, mode, rawPictures }: EncoderOptions): string[] {
  const options = ['-nostdin', '-hide_banner', '-loglevel', 'error'];
  if (typeof input === 'string') options.push(...inputGuard(input));
  else options.push('-f', 'lavfi');
  if (rawPictures !== undefined) {
    const { width, height, framesPerSecond } = rawPictures;
    options.push('-f', 'rawvideo', '-pixel_format', 'yuv420p');
    options.push('-video_size', `${width}x${height}`, '-framerate', `${framesPerSecond}`);
  }
  // AVI and program streams may leave presentation times out.
  if (mode === 'copy') options.push('-fflags', '+genpts');
  return options;
}

function outputOptions(options: EncoderOptions): string[] {
  return [
    // V, not v: a cover picture is no video.
    ...['-map', '0:V:0', '-an', '-sn', '-dn'],
    ...(options.mode === 'copy' ? ['-c:v', 'copy'] : encodingOptions(options)),
    // The timescale is the RTP clock, so timestamps are exact; a fragment a frame, so each leaves at once.
    ...['-video_track_timescale', '90000', '-movflags', 'frag_every_frame+empty_moov+default_base_moof'],
    ...['-flush_packets', '1', '-f', 'mp4'],
  ];
}

/** The command line of the reference measurements: low delay, no B-frames, one slice, parameter sets in the stream. */
function encodingOptions({ ffmpeg, bitrate, gop, framesPerSecond, evenTimes }: EncoderOptions): string[] {
  const even = 'scale=trunc(iw/2)*2:trunc(ih/2)*2';
  const times = evenTimes === true ? [`setpts=N/(${framesPerSecond}*TB)`] : [];
  return [
    ...['-filter:v', [...times, even].join(',')],
    ...[knowsFrameRateMode(ffmpeg.version) ? '-fps_mode' : '-vsync', 'passthrough'],
    // Otherwise the encoder's clock is the frame rate, and a variable one is rounded to it.
    ...['-enc_time_base', '1:90000'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'baseline'],
    ...['-pix_fmt', 'yuv420p', '-bf', '0', '-g', `${gop}`, '-keyint_min', `${gop}`, '-sc_threshold', '0'],
    // A quarter of a second of buffer keeps a keyframe's burst small.
    ...['-b:v', `${bitrate}`, '-maxrate', `${bitrate}`, '-bufsize', `${Math.round(bitrate / 4)}`],
    // force-cfr=0 undoes a part of zerolatency: the rate is to be held by the timestamps, not by counting frames.
    ...['-x264-params', 'repeat-headers=1:aud=1:sliced-threads=0:slices=1:force-cfr=0'],
    // x264 then names the encoder's clock, 90,000 frames a second. A frame is two ticks (H.264 §E.2.1).
    ...['-bsf:v', `h264_metadata=tick_rate=${Math.round(2000 * framesPerSecond)}/1000`],
  ];
}

/**
 * What ffmpeg's error output names as the cause: its last line, without what it then says of its own state, without
 * `[demuxer @ address]` and without the input's name (`''`: there is none), which the caller gives in its own words.
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

/** Complaint about a format that `inputGuard` does not allow. */
const NOT_A_VIDEO_FILE = /^\[([\w,]+) @ \w+\] Format not on whitelist/m;

/** What ffmpeg says behind the cause. */
const AFTERMATH =
  /^(Conversion failed|Error (while )?(initializing|opening (input|output) file|opening output|processing|submitting|sending|during)|Terminating|Task finished|Nothing was written|Exiting)/;
