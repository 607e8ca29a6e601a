import { expect, test } from 'vitest';
import { type Luma, lumaSsim } from '../../../lab/quality/luma-ssim.ts';

const WIDTH = 32;
const HEIGHT = 24;

function luma(sample: (x: number, y: number) => number): Luma {
  const samples = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) for (let x = 0; x < WIDTH; x++) samples[y * WIDTH + x] = sample(x, y);
  return { width: WIDTH, height: HEIGHT, samples };
}

const pattern = (x: number, y: number): number => (7 * x + 13 * y + x * y) % 256;

test('identical pictures score 1', () => {
  expect(lumaSsim(luma(pattern), luma(pattern))).toBe(1);
});

test('flat pictures score the luminance term, with the constant of x264', () => {
  const c1 = (0.01 * 255) ** 2 / 64;
  const [one, other] = [100, 140];
  const expected = (2 * one * other + c1) / (one ** 2 + other ** 2 + c1);
  const score = lumaSsim(
    luma(() => one),
    luma(() => other),
  );
  expect(score).toBeCloseTo(expected, 5);
});

test('scores a damaged picture as the filter ssim of ffmpeg does', () => {
  const damaged = luma((x, y) => Math.min(255, Math.floor(pattern(x, y) * 0.9) + ((x * 5 + y * 3) % 11)));
  // ffmpeg 5.1, `-filter_complex ssim` over the same samples as gray pictures.
  expect(lumaSsim(luma(pattern), damaged)).toBeCloseTo(0.991162, 5);
});

test('a picture of another size is an error of the caller', () => {
  const smaller: Luma = { width: 16, height: HEIGHT, samples: new Uint8Array(16 * HEIGHT) };
  expect(() => lumaSsim(luma(pattern), smaller)).toThrow('one size');
});
