import { describe, expect, test } from 'vitest';
import type { Entry } from '../../../protocol/codec/codec.ts';
import { GradualRefresh } from '../../../receiver/frames/gradual-refresh.ts';

/** States of frames in decode order: K is a random access point, P a reference frame, b a discardable one. */
function states(refresh: GradualRefresh, frames: string, entry: Entry, enters = true): string[] {
  return [...frames].map((letter, index) =>
    refresh.next(
      {
        importance: letter === 'b' ? 'discardable' : letter === 'K' ? 'key' : 'reference',
        enters: enters && index === 0,
        parts: () => [],
      },
      { entryOf: () => entry },
    ),
  );
}

const IDR: Entry = { recoveryFrames: 0, isSafe: true };
const INTRA: Entry = { recoveryFrames: 0, isSafe: false };

describe('a decoder that starts', () => {
  test('at an IDR picture shows correct pictures at once', () => {
    expect(states(new GradualRefresh(), 'KPP', IDR)).toEqual(['right', 'right', 'right']);
  });

  test('at a gradual refresh shows correct pictures once frame_num has advanced by recovery_frame_cnt', () => {
    // Discardable frames do not advance it.
    const entry = { recoveryFrames: 3, isSafe: true };
    expect(states(new GradualRefresh(), 'KPbPP', entry)).toEqual([...new Array(4).fill('incomplete'), 'right']);
  });

  test('at a picture not declared as a random access point shows doubtful pictures until one', () => {
    const refresh = new GradualRefresh();
    expect(states(refresh, 'KPK', INTRA)).toEqual(['doubtful', 'doubtful', 'doubtful']);
    expect(states(refresh, 'KP', IDR, false)).toEqual(['right', 'right']);
    expect(refresh.doubtfulPictures).toBe(3);
  });

  test('at a gradual refresh shows correct pictures earlier after a better random access point', () => {
    const refresh = new GradualRefresh();
    expect(states(refresh, 'KP', { recoveryFrames: 30, isSafe: true })).toEqual(['incomplete', 'incomplete']);
    expect(states(refresh, 'K', IDR, false)).toEqual(['right']);
  });
});
