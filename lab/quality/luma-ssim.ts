import { assert } from '../../protocol/base/assert.ts';

/** Luma samples of a picture, 8 bits each, rows from the top without padding. */
export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly samples: Uint8Array;
}

/** Side of a block, samples; a window is two blocks wide and high, and windows begin at each block. */
const BLOCK = 4;
const WINDOW_SAMPLES = (2 * BLOCK) ** 2;
/**
 * (K1·255)² and (K2·255)² of the definition, K1 = 0.01 and K2 = 0.03, in the scale of sums over a window; C1 as in x264, a
 * 64th of the definition's.
 */
const C1 = Math.floor(0.01 * 0.01 * 255 * 255 * WINDOW_SAMPLES + 0.5);
const C2 = Math.floor(0.03 * 0.03 * 255 * 255 * WINDOW_SAMPLES * (WINDOW_SAMPLES - 1) + 0.5);
/** Sums of a block: of both pictures, of the squares of both, of the products. */
const SUMS = 4;

/**
 * Mean structural similarity of two pictures of one size (Wang et al., IEEE TIP 2004), over windows of 8×8 samples at
 * distances of 4, as the filter `ssim` of ffmpeg and x264 compute it. At most 1, for identical pictures.
 */
export function lumaSsim(one: Luma, other: Luma): number {
  const { width, height } = one;
  assert(other.width === width && other.height === height, 'compared pictures must have one size');
  const columns = Math.floor(width / BLOCK);
  const rows = Math.floor(height / BLOCK);
  assert(columns > 1 && rows > 1, 'compared pictures must hold a window');
  let above = new Float64Array(columns * SUMS);
  let below = new Float64Array(columns * SUMS);
  addBlocks(above, one, other, 0);
  let total = 0;
  for (let row = 1; row < rows; row++) {
    addBlocks(below, one, other, row);
    for (let column = 0; column + 1 < columns; column++) total += similarity(above, below, column * SUMS);
    [above, below] = [below, above];
  }
  return total / ((rows - 1) * (columns - 1));
}

/** Replaces the sums by those of a row of blocks. */
function addBlocks(sums: Float64Array, one: Luma, other: Luma, row: number): void {
  const { width } = one;
  const [a, b] = [one.samples, other.samples];
  for (let at = 0; at < sums.length; at += SUMS) {
    let [sumA, sumB, squares, products] = [0, 0, 0, 0];
    for (let line = 0; line < BLOCK; line++) {
      const from = (row * BLOCK + line) * width + at;
      for (let place = from; place < from + BLOCK; place++) {
        const [x, y] = [a[place]!, b[place]!];
        sumA += x;
        sumB += y;
        squares += x * x + y * y;
        products += x * y;
      }
    }
    sums[at] = sumA;
    sums[at + 1] = sumB;
    sums[at + 2] = squares;
    sums[at + 3] = products;
  }
}

/** Similarity of a window of four blocks, of which the upper left one begins at `at`. */
function similarity(above: Float64Array, below: Float64Array, at: number): number {
  const sum = (which: number): number =>
    above[at + which]! + above[at + SUMS + which]! + below[at + which]! + below[at + SUMS + which]!;
  const [a, b] = [sum(0), sum(1)];
  const variances = sum(2) * WINDOW_SAMPLES - a * a - b * b;
  const covariance = sum(3) * WINDOW_SAMPLES - a * b;
  return ((2 * a * b + C1) * (2 * covariance + C2)) / ((a * a + b * b + C1) * (variances + C2));
}
