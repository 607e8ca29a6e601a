import { expect, test } from 'vitest';
import { w3cFreezes } from '../../../lab/metrics/freeze.ts';
import { instant, milliseconds } from '../../../protocol/base/units.ts';
import { LaneRecord } from '../../../session/lanes/lane-record.ts';

test('counts frames as damaged from the loss of a reference to the next key frame', () => {
  const record = new LaneRecord();
  const frames = [
    'key',
    'reference',
    'discardable',
    'reference',
    'reference',
    'reference',
    'key',
    'reference',
  ] as const;
  const lost = new Set([2, 4]);
  for (const [frame, importance] of frames.entries()) {
    record.frameCaptured(frame, { at: instant(frame * 33_000), importance, picture: undefined }, 100);
    record.frameDecided(frame, !lost.has(frame), !lost.has(frame));
  }
  // The loss of frame 2 damages nothing; that of frame 4 damages frame 5.
  expect(record.figures(0, 0).framesDamaged).toBe(1);
});

test('counts freezes by the W3C definition, against the mean of the last thirty frames', () => {
  const shownAt = [0];
  const show = (frames: number, intervalMs: number) => {
    for (let frame = 0; frame < frames; frame++) shownAt.push(shownAt.at(-1)! + milliseconds(intervalMs));
  };
  // One frame per second for a minute, then thirty per second: half a second counts as long again.
  show(60, 1_000);
  show(60, 33);
  show(1, 500);
  show(10, 33);
  show(1, 150);
  show(10, 33);
  const record = new LaneRecord();
  for (const at of shownAt) record.frameShown(instant(at), instant(at - milliseconds(100)));
  const { freezes, framesShown } = record.figures(0, 0);
  expect(freezes).toBe(1);
  expect(freezes).toBe(w3cFreezes(shownAt).count);
  expect(framesShown).toBe(shownAt.length);
});
