import { expect, test } from 'vitest';
import type { LaneFigures, LaneSettings } from '../../../protocol/page/lane-message.ts';
import { lessonOf, type Taught } from '../../../web/lanes/lesson.ts';
import { type Recent, RecentFigures, shownRight, verdictOf } from '../../../web/lanes/verdict.ts';

const FIGURES: LaneFigures = {
  run: 0,
  seconds: 0,
  framesOnTime: 0,
  framesRecovered: 0,
  framesLate: 0,
  framesMended: 0,
  framesLost: 0,
  framesShown: 0,
  framesDamaged: 0,
  packets: 0,
  packetsLost: 0,
  packetsAgain: 0,
  packetsRepair: 0,
  lagMsP50: null,
  lagMsP95: null,
  freezes: 0,
  mediaBytes: 0,
  pathBytes: 0,
  overhead: null,
  stalledForMs: 0,
};
const QUIET: Recent = { shown: 90, recovered: 0, late: 0, lost: 0, damaged: 0, packetsLost: 0 };
const LANE: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
const DELAY_MS = 30;

test.each([
  ['On time, whole', {}, 230, 0],
  ['On time, damaged', { lost: 3, damaged: 40 }, 230, 0],
  ['On time, with gaps', { lost: 3 }, 230, 0],
  ['Whole, 4.2\u00a0s late, growing', {}, 4_200, 900],
  ['Whole, 4.2\u00a0s late, catching up', {}, 4_200, -900],
  ['Whole, 4.2\u00a0s late', {}, 4_200, 100],
  ['With gaps, 600\u00a0ms late', { lost: 1 }, 600, 0],
])('says "%s" of %j, %d ms behind, %d ms more than before', (words, counts, behindMs, lagChangeMs) => {
  expect(verdictOf({ counts: { ...QUIET, ...counts }, lagChangeMs }, behindMs, LANE, DELAY_MS).words).toBe(words);
});

test('does not call a lane late for its latency and the path', () => {
  const counts = QUIET;
  expect(verdictOf({ counts, lagChangeMs: 0 }, 1_000, { latencyMs: 900 }, 30).kind).toBe('whole');
  expect(verdictOf({ counts, lagChangeMs: 0 }, 1_000, { latencyMs: 200 }, 30).kind).toBe('late');
});

test('waits for a picture before it judges', () => {
  expect(verdictOf({ counts: QUIET, lagChangeMs: 0 }, undefined, LANE, DELAY_MS).kind).toBe('waiting');
  expect(verdictOf({ counts: undefined, lagChangeMs: 0 }, 200, LANE, DELAY_MS).kind).toBe('waiting');
});

test('counts what happened in the last three seconds, and begins again with a new run', () => {
  const recent = new RecentFigures();
  for (let half = 0; half <= 20; half++) {
    recent.add(half * 500, { ...FIGURES, framesShown: half * 15, packetsLost: half }, 200 + half);
  }
  expect(recent.counts).toEqual({ ...QUIET, shown: 90, packetsLost: 6 });
  expect(recent.lagChangeMs).toBe(6);
  recent.add(11_000, { ...FIGURES, run: 1, framesShown: 2 }, 200);
  expect(recent.counts).toBeUndefined();
});

test('counts a damaged picture as not shown right', () => {
  const figures = { ...FIGURES, framesOnTime: 90, framesLost: 10, framesShown: 90, framesDamaged: 40 };
  expect(shownRight(figures)).toBe(0.5);
  expect(shownRight(FIGURES)).toBeUndefined();
});

const lane = (
  settings: Partial<LaneSettings>,
  counts: Partial<Recent>,
  kind: Taught['verdict']['kind'],
  behindMs = 230,
): Taught => ({
  settings: { ...LANE, ...settings },
  counts: { ...QUIET, ...counts },
  verdict: { kind, words: '', plain: '' },
  behindMs,
});

test('teaches in one sentence what each way of sending made of the losses', () => {
  const lessons = lessonOf([
    lane({ recovery: 'reorder', onLoss: 'smear' }, { packetsLost: 43, lost: 12, damaged: 60 }, 'damaged'),
    lane({}, { packetsLost: 43, recovered: 39, lost: 1 }, 'gaps'),
    lane({ transport: 'tcp' }, { packetsLost: 40, late: 80 }, 'late', 4_200),
  ]);
  expect(lessons.replaceAll('\u00a0', ' ')).toBe(
    'The network lost 43 packets in the last 3 seconds. UDP without recovery shows the damage; ' +
      'UDP hybrid recovered 39 pictures in time and missed 1; TCP makes everyone wait, 4.2 s behind live.',
  );
});

test('teaches what a lane that follows the path shows where no other lane is', () => {
  const adaptive = (counts: Partial<Recent>) => [lane({ follows: true }, counts, 'whole')];
  expect(lessonOf(adaptive({ packetsLost: 12, recovered: 9 })).replaceAll('\u00a0', ' ')).toBe(
    'The network lost 12 packets in the last 3 seconds. UDP adaptive recovered 9 pictures in time.',
  );
  expect(lessonOf(adaptive({}))).toMatch(/^The network lost nothing .*: the lane is whole and on time\./);
});

test('teaches that TCP still waits when the losses are over, and that a clean network spares everyone', () => {
  const clean = lane({}, {}, 'whole');
  expect(lessonOf([clean, lane({ transport: 'tcp' }, {}, 'late', 2_000)])).toMatch(
    /^Nothing was lost .* yet TCP is 2\.0/,
  );
  expect(lessonOf([clean, lane({ transport: 'tcp' }, {}, 'whole')])).toMatch(/every lane is whole and on time/);
  expect(lessonOf([])).toBe('');
});
