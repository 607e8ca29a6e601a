import { expect, test } from 'vitest';
import { microseconds, seconds } from '../../../protocol/base/units.ts';
import { PictureNumbers } from '../../../session/lanes/picture-numbers.ts';

const HOURS_AT_NTSC = 3 * 3_600 * 30;

test('numbers pictures by their times, in any order and with gaps', () => {
  const numbers = new PictureNumbers(30);
  const at = (picture: number) => numbers.pictureAt(microseconds(Math.round((picture * 1e6) / 30)));
  expect([0, 4, 2, 3, 1, 90, 0].map((picture) => at(picture)?.number)).toEqual([0, 4, 2, 3, 1, 90, 0]);
  expect(at(45)?.position).toBe(1_500_000);
});

test('numbers hours of a rate that was measured over few pictures, with times in milliseconds', () => {
  // 1,001/30,000 s, rounded as in Matroska; the mean of the first fifty.
  const timeMs = (picture: number) => Math.round((picture * 1_001) / 30);
  const numbers = new PictureNumbers((50 * 1_000) / timeMs(50));
  for (let picture = 0; picture < HOURS_AT_NTSC; picture += 101) {
    expect(numbers.pictureAt(microseconds(timeMs(picture) * 1_000))?.number).toBe(picture);
  }
});

test('names no number of a video whose pictures come at uneven times, nor without a rate', () => {
  const numbers = new PictureNumbers(30);
  expect(numbers.pictureAt(seconds(1))).toEqual({ number: 30, position: 1_000_000 });
  expect(numbers.pictureAt(microseconds(1_050_000))).toEqual({ number: undefined, position: 1_050_000 });
  expect(numbers.pictureAt(seconds(2))).toEqual({ number: undefined, position: 2_000_000 });
  expect(new PictureNumbers(undefined).pictureAt(seconds(1))?.number).toBeUndefined();
  expect(numbers.pictureAt(undefined)).toBeUndefined();
});
