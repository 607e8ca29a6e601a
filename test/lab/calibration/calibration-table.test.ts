import { expect, test } from 'vitest';
import { conclude } from '../../../lab/calibration/calibrate.ts';
import {
  calibrationConclusion,
  calibrationMarkdown,
  calibrationText,
} from '../../../lab/calibration/calibration-table.ts';
import type { Comparison } from '../../../lab/calibration/comparison.ts';
import { microseconds, milliseconds } from '../../../protocol/base/units.ts';

const side = { p50: 25_000, p95: 80_000, p99: 120_000, goodput: 2e6, framesDecodable: 600 };

function comparison(changes: Partial<Comparison>, disturbed = false): Comparison {
  return {
    name: 'loss=1% delay=25ms',
    strategy: 'tcp-kernel-reno',
    forward: 'loss=1% delay=25ms seed=1',
    back: 'delay=25ms seed=1',
    simulated: side,
    measured: { ...side, p95: 100_000 },
    distance: 0.5,
    distanceTolerant: 0.04,
    fatesDiffering: 0,
    lostSimulated: 20,
    lostMeasured: 21,
    measurement: {
      mode: 'socket',
      repeat: 1,
      congestionControl: 'reno',
      notsentLowat: 0xffff_ffff,
      kernel: '6.1.0',
      timerUsP99: 900,
      timerUsMax: 2_000,
      relayUsP50: 100,
      relayUsP99: 400,
      relayUsMax: 1_000,
      machineDrops: 0,
      attempts: disturbed ? 3 : 1,
      disturbed,
    },
    machine: {
      path: microseconds(200),
      datagramWakeUp: microseconds(700),
      streamWakeUp: microseconds(400),
      processTick: milliseconds(1),
      kernelTick: milliseconds(4),
    },
    verdict: 'agrees',
    misses: [],
    withinChance: false,
    ...changes,
  };
}

const OUTCOMES = [
  comparison({}),
  comparison({ verdict: 'differs', misses: ['p95'], withinChance: true }),
  comparison({ strategy: 'udp-kernel-nack', verdict: 'differs', misses: ['KS 0.200', 'p99'] }, true),
];

test('counts differing and disturbed comparisons, and leaves none out', () => {
  const calibration = conclude(OUTCOMES);
  expect(calibration).toMatchObject({ cells: 3, agreeing: 1, differing: 2, disturbed: 1, disturbedDiffering: 1 });
  expect(calibration.repeated).toBe(2);
  expect(calibration.strategies).toEqual([
    { strategy: 'tcp-kernel-reno', cells: 2, agreeing: 1, calm: 2, calmAgreeing: 1 },
    { strategy: 'udp-kernel-nack', cells: 1, agreeing: 0, calm: 0, calmAgreeing: 0 },
  ]);
  expect(calibrationConclusion(calibration)).toBe(
    '1 of 3 agree, 2 differ (1 of them within the variation between seeds); the machine disturbed 1 in every attempt, of which 1 differ; 2 runs were repeated',
  );
});

test('the table has one row per comparison, with ratios of simulator to kernel', () => {
  const [, ...lines] = calibrationText(OUTCOMES).split('\n');
  expect(lines[0]).toMatch(/tcp-kernel-reno .*80\.0 \| 100\.0 .*0\.50 \| 0\.04 +0\.80 +1\.00 +1\.00 .*agrees$/);
  expect(lines[2]).toMatch(/3 disturbed +KS 0\.200, p99$/);
});

test('an infinite delay is shown as never', () => {
  const never = comparison({ simulated: { ...side, p99: Number.POSITIVE_INFINITY } });
  expect(calibrationText([never])).toMatch(/never \| 120\.0 .* – /);
});

test('Markdown rows have all columns', () => {
  const page = calibrationMarkdown(OUTCOMES, { lateUsMax: 20_000, attemptsMax: 3 });
  const rows = page.split('\n').filter((line) => line.startsWith('| loss'));
  expect(rows).toHaveLength(3);
  for (const row of rows) expect(row.split(' | ')).toHaveLength(12);
  expect(page).toContain('**1 of 3 agree, 2 differ');
});
