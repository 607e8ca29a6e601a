import type { AccessUnit } from '../protocol/access-unit.ts';
import { ticks } from '../protocol/base/units.ts';
import { RenditionChoice, renditionRates } from '../protocol/rendition-choice.ts';
import { type EncoderModel, X264_MODEL } from './encoder-model.ts';
import { SyntheticEncoder, type SyntheticEncoderOptions } from './synthetic-encoder.ts';

export interface SyntheticRenditionsOptions extends Omit<SyntheticEncoderOptions, 'model'> {
  /** Number of encodes, at equal ratios from the lowest to the highest bit rate. */
  readonly count: number;
  /** Length of each group of pictures, frames. */
  readonly keyInterval: number;
}

/** Size of a key frame of x264 relative to the others of its group, with a buffer (VBV) of an eighth of a second. */
const KEY_FRAME_RATIO = 3;

/** Encodes of one source at fixed bit rates, without pictures: the target decides between them at each key frame. */
export class SyntheticRenditions {
  readonly #encoder: SyntheticEncoder;
  readonly #rates: readonly number[];
  readonly #choice: RenditionChoice;
  readonly #keyInterval: number;
  #target: number;
  #frame = 0;

  constructor(options: SyntheticRenditionsOptions) {
    const { bitrateMin, bitrateMax, bitrateStart = bitrateMax, count, keyInterval } = options;
    this.#encoder = new SyntheticEncoder({ ...options, model: groupedModel(keyInterval) });
    this.#rates = renditionRates(bitrateMin, bitrateMax, count);
    this.#choice = new RenditionChoice(this.#rates, bitrateStart);
    this.#keyInterval = keyInterval;
    this.#target = bitrateStart;
  }

  /** Media time of the next frame from the first one, 90 kHz; `undefined` after the last. */
  get nextTimestamp(): number | undefined {
    return this.#encoder.nextTimestamp;
  }

  /** Sets the bit rate that the path carries, bits per second. */
  setTarget(bitsPerSecond: number): void {
    this.#target = bitsPerSecond;
  }

  /** Returns the next frame of the rendition in force; `undefined` after the last. */
  next(): AccessUnit | undefined {
    const at = this.nextTimestamp;
    if (at === undefined) return undefined;
    const isKey = this.#frame++ % this.#keyInterval === 0;
    this.#encoder.setTarget(this.#rates[this.#choice.next(ticks(at), isKey, this.#target)]!);
    if (isKey) this.#encoder.requestKeyFrame();
    return this.#encoder.next();
  }
}

/** Sizes that give the bit rate over a whole group. */
function groupedModel(keyInterval: number): EncoderModel {
  const other = keyInterval / (keyInterval - 1 + KEY_FRAME_RATIO);
  const scaled = (factor: number) => X264_MODEL.sizes.map((size) => size * factor);
  return { ...X264_MODEL, sizes: scaled(other), keySizes: scaled(other * KEY_FRAME_RATIO) };
}
