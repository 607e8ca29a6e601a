import { extname } from 'node:path';
import type { EncoderOptions, TestPattern } from '../ffmpeg/encoder.ts';
import { type Ffmpeg, locateFfmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { probe } from '../ffmpeg/ffmpeg-probe.ts';
import { Failure } from '../os/failure.ts';
import { annexBNalUnits, isAnnexB } from './annex-b-file.ts';
import { type ContainerEnd, type ContainerFile, examineContainer } from './container-file.ts';
import { openEncoded } from './encoded.ts';
import { EntryGate } from './entry-gate.ts';
import { examineInput, RAW_H264 } from './input-file.ts';
import type { MediaSource } from './media-source.ts';
import { type RawPictures, rawPicturesOf } from './raw-pictures.ts';
import { type SampleTrack, sampleUnits } from './sample-units.ts';
import { parseTestPattern } from './test-pattern.ts';
import { NoEntry, type Recipe, UnitSource, type UnitStream } from './unit-source.ts';
import { untimedUnits } from './untimed-units.ts';

export interface MediaSourceOptions {
  /** `auto`: as it is, where it is H.264 from which a live stream can be made, and encoded anew otherwise. */
  readonly encode: 'auto' | 'copy' | 'x264';
  /** Bit/s; where it encodes. */
  readonly bitrate: number;
  /** Frames from keyframe to keyframe; where it encodes. */
  readonly gop: number;
  /** The ffmpeg to use; found by itself otherwise, and only where one is needed. */
  readonly ffmpeg?: string | undefined;
  /** For raw H.264, and raw pictures, that do not say. */
  readonly framesPerSecond?: number | undefined;
  /** What the user should know although it works. */
  warn(message: string): void;
}

/** Where nothing says how fast it is: what raw H.264 is taken for elsewhere. */
const FRAMES_PER_SECOND_DEFAULT = 25;

/**
 * Opens a file, a URL or `testsrc` (see `parseTestPattern`). When it resolves, the first access unit is there: what
 * can't be streamed fails here, in one line, and not later.
 */
export async function openMediaSource(input: string, options: MediaSourceOptions): Promise<MediaSource> {
  const pattern = parseTestPattern(input);
  if (pattern !== undefined) return openPattern(input, pattern, options);
  const found = await examineInput(input);
  if (found.kind === 'other') return openThroughFfmpeg(input, input, options);
  const pictures = rawPicturesOf(input, found.bytes, options.framesPerSecond);
  if (pictures !== undefined) return openRawPictures(input, pictures, found.bytes, options);
  if (isAnnexB(found.head)) return openAnnexB(input, options);
  if (RAW_H264.includes(extname(input).toLowerCase())) {
    throw new Failure(`${input} holds no H.264 byte stream, whatever its name says`);
  }
  return openContainer(input, options);
}

function openPattern(input: string, pattern: TestPattern, options: MediaSourceOptions): Promise<MediaSource> {
  if (options.encode === 'copy') throw new Failure(`${input} is drawn by ffmpeg and must be encoded: --encode x264`, 2);
  const { framesPerSecond, durationSeconds } = pattern;
  return openEncoding(input, { source: pattern, framesPerSecond, durationSeconds }, options);
}

function openRawPictures(
  input: string,
  rawPictures: RawPictures,
  bytes: number,
  options: MediaSourceOptions,
): Promise<MediaSource> {
  if (options.encode === 'copy') throw new Failure(`${input} holds raw pictures, to be encoded: --encode x264`, 2);
  const { width, height, framesPerSecond } = rawPictures;
  const durationSeconds = bytes / (width * height * 1.5) / framesPerSecond;
  return openEncoding(input, { source: localFile(input), rawPictures, framesPerSecond, durationSeconds }, options);
}

async function openAnnexB(input: string, options: MediaSourceOptions): Promise<MediaSource> {
  const framesPerSecond = options.framesPerSecond ?? FRAMES_PER_SECOND_DEFAULT;
  const encoding = { source: localFile(input), framesPerSecond, durationSeconds: undefined, evenTimes: true };
  if (options.encode === 'x264') return openEncoding(input, encoding, options);
  const recipe: Recipe = {
    name: input,
    mode: 'copy',
    framesPerSecond: undefined,
    assumedFramesPerSecond: framesPerSecond,
    durationSeconds: undefined,
    open: () => {
      const gate = new EntryGate();
      return { gate, units: untimedUnits(annexBNalUnits(input), gate, framesPerSecond), close: async () => {} };
    },
  };
  return copyOrEncode(input, recipe, encoding, options);
}

async function openContainer(input: string, options: MediaSourceOptions): Promise<MediaSource> {
  const finding = await examineContainer(input);
  switch (finding.kind) {
    case 'h264': {
      const { framesPerSecond = FRAMES_PER_SECOND_DEFAULT, durationSeconds } = finding.file;
      const encoding = { source: localFile(input), framesPerSecond, durationSeconds };
      if (options.encode === 'x264') return openEncoding(input, encoding, options);
      if (finding.file.rotation !== 0) {
        const turn = `${finding.file.rotation}°, which a copied stream does not carry; --encode x264 turns them`;
        options.warn(`${input}: its pictures are to be turned by ${turn}`);
      }
      return copyOrEncode(input, containerRecipe(input, finding.file, options), encoding, options);
    }
    case 'no-video':
      // Without an index an MP4 file is an opaque heap of bytes, for ffmpeg too.
      if (finding.tracks === 0 && /^(MP4|QuickTime)/.test(finding.format)) {
        throw new Failure(`${input} has no index (moov box), or a damaged one: the file was cut, or never finished`);
      }
      return openThroughFfmpeg(input, localFile(input), options);
    case 'other-codec':
    case 'unknown':
      return openThroughFfmpeg(input, localFile(input), options);
    default:
      return finding satisfies never;
  }
}

function containerRecipe(input: string, file: ContainerFile, options: MediaSourceOptions): Recipe {
  return {
    name: input,
    mode: 'copy',
    framesPerSecond: file.framesPerSecond,
    durationSeconds: file.durationSeconds,
    open: () => {
      const gate = new EntryGate();
      const track = file.open((end) => reportEnd(input, file, end, gate, options));
      return { gate, units: sampleUnits(track, gate), close: async () => {} };
    },
  };
}

/** A file that stops short streams as far as it goes, and says so. */
function reportEnd(
  input: string,
  { durationSeconds, framesPerSecond = FRAMES_PER_SECOND_DEFAULT }: ContainerFile,
  { seconds, complaint, damagedSamples, wasRead }: ContainerEnd,
  gate: EntryGate,
  { warn }: MediaSourceOptions,
): void {
  if (!gate.isOpen || !wasRead) return;
  if (damagedSamples > 0) warn(`${input}: ${damagedSamples} pictures are damaged; what is whole of them is streamed`);
  const missing = (durationSeconds ?? 0) - seconds;
  const reason = complaint === undefined ? 'the file is cut' : complaint;
  // A frame and a half: durations in headers are rounded.
  if (complaint !== undefined || missing > 0.5 + 1.5 / framesPerSecond) {
    const whole = durationSeconds === undefined ? '' : ` of ${durationSeconds.toFixed(1)} s`;
    warn(`${input}: the pictures end after ${seconds.toFixed(1)} s${whole}: ${reason}`);
  }
}

/** What no one of ours reads. */
async function openThroughFfmpeg(input: string, source: string, options: MediaSourceOptions): Promise<MediaSource> {
  const ffmpeg = await ffmpegFor(input, options);
  const found = await probe(ffmpeg, source);
  if (found.complaint !== undefined) {
    throw new Failure(`${input} is no video that dropframe or ffmpeg can read: ${found.complaint}`);
  }
  if (found.video === undefined) {
    throw new Failure(`${input} holds no video${found.hasAudio ? ', only audio' : ''}`);
  }
  const { codec, framesPerSecond = FRAMES_PER_SECOND_DEFAULT } = found.video;
  const encoding = { source, framesPerSecond, durationSeconds: found.durationSeconds };
  if (options.encode === 'x264') return openEncoding(input, encoding, options);
  if (codec !== 'h264') {
    if (options.encode === 'auto') return openEncoding(input, encoding, options);
    throw new Failure(`${input} holds ${codec}, and only H.264 can be copied: use --encode auto or --encode x264`);
  }
  const copying = { ...encoding, hasTimes: found.hasPresentationTimes };
  return copyOrEncode(input, await ffmpegRecipe(input, copying, 'copy', options), encoding, options);
}

/** What to encode, as far as it is known before ffmpeg runs. */
interface Encoding {
  readonly source: string | TestPattern;
  readonly rawPictures?: RawPictures;
  readonly framesPerSecond: number;
  readonly durationSeconds: number | undefined;
  /** Times are counted by frames: the input has none. */
  readonly evenTimes?: boolean;
  /** False: what ffmpeg copies has decode times only, and goes by its picture order. */
  readonly hasTimes?: boolean;
}

/** Copies; where no live stream can be made of the H.264 there is, `auto` encodes and `copy` fails. */
async function copyOrEncode(
  input: string,
  recipe: Recipe,
  encoding: Encoding,
  options: MediaSourceOptions,
): Promise<MediaSource> {
  try {
    return await UnitSource.open(recipe, options.warn);
  } catch (error) {
    if (!(error instanceof NoEntry)) throw error;
    const failure = new Failure(`${input}: ${error.message}`);
    // What no decoder can start with, no encoder gets to see.
    if (options.encode === 'copy' || error.gate.cause === 'no parameter sets') throw failure;
    try {
      const encoded = await openEncoding(input, encoding, options);
      options.warn(`${input}: ${error.message}; encoding it anew`);
      return encoded;
    } catch (second) {
      const isMissing = second instanceof Failure && second.exitCode === 3;
      throw isMissing
        ? new Failure(`${failure.message}; encoding it would need ffmpeg: ${second.message}`, 3)
        : failure;
    }
  }
}

async function openEncoding(input: string, encoding: Encoding, options: MediaSourceOptions): Promise<MediaSource> {
  try {
    return await UnitSource.open(await ffmpegRecipe(input, encoding, 'x264', options), options.warn);
  } catch (error) {
    if (error instanceof NoEntry) throw new Failure(`${input}: ffmpeg gave no picture`);
    throw error;
  }
}

async function ffmpegRecipe(
  input: string,
  { source, rawPictures, framesPerSecond, durationSeconds, evenTimes = false, hasTimes = true }: Encoding,
  mode: 'copy' | 'x264',
  options: MediaSourceOptions,
): Promise<Recipe> {
  const ffmpeg = await ffmpegFor(input, options);
  const { bitrate, gop } = options;
  const pace = { bitrate, gop, framesPerSecond, evenTimes };
  const run: EncoderOptions = { ffmpeg, input: source, rawPictures, name: input, mode, ...pace };
  return {
    name: input,
    mode,
    framesPerSecond: hasTimes ? framesPerSecond : undefined,
    assumedFramesPerSecond: framesPerSecond,
    durationSeconds,
    open: (): UnitStream => {
      const gate = new EntryGate();
      const encoded = openEncoded(run);
      const units = (async function* () {
        const track = await encoded.track;
        yield* hasTimes ? sampleUnits(track, gate) : untimedUnits(nalUnitsOf(track), gate, framesPerSecond);
      })();
      return { gate, units, close: () => encoded.close() };
    },
  };
}

async function* nalUnitsOf({ parameterSets, samples }: SampleTrack): AsyncGenerator<readonly Uint8Array[]> {
  yield parameterSets;
  for await (const sample of samples) yield sample.parts;
}

async function ffmpegFor(input: string, { ffmpeg, warn }: MediaSourceOptions): Promise<Ffmpeg> {
  const found = await locateFfmpeg({ explicit: ffmpeg }).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`${input} needs ffmpeg, and ${error.message}`, error.exitCode);
  });
  for (const warning of found.warnings) warn(warning);
  return found;
}

/** Keeps ffmpeg from taking a name with a colon or a percent sign for something cleverer than a file. */
function localFile(path: string): string {
  return `file:${path}`;
}
