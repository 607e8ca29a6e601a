import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { CLOCK_RATE } from '../protocol/base/units.ts';
import { SyntheticEncoder } from '../sim/synthetic-encoder.ts';
import { SyntheticRenditions } from '../sim/synthetic-renditions.ts';
import { type LiveFeedOptions, SyntheticStream } from '../sim/synthetic-stream.ts';
import { type PackedFiles, UNIT_FIELDS, unpackUnits } from './packed-units.ts';
import { type CellSound, soundLabelOf } from './sound/cell-sound.ts';
import type { Traces } from './traces.ts';

/** Description of a source, with everything that affects the result. */
export type CellSource = CellPictures & {
  /** Sound beside the pictures; absent without. */
  readonly sound?: CellSound;
};

/** Description of the pictures of a source. */
export type CellPictures =
  | {
      readonly kind: 'synthetic';
      readonly fps: number;
      readonly kbps: number;
      readonly keyInterval: number;
      readonly keyFrameRatio: number;
      readonly frames: number;
    }
  | {
      /** A synthetic encoder that follows the strategy's target. */
      readonly kind: 'adaptive';
      readonly fps: number;
      readonly kbpsMin: number;
      readonly kbpsMax: number;
      /** 0: key frames are made on request only. Otherwise the length of each group of pictures of renditions, frames. */
      readonly keyInterval: number;
      /** Number of encodes at fixed bit rates between which the target decides; absent: the bit rate follows frame by frame. */
      readonly renditions?: number;
      readonly frames: number;
    }
  | {
      readonly kind: 'file';
      /** File name without folder: the same file elsewhere is the same source. */
      readonly name: string;
      /** SHA-256 of the access units, with their times. */
      readonly sha256: string;
      readonly frames: number;
      readonly framesPerSecond: number;
      readonly bytes: number;
      /** Mean distance of key frames, frames. */
      readonly keyInterval: number;
    };

/** Contents of all files referred to by cells. */
export interface CellFiles {
  readonly media: PackedFiles;
  readonly traces: Traces;
}

export const NO_FILES: CellFiles = { media: new Map(), traces: new Map() };

/** Feedback from a strategy to an adaptive source. */
export interface SourceGuide {
  /** Target for the media, bits per second; `undefined` while unlimited. */
  readonly targetBitrate?: number | undefined;
  /** Returns true once for one or more requests for a key frame since the last call. */
  takeKeyFrameRequest?(): boolean;
}

/** A source, as `LiveFeed` takes it. */
export type OpenCellSource = Pick<LiveFeedOptions, 'next' | 'nextTimestamp'>;

/**
 * Opens a source.
 * @param files contents of file sources.
 * @param guide asked before each frame of an adaptive source, which otherwise has its highest bit rate.
 */
export function openCellSource(source: CellSource, files: PackedFiles, guide: SourceGuide = {}): OpenCellSource {
  switch (source.kind) {
    case 'file': {
      const packed = files.get(source.sha256);
      assert(packed !== undefined, 'the files of all cells must have been read');
      const units = unpackUnits(packed);
      return { next: () => units.next().value as AccessUnit | undefined };
    }
    case 'synthetic': {
      const { fps, frames, keyInterval } = source;
      const stream = new SyntheticStream({ framesPerSecond: fps, keyInterval, frames, seed: 1, ...frameBytes(source) });
      return { next: () => stream.next() };
    }
    case 'adaptive':
      return guidedEncoder(source, guide);
    default:
      return source satisfies never;
  }
}

function guidedEncoder(source: CellSource & { kind: 'adaptive' }, guide: SourceGuide): OpenCellSource {
  const { fps, frames, kbpsMin, kbpsMax } = source;
  const range = { bitrateMin: kbpsMin * 1_000, bitrateMax: kbpsMax * 1_000 };
  const options = { framesPerSecond: fps, frames, seed: 1, ...range };
  if (source.renditions !== undefined) {
    const { renditions: count, keyInterval } = source;
    return guidedRenditions(new SyntheticRenditions({ ...options, count, keyInterval }), range.bitrateMax, guide);
  }
  const encoder = new SyntheticEncoder(options);
  return {
    nextTimestamp: () => encoder.nextTimestamp,
    next: () => {
      encoder.setTarget(guide.targetBitrate ?? range.bitrateMax);
      if (guide.takeKeyFrameRequest?.()) encoder.requestKeyFrame();
      return encoder.next();
    },
  };
}

/** Renditions make no key frame on request: a request is answered by the next group. */
function guidedRenditions(renditions: SyntheticRenditions, unlimited: number, guide: SourceGuide): OpenCellSource {
  return {
    nextTimestamp: () => renditions.nextTimestamp,
    next: () => {
      renditions.setTarget(guide.targetBitrate ?? unlimited);
      guide.takeKeyFrameRequest?.();
      return renditions.next();
    },
  };
}

/** Frame sizes that give the bit rate over a whole group of pictures. */
function frameBytes({ fps, kbps, keyInterval, keyFrameRatio }: CellSource & { kind: 'synthetic' }) {
  const group = (kbps * 125 * keyInterval) / fps;
  const frame = group / (keyInterval - 1 + keyFrameRatio);
  return { frameBytes: Math.max(2, Math.round(frame)), keyFrameBytes: Math.max(2, Math.round(frame * keyFrameRatio)) };
}

/** Number of frames captured in the first `seconds` of the stream. */
export function framesBefore(source: CellSource, files: PackedFiles, seconds: number): number {
  if (source.kind !== 'file') return Math.ceil(seconds * source.fps);
  const { units } = files.get(source.sha256)!;
  const first = originOf(source, files);
  let frames = 0;
  while (frames < source.frames && units[frames * UNIT_FIELDS + 1]! - first < seconds * CLOCK_RATE) frames++;
  return frames;
}

/** Decode time of the first frame, 90 kHz. */
export const originOf = (source: CellSource, files: PackedFiles): number =>
  source.kind === 'file' ? (files.get(source.sha256)!.units[1] ?? 0) : 0;

export const framesPerSecondOf = (source: CellSource): number =>
  source.kind === 'file' ? source.framesPerSecond : source.fps;

/** Bit rate of the access units, bits per second; the highest of an adaptive source. */
export function rateOf(source: CellSource): number {
  switch (source.kind) {
    case 'file':
      return (source.bytes * 8 * source.framesPerSecond) / source.frames;
    case 'synthetic':
      return source.kbps * 1_000;
    case 'adaptive':
      return source.kbpsMax * 1_000;
    default:
      return source satisfies never;
  }
}

export const secondsOf = (source: CellSource): number => source.frames / framesPerSecondOf(source);

/** Short label for tables. */
export const labelOf = (source: CellSource): string =>
  source.sound ? `${pictureLabelOf(source)} + ${soundLabelOf(source.sound)}` : pictureLabelOf(source);

function pictureLabelOf(source: CellSource): string {
  if (source.kind === 'file') return source.name;
  if (source.kind === 'adaptive') {
    const made = source.renditions === undefined ? 'adaptive' : `${source.renditions} renditions`;
    return `${made} ${source.kbpsMin}–${source.kbpsMax}kbps ${source.fps}fps`;
  }
  const { kbps, fps, keyInterval } = source;
  return `synthetic ${kbps}kbps ${fps}fps key=${keyInterval}`;
}
