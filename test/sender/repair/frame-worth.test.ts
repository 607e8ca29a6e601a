import { describe, expect, test } from 'vitest';
import type { Importance } from '../../../protocol/access-unit.ts';
import { microseconds, milliseconds } from '../../../protocol/base/units.ts';
import type { PathNotice } from '../../../protocol/rtcp/recovery-notice.ts';
import { FrameWorth } from '../../../sender/repair/frame-worth.ts';

const PATH: PathNotice = {
  kind: 'path',
  latency: milliseconds(120),
  answerTime: microseconds(66_666),
  loss: 0.03,
  burst: 2,
  recentLoss: 0,
  queueing: microseconds(0),
  showsDamaged: false,
  spacing: microseconds(0),
};
const INTERVAL = 33_333;

/** Worth of a frame after this many others of a stream with a key frame every `keyInterval`. */
function worthAfter(frames: number, options: { keyInterval: number; mends: boolean; importance?: Importance }): number {
  const worth = new FrameWorth(options.mends);
  for (let frame = 0; frame <= frames; frame++) {
    worth.onFrame(frame % options.keyInterval === 0 ? 'key' : 'reference');
  }
  return worth.of(options.importance ?? 'reference', PATH, microseconds(INTERVAL));
}

describe('the worth of a frame', () => {
  test('is the number of frames before the next key frame when nothing is mended', () => {
    const early = worthAfter(240 + 10, { keyInterval: 240, mends: false });
    const late = worthAfter(240 + 230, { keyInterval: 240, mends: false });
    expect(early).toBe(50 * 230);
    expect(late).toBe(50 * 10);
  });

  test('is slightly more than the frames of an answer time when it is mended, however far the next key frame is', () => {
    const near = worthAfter(1_000 + 10, { keyInterval: 1_000, mends: true });
    const far = worthAfter(1_000 + 900, { keyInterval: 1_000, mends: true });
    expect(near).toBeCloseTo(50 * 8, 1);
    expect(far).toBeCloseTo(near, 1);
  });

  test('decreases towards the next key frame, mended or not', () => {
    expect(worthAfter(60 + 57, { keyInterval: 60, mends: true })).toBe(50 * 3);
  });

  test('is constant for discardable frames', () => {
    expect(worthAfter(300, { keyInterval: 240, mends: false, importance: 'discardable' })).toBe(50);
  });

  test('does not depend on the next key frame when damaged frames are shown', () => {
    const worth = new FrameWorth(false);
    worth.onFrame('key');
    expect(worth.of('reference', { ...PATH, showsDamaged: true }, microseconds(INTERVAL))).toBe(333);
    expect(worth.of('key', { ...PATH, showsDamaged: true }, microseconds(INTERVAL))).toBe(1_000);
  });

  test('grows with the group while there has been only one key frame', () => {
    expect(worthAfter(30, { keyInterval: 10_000, mends: false })).toBe(50 * 30);
    expect(worthAfter(300, { keyInterval: 10_000, mends: false })).toBe(50 * 300);
  });
});
