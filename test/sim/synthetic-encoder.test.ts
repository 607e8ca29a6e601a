import { describe, expect, test } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { instant, milliseconds } from '../../protocol/base/units.ts';
import { SyntheticEncoder, type SyntheticEncoderOptions } from '../../sim/synthetic-encoder.ts';
import { LiveFeed } from '../../sim/synthetic-stream.ts';

const OPTIONS: SyntheticEncoderOptions = {
  framesPerSecond: 30,
  frames: 3_000,
  bitrateMin: 100_000,
  bitrateMax: 3_000_000,
  seed: 1,
};
/** Bytes of a frame at one megabit per second. */
const BUDGET = 1_000_000 / 8 / 30;

const bytesOf = (unit: AccessUnit): number => unit.parts.reduce((sum, part) => sum + part.length, 0);
const take = (encoder: SyntheticEncoder, frames: number): AccessUnit[] =>
  Array.from({ length: frames }, () => encoder.next()!);
const rateOf = (units: readonly AccessUnit[]): number =>
  (units.reduce((sum, unit) => sum + bytesOf(unit), 0) * 8 * 30) / units.length;

describe('a synthetic encoder', () => {
  test('makes frames of its target on average, and a new target holds from the next frame on', () => {
    const encoder = new SyntheticEncoder(OPTIONS);
    encoder.setTarget(1_000_000);
    expect(Math.abs(rateOf(take(encoder, 1_000)) / 1_000_000 - 1)).toBeLessThan(0.02);
    encoder.setTarget(250_000);
    const [first] = take(encoder, 1);
    expect(bytesOf(first!)).toBeLessThan((BUDGET / 4) * 1.2);
    expect(Math.abs(rateOf(take(encoder, 999)) / 250_000 - 1)).toBeLessThan(0.02);
  });

  test('makes key frames at the start and on request, and no others', () => {
    const encoder = new SyntheticEncoder(OPTIONS);
    const kinds = (frames: number) => take(encoder, frames).map(({ importance }) => importance);
    expect(kinds(3)).toEqual(['key', 'reference', 'reference']);
    encoder.requestKeyFrame();
    encoder.requestKeyFrame();
    expect(kinds(3)).toEqual(['key', 'reference', 'reference']);
    expect(new Set(kinds(1_000))).toEqual(new Set(['reference']));
  });

  test('keeps its bit rate within its range', () => {
    const encoder = new SyntheticEncoder(OPTIONS);
    for (const [target, bitrate] of [
      [1, 100_000],
      [1e12, 3_000_000],
      [500_000, 500_000],
    ] as const) {
      encoder.setTarget(target);
      expect(encoder.bitrate).toBe(bitrate);
    }
  });

  test('makes the same frames of the same seed and targets', () => {
    const stream = () => {
      const encoder = new SyntheticEncoder({ ...OPTIONS, frames: 200 });
      return Array.from({ length: 200 }, (_, frame) => {
        encoder.setTarget(200_000 + frame * 10_000);
        return encoder.next();
      });
    };
    expect(stream()).toEqual(stream());
  });

  test('ends after its frames', () => {
    const encoder = new SyntheticEncoder({ ...OPTIONS, frames: 2 });
    expect(take(encoder, 2).map(({ timestamp }) => timestamp)).toEqual([0, 3_000]);
    expect(encoder.nextTimestamp).toBeUndefined();
    expect(encoder.next()).toBeUndefined();
  });

  test('is fed when its frame is due, so that a frame has the latest target', () => {
    const encoder = new SyntheticEncoder({ ...OPTIONS, frames: 2 });
    const units: AccessUnit[] = [];
    const feed = new LiveFeed({
      startAt: instant(milliseconds(1)),
      next: () => encoder.next(),
      nextTimestamp: () => encoder.nextTimestamp,
      deliver: (_now, unit) => units.push(unit),
      finish: () => {},
    });
    feed.run(feed.pollTimeout()!);
    encoder.setTarget(100_000);
    feed.run(feed.pollTimeout()!);
    expect(bytesOf(units[0]!)).toBeGreaterThan(BUDGET * 2.5);
    expect(bytesOf(units[1]!)).toBeLessThan(BUDGET / 8);
    expect(feed.pollTimeout()).toBeUndefined();
  });
});
