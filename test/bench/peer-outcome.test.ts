import { expect, test } from 'vitest';
import { type Judgement, outcomeOf, type RunRecords } from '../../bench/peers/outcome.ts';
import { FRAME_PAYLOAD_BYTES } from '../../bench/peers/workload.ts';

const INTERVAL = 33_333;
const handedOverAt = (frames: number): number[] => Array.from({ length: frames }, (_, frame) => frame * INTERVAL);
const JUDGEMENT: Judgement = { budgetMs: 150, toleranceMs: 10, warmUpFrames: 2, tailFrames: 1 };

/** Ten frames, each complete 148 ms after its hand-over. */
function allInTime(): Omit<RunRecords, 'releases'> & { releases: [number, number, number][] } {
  const handed = handedOverAt(10);
  return {
    handedOverAt: handed,
    releases: handed.map((at, frame) => [frame, 12, at + 148_000]),
    readings: [],
    mediaWay: 'forward',
  };
}

test('a complete frame in time is neither lost nor late', () => {
  const outcome = outcomeOf(allInTime(), JUDGEMENT);
  expect(outcome).toMatchObject({ frames: 7, lost: 0, late: 0, delayMs: { p50: 148, p99: 148, max: 148 } });
});

test('a frame is lost when any of its payloads is missing', () => {
  const records = allInTime();
  records.releases[4]![1] = 11;
  records.releases.splice(6, 1);
  expect(outcomeOf(records, JUDGEMENT)).toMatchObject({ frames: 7, lost: 2, late: 0 });
});

test('a complete frame beyond budget and tolerance is late, not lost', () => {
  const records = allInTime();
  records.releases[3]![2] = 3 * INTERVAL + 160_000;
  records.releases[5]![2] = 5 * INTERVAL + 160_001;
  expect(outcomeOf(records, JUDGEMENT)).toMatchObject({ lost: 0, late: 1, delayMs: { max: 160.001 } });
});

test('warm-up and tail do not count', () => {
  const records = allInTime();
  records.releases = records.releases.filter(([frame]) => frame >= 2 && frame < 9);
  expect(outcomeOf(records, JUDGEMENT)).toMatchObject({ frames: 7, lost: 0 });
});

test('without output all frames are lost and there is no delay', () => {
  const outcome = outcomeOf({ ...allInTime(), releases: [] }, JUDGEMENT);
  expect(outcome).toMatchObject({ frames: 7, lost: 7, delayMs: null });
});

test('overhead is the ratio of bytes offered to the relay between two readings to the frames in between', () => {
  const readings = [
    // In the warm-up, so not used.
    { at: 1 * INTERVAL + 10, forwardBytes: 1e9, backBytes: 0 },
    { at: 2 * INTERVAL + 10, forwardBytes: 500, backBytes: 7 },
    { at: 4 * INTERVAL + 10, forwardBytes: 999_999, backBytes: 8 },
    {
      at: 7 * INTERVAL + 10,
      forwardBytes: 500 + 5 * FRAME_PAYLOAD_BYTES * 1.25,
      backBytes: 5 * FRAME_PAYLOAD_BYTES + 7,
    },
    // After the last counted frame.
    { at: 9 * INTERVAL + 10, forwardBytes: 1e9, backBytes: 1e9 },
  ];
  expect(outcomeOf({ ...allInTime(), readings }, JUDGEMENT).overhead).toBeCloseTo(0.25, 10);
  expect(outcomeOf({ ...allInTime(), readings, mediaWay: 'back' }, JUDGEMENT).overhead).toBeCloseTo(0, 10);
});

test('overhead needs two readings', () => {
  const readings = [{ at: 3 * INTERVAL, forwardBytes: 500, backBytes: 0 }];
  expect(outcomeOf({ ...allInTime(), readings }, JUDGEMENT).overhead).toBeNaN();
});

test('feed lateness is that of the latest frame', () => {
  const records = allInTime();
  const handed = [...records.handedOverAt];
  handed[5]! += 20_000;
  expect(outcomeOf({ ...records, handedOverAt: handed }, JUDGEMENT).feedLateMs).toBeCloseTo(20, 1);
});
