import { CLOCK_RATE } from '../../protocol/base/units.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { frameStreamOf } from '../../protocol/codec/frame-streams.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import { loadAvLibrary } from '../encoder/av-library.ts';
import type { PictureSize } from '../encoder/resolution-steps.ts';
import { type EncoderOptions, ffmpegInput, type LiveReading, type TestPattern } from '../ffmpeg/encoder.ts';
import { type Ffmpeg, locateFfmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { probe } from '../ffmpeg/ffmpeg-probe.ts';
import { inputGuardOptions } from '../ffmpeg/input-guard.ts';
import { Failure } from '../os/failure.ts';
import { openEncoded } from './encoded.ts';
import { EncodingSource } from './encoding-source.ts';
import type { EntryGate } from './entry-gate.ts';
import type { OpenFallback } from './fallback-units.ts';
import { frameUnits } from './frame-units.ts';
import type { MediaSource } from './media-source.ts';
import type { PictureSourceOptions } from './picture-source-options.ts';
import type { RawPictures } from './raw-pictures.ts';
import type { Recipe, UnitStream } from './recipe.ts';
import { type RenditionPlan, renditionPlans } from './rendition-plan.ts';
import { RenditionSource } from './rendition-source.ts';
import { type SampleTrack, sampleUnits } from './sample-units.ts';
import { NoEntry, UnitSource } from './unit-source.ts';
import { untimedUnits } from './untimed-units.ts';

/** Codec of the encoder. */
export const ENCODED: CodecName = 'h264';
/** Time without a picture after which an encoder that is read ahead counts as hung, milliseconds: a camera may start slowly. */
const SILENCE_MS_MAX = 30_000;
/** Buffer (VBV) of an encoder with a fixed rate, seconds: it limits the burst of a key frame. */
const BUFFER_SECONDS = 0.25;

/** Input of the encoder, as far as it is known before ffmpeg runs. */
export interface Encoding {
  readonly source: string | TestPattern;
  readonly rawPictures?: RawPictures;
  readonly framesPerSecond: number;
  /** False: the rate is a guess. */
  readonly isRateKnown?: boolean;
  readonly durationSeconds: number | undefined;
  /** True when the input has no timestamps: frames are spaced evenly. */
  readonly evenTimes?: boolean;
  /** Codec of a copied stream; an encoded one is H.264. */
  readonly codecName?: CodecName | undefined;
  /** False when the copied stream has decode times only, so that picture order determines presentation. */
  readonly hasTimes?: boolean;
  /** Rotation of a copied stream; an encoded one is upright. */
  readonly rotation?: Rotation | undefined;
  /** Input that produces pictures by itself; the ffmpeg program reads it. */
  readonly live?: LiveReading | undefined;
}

/**
 * Encodes with `node-av` where it loads and no ffmpeg is named, and with the ffmpeg program otherwise: as renditions where
 * the user wants the source to follow the path, which takes several times the work.
 */
export async function openEncoding(
  input: string,
  encoding: Encoding,
  options: PictureSourceOptions,
  copy?: Recipe,
): Promise<MediaSource> {
  if (await canFollow(options)) return openLibraryEncoding(input, encoding, options, copy);
  const plans = await renditionPlansFor(input, encoding, options);
  if (plans) return openRenditions(input, encoding, options, { plans, copy });
  return openProgramEncoding(input, encoding, options);
}

/** True when the encoder that an encoded source would use can follow a path picture by picture. */
export async function canFollow({ ffmpeg }: PictureSourceOptions): Promise<boolean> {
  return ffmpeg === undefined && (await loadAvLibrary()) !== undefined;
}

function openLibraryEncoding(
  input: string,
  encoding: Encoding,
  options: PictureSourceOptions,
  copy: Recipe | undefined,
): Promise<MediaSource> {
  const { source, rawPictures, framesPerSecond, durationSeconds, evenTimes = false } = encoding;
  const { bitrate, gop, follow, startSeconds, warn } = options;
  return EncodingSource.open({
    name: input,
    order: {
      input: typeof source === 'string' ? { url: source } : { graph: ffmpegInput(source) },
      rawPictures,
      guard: typeof source === 'string' ? inputGuardOptions(source) : {},
      framesPerSecondDefault: framesPerSecond,
      evenTimes,
      keyInterval: follow ? follow.keyInterval : gop,
      bufferSeconds: follow ? undefined : BUFFER_SECONDS,
      adapts: follow !== undefined,
    },
    startSeconds,
    bitrate: follow ? Math.min(follow.bitrateMax, Math.max(follow.bitrateMin, bitrate)) : bitrate,
    range: follow && { min: follow.bitrateMin, max: follow.bitrateMax },
    durationSeconds,
    // Nobody waits for a picture of a source that is read ahead.
    host: follow ? {} : { pictureMsMax: SILENCE_MS_MAX },
    // ffmpeg goes on at once, whereas a copy waits for the next key frame of the film.
    fallbacks: [program(input, encoding, options), ...copies(copy, options)],
    warn,
  });
}

/** Renditions of an input, from the best picture to the least work; `undefined` when none are wanted or possible. */
async function renditionPlansFor(
  input: string,
  { source, rawPictures, framesPerSecond, live }: Encoding,
  options: PictureSourceOptions,
): Promise<readonly RenditionPlan[] | undefined> {
  const { follow } = options;
  if (!follow?.prefer || live) return undefined;
  const known = typeof source === 'string' ? rawPictures : source;
  const found = known ?? (await sizeOf(input, source as string, options));
  return found && renditionPlans(found, framesPerSecond, { min: follow.bitrateMin, max: follow.bitrateMax });
}

/** Size of the picture as it is shown; `undefined` when it cannot be found out. */
async function sizeOf(input: string, source: string, options: PictureSourceOptions): Promise<PictureSize | undefined> {
  const { video, complaint } = await probe(await ffmpegFor(input, options), source);
  if (complaint !== undefined) {
    options.warn(`${input}: the size of its pictures is not known (${complaint}), so it is encoded in one size only`);
  }
  const { size, rotation = 0 } = video ?? {};
  return size && rotation % 180 === 90 ? { width: size.height, height: size.width } : size;
}

async function openRenditions(
  input: string,
  encoding: Encoding,
  options: PictureSourceOptions,
  { plans, copy }: { readonly plans: readonly RenditionPlan[]; readonly copy: Recipe | undefined },
): Promise<MediaSource> {
  const { source, rawPictures, framesPerSecond, durationSeconds, evenTimes = false } = encoding;
  const { bitrate, warn } = options;
  const ffmpeg = await ffmpegFor(input, options);
  return RenditionSource.open({
    name: input,
    encoder: { ffmpeg, input: source, rawPictures, framesPerSecond, evenTimes },
    ...{ plans, bitrate, durationSeconds, warn, startSeconds: options.startSeconds },
    // ffmpeg has failed: a copy needs no encoder.
    fallbacks: [...copies(copy, options), program(input, encoding, options)],
  });
}

/** A fallback that encodes once with the ffmpeg program. */
function program(input: string, encoding: Encoding, options: PictureSourceOptions): OpenFallback {
  return async (fromSeconds, bitrate) => {
    const from = typeof encoding.source === 'string' ? fromSeconds : 0;
    return {
      source: await openProgramEncoding(input, encoding, { ...options, bitrate }, from),
      startSeconds: fromSeconds,
    };
  };
}

/** A fallback that copies, where the codec stays the same: a session keeps it. */
function copies(copy: Recipe | undefined, { warn }: PictureSourceOptions): OpenFallback[] {
  return copy?.codecName === ENCODED
    ? [async () => ({ source: await UnitSource.open(copy, warn), startSeconds: 0 })]
    : [];
}

async function openProgramEncoding(
  input: string,
  encoding: Encoding,
  options: PictureSourceOptions,
  fromSeconds?: number,
): Promise<MediaSource> {
  try {
    const recipe = await ffmpegRecipe(input, encoding, 'x264', options, fromSeconds);
    // A fallback goes on from its own place.
    return await UnitSource.open(recipe, options.warn, fromSeconds === undefined ? options.startSeconds : 0);
  } catch (error) {
    if (error instanceof NoEntry) throw new Failure(`${input}: ffmpeg produced no picture`);
    throw error;
  }
}

export async function ffmpegRecipe(
  input: string,
  encoding: Encoding,
  mode: 'copy' | 'x264',
  options: PictureSourceOptions,
  fromSeconds = 0,
): Promise<Recipe> {
  const { source, rawPictures, framesPerSecond, durationSeconds, rotation, live } = encoding;
  const { evenTimes = false, hasTimes = true, isRateKnown = true, codecName = ENCODED } = encoding;
  const codec = codecByName(codecName);
  const ffmpeg = await ffmpegFor(input, options);
  const { bitrate, gop } = options;
  const pace = { bitrate, gop, framesPerSecond, evenTimes };
  const run: EncoderOptions = { ffmpeg, input: source, rawPictures, name: input, mode, fromSeconds, live, ...pace };
  return {
    name: input,
    mode,
    codecName,
    // Where it is copied, the stream itself may know better than a guess.
    framesPerSecond: hasTimes && (isRateKnown || mode === 'x264') ? framesPerSecond : undefined,
    assumedFramesPerSecond: framesPerSecond,
    durationSeconds,
    rotation: mode === 'copy' ? rotation : undefined,
    open: (gate) => openRun(run, gate),
    // An encoder begins with any picture. Copied streams of ffmpeg are searched by reading them.
    ...(mode === 'x264' && {
      openAt: ({ at }, gate) => openRun({ ...run, fromSeconds: fromSeconds + at / CLOCK_RATE }, gate),
    }),
  };

  function openRun(options: EncoderOptions, gate: EntryGate): UnitStream {
    const encoded = openEncoded(options, codecName);
    const units = (async function* () {
      const track = await encoded.track;
      const format = frameStreamOf(codec);
      if (format) return yield* frameUnits(track, format, gate);
      yield* hasTimes ? sampleUnits(track, gate) : untimedUnits(partsOf(track), gate, { codec, framesPerSecond });
    })();
    return { gate, units, close: () => encoded.close() };
  }
}

async function* partsOf({ parameterSets, samples }: SampleTrack): AsyncGenerator<readonly Uint8Array[]> {
  yield parameterSets;
  for await (const sample of samples) yield sample.parts;
}

export async function ffmpegFor(input: string, { ffmpeg, warn }: PictureSourceOptions): Promise<Ffmpeg> {
  const found = await locateFfmpeg({ explicit: ffmpeg }).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`${input} requires ffmpeg: ${error.message}`, error.exitCode);
  });
  for (const warning of found.warnings) warn(warning);
  return found;
}
