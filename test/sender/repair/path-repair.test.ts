import { expect, test } from 'vitest';
import type { Importance } from '../../../protocol/access-unit.ts';
import { type Instant, instant, type Microseconds, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import type { PathNotice } from '../../../protocol/rtcp/recovery-notice.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { PathRepair } from '../../../sender/repair/path-repair.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const PACKETS = 8;

/** The receiver's notice: frames are due 100 ms after the fastest transit. */
const notice = (answerTime: Microseconds): PathNotice => ({
  kind: 'path',
  latency: milliseconds(100),
  answerTime,
  loss: 0,
  burst: 1,
  recentLoss: 0,
  queueing: microseconds(0),
  showsDamaged: false,
  spacing: microseconds(0),
});

/** Repair packets behind each of some frames of eight packets; the second half leaves `pauseMs` after the first. */
function repairs(
  frames: number,
  parts: { answerTimeMs?: number; share?: number; isSplit?: boolean; pauseMs?: number; keyFrom?: number },
): number[] {
  const { answerTimeMs, share = 1, isSplit = true, pauseMs = 0, keyFrom = frames } = parts;
  const repair = new PathRepair({ isSplit: () => isSplit, share });
  const path = answerTimeMs === undefined ? undefined : notice(milliseconds(answerTimeMs));
  return Array.from({ length: frames }, (_, number) => {
    const [firstSequence, lastSequence] = [asSequence(number * PACKETS), asSequence(number * PACKETS + PACKETS - 1)];
    const importance: Importance = number >= keyFrom ? 'key' : 'reference';
    const frame = { firstSequence, lastSequence, at: at(number * 33), importance };
    for (let index = 0; index < PACKETS; index++) {
      const leavesAt = at(number * 33 + (index < PACKETS / 2 ? 0 : pauseMs));
      repair.onPacket(leavesAt, asSequence(firstSequence + index), frame, path);
    }
    return repair.repairsAfter(frame);
  });
}

test('a frame has as many repair packets as packets when no request is answered in time', () => {
  expect(repairs(2, { answerTimeMs: 101 })).toEqual([8, 8]);
  expect(repairs(2, { answerTimeMs: 90 }), 'detection takes 10 ms').toEqual([8, 8]);
});

test('a frame that can be requested has none', () => {
  expect(repairs(2, { answerTimeMs: 89 })).toEqual([0, 0]);
});

test('the part of a frame that leaves too late to be requested is protected alone', () => {
  expect(repairs(2, { answerTimeMs: 80, pauseMs: 12 })).toEqual([4, 4]);
});

test('every frame is protected until the answer time is known', () => {
  expect(repairs(1, {})).toEqual([8]);
  expect(repairs(1, { answerTimeMs: 0 })).toEqual([8]);
});

test('nothing is protected while one path carries everything', () => {
  expect(repairs(2, { answerTimeMs: 200, isSplit: false })).toEqual([0, 0]);
});

test('a share protects whole frames', () => {
  expect(repairs(8, { answerTimeMs: 200, share: 0.5 })).toEqual([0, 8, 0, 8, 0, 8, 0, 8]);
  expect(repairs(8, { answerTimeMs: 200, share: 0.25 })).toEqual([0, 0, 0, 8, 0, 0, 0, 8]);
  expect(repairs(4, { answerTimeMs: 200, share: 0 })).toEqual([0, 0, 0, 0]);
});

test('key frames come first, and other frames pay for them', () => {
  expect(repairs(3, { answerTimeMs: 200, share: 0.5, keyFrom: 1 })).toEqual([0, 8, 8]);
  const repair = new PathRepair({ isSplit: () => true, share: 0.5 });
  const frameOf = (number: number, importance: Importance) => {
    const sequence = asSequence(number);
    const frame = { firstSequence: sequence, lastSequence: sequence, at: at(0), importance };
    repair.onPacket(at(0), sequence, frame, undefined);
    return repair.repairsAfter(frame);
  };
  expect([frameOf(0, 'key'), frameOf(1, 'key')]).toEqual([1, 1]);
  expect([2, 3, 4, 5].map((number) => frameOf(number, 'reference'))).toEqual([0, 0, 0, 1]);
});
