import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { CLOCK_RATE, ticks } from '../protocol/base/units.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import { type EncoderModel, X264_MODEL } from './encoder-model.ts';
import { RandomStream } from './random.ts';

/** Options of a synthetic encoder. */
export interface SyntheticEncoderOptions {
  /** Frame rate, frames a second. */
  readonly framesPerSecond: number;
  /** Length of the stream, frames. */
  readonly frames: number;
  /** Lowest bit rate, bits per second: lower targets are raised to it. */
  readonly bitrateMin: number;
  /** Highest bit rate, bits per second: higher targets are lowered to it. */
  readonly bitrateMax: number;
  /** Bit rate before the first target, bits per second; default: `bitrateMax`. */
  readonly bitrateStart?: number;
  /** Decides the sizes and the content of the frames. */
  readonly seed: number;
  /** Statistics of the frame sizes; default: those of x264 in `X264_MODEL`. */
  readonly model?: EncoderModel;
}

/** Shortest part that packetizes like a picture, bytes. */
const BYTES_MIN = 2;
/** Uniform draws whose sum is a normal deviate (central limit): exact in every engine, and within 0.3 % of normal. */
const DRAWS = 12;
const DRAW_RANGE = 0x1_0000_0000;

const CODEC = codecByName('h264');

/**
 * A live encoder without pictures: frame sizes follow a target bit rate as those of x264 do, and a key frame is made
 * when it is requested. The first frame is a key frame; there are no others without a request.
 */
export class SyntheticEncoder {
  readonly #options: SyntheticEncoderOptions;
  readonly #model: EncoderModel;
  readonly #random: RandomStream;
  #bitrate: number;
  #keyRequested = true;
  #frame = 0;
  /** Deviation of the last frame's size from its budget, normal score. */
  #score = 0;

  constructor(options: SyntheticEncoderOptions) {
    const { bitrateMin, bitrateMax, bitrateStart = bitrateMax } = options;
    assert(bitrateMin > 0, 'the bit rate must be above 0');
    assert(bitrateMin <= bitrateMax, 'the lowest bit rate must not exceed the highest');
    this.#options = options;
    this.#model = options.model ?? X264_MODEL;
    this.#random = new RandomStream(options.seed, 'encoder');
    this.#bitrate = bitrateStart;
    this.setTarget(bitrateStart);
  }

  /** Bit rate of the next frame, bits per second. */
  get bitrate(): number {
    return this.#bitrate;
  }

  /** Sets the bit rate from the next frame on, bits per second, within the range of the options. */
  setTarget(bitsPerSecond: number): void {
    const { bitrateMin, bitrateMax } = this.#options;
    this.#bitrate = Math.min(bitrateMax, Math.max(bitrateMin, bitsPerSecond));
  }

  /** Makes the next frame a key frame. */
  requestKeyFrame(): void {
    this.#keyRequested = true;
  }

  /** Media time of the next frame from the first one, 90 kHz; `undefined` after the last. */
  get nextTimestamp(): number | undefined {
    const { framesPerSecond, frames } = this.#options;
    return this.#frame < frames ? Math.round((this.#frame * CLOCK_RATE) / framesPerSecond) : undefined;
  }

  /** Encodes the next frame at the current bit rate; `undefined` after the last. */
  next(): AccessUnit | undefined {
    const at = this.nextTimestamp;
    if (at === undefined) return undefined;
    const frame = this.#frame++;
    const key = this.#keyRequested;
    this.#keyRequested = false;
    const filling = this.#random.uint32(frame * (DRAWS + 1)) & 0xff;
    const part = CODEC.syntheticPart({ key, bytes: this.#bytes(frame, key), filling });
    const timestamp = ticks(at);
    return { parts: [part], timestamp, decodeTimestamp: timestamp, importance: key ? 'key' : 'reference' };
  }

  #bytes(frame: number, key: boolean): number {
    const { correlation, scores, sizes, keySizes, bytesLeast, keyBytesLeast } = this.#model;
    this.#score = correlation * this.#score + Math.sqrt(1 - correlation * correlation) * this.#deviate(frame);
    const budget = this.#bitrate / 8 / this.#options.framesPerSecond;
    const bytes = budget * interpolated(scores, key ? keySizes : sizes, this.#score);
    return Math.max(BYTES_MIN, Math.round(Math.max(bytes, key ? keyBytesLeast : bytesLeast)));
  }

  /** A standard normal deviate that belongs to the frame. */
  #deviate(frame: number): number {
    let sum = 0;
    for (let draw = 1; draw <= DRAWS; draw++) sum += this.#random.uint32(frame * (DRAWS + 1) + draw) / DRAW_RANGE;
    return sum - DRAWS / 2;
  }
}

/** Value of a piecewise linear function at `x`; constant beyond its ends. */
function interpolated(xs: readonly number[], ys: readonly number[], x: number): number {
  if (x <= xs[0]!) return ys[0]!;
  for (let i = 1; i < xs.length; i++) {
    if (x > xs[i]!) continue;
    const share = (x - xs[i - 1]!) / (xs[i]! - xs[i - 1]!);
    return ys[i - 1]! + share * (ys[i]! - ys[i - 1]!);
  }
  return ys.at(-1)!;
}
