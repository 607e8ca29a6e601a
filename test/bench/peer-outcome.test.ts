import { expect, test } from 'vitest';
import { type Evidence, type Judgement, outcomeOf } from '../../bench/peers/outcome.ts';
import { FRAME_PAYLOAD_BYTES } from '../../bench/peers/workload.ts';

const INTERVAL = 33_333;
const handedOverAt = (frames: number): number[] => Array.from({ length: frames }, (_, frame) => frame * INTERVAL);
const JUDGEMENT: Judgement = { budgetMs: 150, toleranceMs: 10, warmUpFrames: 2, tailFrames: 1 };

/** Ten frames, each out whole 148 ms after it went in. */
function allInTime(): Omit<Evidence, 'releases'> & { releases: [number, number, number][] } {
  const handed = handedOverAt(10);
  return {
    handedOverAt: handed,
    releases: handed.map((at, frame) => [frame, 12, at + 148_000]),
    readings: [],
    mediaWay: 'forward',
  };
}

test('what came out whole and in time is neither lost nor late', () => {
  const outcome = outcomeOf(allInTime(), JUDGEMENT);
  expect(outcome).toMatchObject({ frames: 7, lost: 0, late: 0, delayMs: { p50: 148, p99: 148, max: 148 } });
});

test('a frame is lost when one of its twelve payloads is missing, or all of them', () => {
  const evidence = allInTime();
  evidence.releases[4]![1] = 11;
  evidence.releases.splice(6, 1);
  expect(outcomeOf(evidence, JUDGEMENT)).toMatchObject({ frames: 7, lost: 2, late: 0 });
});

test('a whole frame is late beyond budget and tolerance, and is not lost', () => {
  const evidence = allInTime();
  evidence.releases[3]![2] = 3 * INTERVAL + 160_000;
  evidence.releases[5]![2] = 5 * INTERVAL + 160_001;
  expect(outcomeOf(evidence, JUDGEMENT)).toMatchObject({ lost: 0, late: 1, delayMs: { max: 160.001 } });
});

test('neither the warm-up nor the tail counts', () => {
  const evidence = allInTime();
  evidence.releases = evidence.releases.filter(([frame]) => frame >= 2 && frame < 9);
  expect(outcomeOf(evidence, JUDGEMENT)).toMatchObject({ frames: 7, lost: 0 });
});

test('where nothing came out all is lost and there is no delay', () => {
  const outcome = outcomeOf({ ...allInTime(), releases: [] }, JUDGEMENT);
  expect(outcome).toMatchObject({ frames: 7, lost: 7, delayMs: null });
});

test('overhead is what the relay was offered towards the receiver between two readings, over the frames between', () => {
  const readings = [
    // In the warm-up: not used.
    { at: 1 * INTERVAL + 10, forwardBytes: 1e9, backBytes: 0 },
    { at: 2 * INTERVAL + 10, forwardBytes: 500, backBytes: 7 },
    { at: 4 * INTERVAL + 10, forwardBytes: 999_999, backBytes: 8 },
    {
      at: 7 * INTERVAL + 10,
      forwardBytes: 500 + 5 * FRAME_PAYLOAD_BYTES * 1.25,
      backBytes: 5 * FRAME_PAYLOAD_BYTES + 7,
    },
    // Behind the last frame that counts.
    { at: 9 * INTERVAL + 10, forwardBytes: 1e9, backBytes: 1e9 },
  ];
  expect(outcomeOf({ ...allInTime(), readings }, JUDGEMENT).overhead).toBeCloseTo(0.25, 10);
  expect(outcomeOf({ ...allInTime(), readings, mediaWay: 'back' }, JUDGEMENT).overhead).toBeCloseTo(0, 10);
});

test('one reading is no measurement of the overhead', () => {
  const readings = [{ at: 3 * INTERVAL, forwardBytes: 500, backBytes: 0 }];
  expect(outcomeOf({ ...allInTime(), readings }, JUDGEMENT).overhead).toBeNaN();
});

test('the feed is late by the most that a frame came after its time', () => {
  const evidence = allInTime();
  const handed = [...evidence.handedOverAt];
  handed[5]! += 20_000;
  expect(outcomeOf({ ...evidence, handedOverAt: handed }, JUDGEMENT).feedLateMs).toBeCloseTo(20, 1);
});
