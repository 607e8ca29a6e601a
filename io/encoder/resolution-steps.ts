import { type Instant, type Microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';

/** A size of the coded picture, luma samples. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Sizes of the coded picture relative to the source. */
const SCALES: readonly number[] = [1, 3 / 4, 1 / 2, 3 / 8, 1 / 4];
/** Step at which a busy machine makes the picture no smaller: half the sides, a quarter of the work. */
const LIMIT_MAX = 2;
/** Shortest side of a smaller picture, luma samples: smaller ones save hardly anything. */
const SIDE_MIN = 90;
/**
 * Bits a luma sample below which the next smaller size looks better, and above which the next larger one does. Between
 * them the size stays. Chosen, not measured.
 */
const BITS_MIN = 0.02;
const BITS_ENOUGH = 0.036;
/** Time for which the rate must be too low for the size, or high enough for the next larger one. */
const SMALLER_AFTER: Microseconds = milliseconds(400);
const LARGER_AFTER: Microseconds = seconds(2);

/** Chooses the size of the picture by the bit rate. Each change costs a key frame, so brief dips change nothing. */
export class ResolutionSteps {
  readonly #sizes: readonly PictureSize[];
  readonly #framesPerSecond: number;
  #step = 0;
  #since: Instant | undefined;
  /** Largest size allowed: a step above 0 where the processor cannot encode a larger one. */
  #largest = 0;

  constructor(source: PictureSize, framesPerSecond: number) {
    this.#sizes = sizesOf(source);
    this.#framesPerSecond = framesPerSecond;
  }

  get size(): PictureSize {
    return this.#sizes[this.#step]!;
  }

  /** Chooses the first size, at once. */
  begin(bitrate: number): void {
    this.#step = this.#largest;
    while (this.#step + 1 < this.#sizes.length && this.#bits(this.#step, bitrate) < BITS_MIN) this.#step++;
    this.#since = undefined;
  }

  /** Excludes the present size, and all larger ones. Returns false when only half the source's size is left. */
  limit(): boolean {
    if (this.#step >= Math.min(LIMIT_MAX, this.#sizes.length - 1)) return false;
    this.#largest = ++this.#step;
    this.#since = undefined;
    return true;
  }

  /** Allows the next larger size again. Returns false when none is excluded. */
  relax(): boolean {
    if (this.#largest === 0) return false;
    this.#largest--;
    return true;
  }

  /** @returns true when the size has changed. */
  update(now: Instant, bitrate: number): boolean {
    const smaller = this.#step + 1 < this.#sizes.length && this.#bits(this.#step, bitrate) < BITS_MIN;
    const larger = this.#step > this.#largest && this.#bits(this.#step - 1, bitrate) > BITS_ENOUGH;
    if (!smaller && !larger) {
      this.#since = undefined;
      return false;
    }
    this.#since ??= now;
    if (now - this.#since < (smaller ? SMALLER_AFTER : LARGER_AFTER)) return false;
    this.#since = undefined;
    if (smaller) this.begin(bitrate);
    else this.#step--;
    return true;
  }

  #bits(step: number, bitrate: number): number {
    const { width, height } = this.#sizes[step]!;
    return bitrate / (width * height * this.#framesPerSecond);
  }
}

/** Sizes from the largest to the smallest: even, with the shape of the source. */
export function sizesOf({ width, height }: PictureSize): PictureSize[] {
  const even = (side: number): number => Math.max(2, Math.floor(side / 2) * 2);
  const sizes = [{ width: even(width), height: even(height) }];
  for (const scale of SCALES.slice(1)) {
    const size = { width: even(width * scale), height: even(height * scale) };
    if (Math.min(size.width, size.height) >= SIDE_MIN) sizes.push(size);
  }
  return sizes;
}
