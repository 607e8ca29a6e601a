import type { AvLibrary } from '../io/encoder/av-library.ts';
import { PictureFilter } from '../io/encoder/picture-filter.ts';
import { RateCorrection } from '../io/encoder/rate-correction.ts';
import { type PictureSize, ResolutionSteps, sizesOf } from '../io/encoder/resolution-steps.ts';
import { X264Encoder } from '../io/encoder/x264-encoder.ts';
import type { OpenCellSource, SourceGuide } from '../lab/cell-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { instant, ticks, ticksToMicroseconds } from '../protocol/base/units.ts';
import { splitAnnexB } from '../protocol/codec/nal/annex-b.ts';
import type { FilmPictures } from './film-pictures.ts';

/** Frames per second of all streams, whatever the film's own rate. */
export const FRAMES_PER_SECOND = 30;
const TICKS = 90_000 / FRAMES_PER_SECOND;
const INTERVAL_SECONDS = 1 / FRAMES_PER_SECOND;
const PRESET = 'veryfast';
/** Buffer (VBV) of `send --bitrate`, seconds. */
const CONSTANT_BUFFER_SECONDS = 0.25;

/** A stream whose units are kept, to be decoded afterwards. */
export interface EncodedFilm {
  readonly units: readonly AccessUnit[];
  /** Similarity of the pictures with the film, by row, as far as it is known. */
  readonly inTime: Map<number, number>;
}

/**
 * x264 in the loop of a simulation, on the virtual clock: bit rate, size and key frames follow the guide as in
 * `io/encoder/`. There is an open encoder of each size, because opening one cannot wait within a simulation; a change of
 * size begins with a key frame, as it does there.
 */
export class GuidedFilm implements EncodedFilm {
  readonly units: AccessUnit[] = [];
  readonly inTime = new Map<number, number>();
  readonly #film: FilmPictures;
  readonly #filter: PictureFilter;
  readonly #steps: ResolutionSteps;
  readonly #encoders: ReadonlyMap<string, X264Encoder>;
  readonly #range: { readonly bitrateMin: number; readonly bitrateMax: number };
  #size: PictureSize | undefined;

  static async open(
    av: AvLibrary,
    film: FilmPictures,
    range: { readonly bitrateMin: number; readonly bitrateMax: number },
  ): Promise<GuidedFilm> {
    const encoders = new Map<string, X264Encoder>();
    const correction = new RateCorrection();
    for (const size of sizesOf(film.size)) {
      encoders.set(keyOf(size), await openEncoder(av, film, { size, correction, bitrate: range.bitrateMax }));
    }
    return new GuidedFilm(av, film, range, encoders);
  }

  private constructor(
    av: AvLibrary,
    film: FilmPictures,
    range: { readonly bitrateMin: number; readonly bitrateMax: number },
    encoders: ReadonlyMap<string, X264Encoder>,
  ) {
    this.#film = film;
    this.#range = range;
    this.#encoders = encoders;
    this.#filter = new PictureFilter(av, 0);
    this.#steps = new ResolutionSteps(film.size, FRAMES_PER_SECOND);
  }

  /** Pictures for a strategy. @param frames length of the stream. */
  source(frames: number, guide: SourceGuide): OpenCellSource {
    const nextTimestamp = () => (this.units.length < frames ? this.units.length * TICKS : undefined);
    return { nextTimestamp, next: () => (this.units.length < frames ? this.#next(guide) : undefined) };
  }

  close(): void {
    for (const encoder of this.#encoders.values()) encoder.close();
    this.#filter.close();
  }

  #next(guide: SourceGuide): AccessUnit {
    const { bitrateMin, bitrateMax } = this.#range;
    const bitrate = Math.min(bitrateMax, Math.max(bitrateMin, guide.targetBitrate ?? bitrateMax));
    const frame = this.units.length;
    if (frame === 0) this.#steps.begin(bitrate);
    else this.#steps.update(instant(ticksToMicroseconds(ticks(frame * TICKS))), bitrate);
    const { size } = this.#steps;
    const isNewSize = size !== this.#size;
    this.#size = size;
    const isKeyRequested = guide.takeKeyFrameRequest?.() ?? false;
    const unit = encode(this.#encoders.get(keyOf(size))!, this.#filter.apply(this.#film.at(frame), size), {
      frame,
      bitrate,
      isKey: isKeyRequested || isNewSize,
    });
    this.units.push(unit);
    return unit;
  }
}

/** Encodes a film at one bit rate, in the size that the encoder in the loop gives that rate. */
export async function encodeConstant(
  av: AvLibrary,
  film: FilmPictures,
  { bitrate, keyInterval, frames }: { readonly bitrate: number; readonly keyInterval: number; readonly frames: number },
): Promise<EncodedFilm> {
  const steps = new ResolutionSteps(film.size, FRAMES_PER_SECOND);
  steps.begin(bitrate);
  const { size } = steps;
  const constant = { keyInterval, bufferSeconds: CONSTANT_BUFFER_SECONDS };
  const encoder = await openEncoder(av, film, { size, correction: new RateCorrection(), bitrate, constant });
  const filter = new PictureFilter(av, 0);
  const units: AccessUnit[] = [];
  for (let frame = 0; frame < frames; frame++) {
    units.push(encode(encoder, filter.apply(film.at(frame), size), { frame, bitrate, isKey: false }));
  }
  encoder.close();
  filter.close();
  return { units, inTime: new Map() };
}

const keyOf = ({ width, height }: PictureSize): string => `${width}x${height}`;

function openEncoder(
  av: AvLibrary,
  film: FilmPictures,
  options: {
    readonly size: PictureSize;
    readonly correction: RateCorrection;
    readonly bitrate: number;
    readonly constant?: { readonly keyInterval: number; readonly bufferSeconds: number };
  },
): Promise<X264Encoder> {
  const { size, correction, bitrate, constant = { keyInterval: undefined, bufferSeconds: undefined } } = options;
  const picture = { preset: PRESET, size, framesPerSecond: FRAMES_PER_SECOND, like: film.at(0) };
  return X264Encoder.open(av, { ...picture, ...constant }, bitrate, correction);
}

function encode(
  encoder: X264Encoder,
  picture: Parameters<X264Encoder['encode']>[0],
  { frame, bitrate, isKey }: { readonly frame: number; readonly bitrate: number; readonly isKey: boolean },
): AccessUnit {
  const { bytes, keyFrame } = encoder.encode(picture, bitrate, INTERVAL_SECONDS, isKey);
  const timestamp = ticks(frame * TICKS);
  const parts = splitAnnexB(new Uint8Array(bytes));
  return { parts, timestamp, decodeTimestamp: timestamp, importance: keyFrame ? 'key' : 'reference' };
}
