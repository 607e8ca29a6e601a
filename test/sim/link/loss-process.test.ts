import { describe, expect, test } from 'vitest';
import { CLEAN_LINK } from '../../../sim/link/clean-link.ts';
import { LossProcess } from '../../../sim/link/loss-process.ts';

/** 2.58 standard errors: what a fair process stays within 99 times of 100. The seeds are fixed, so no run is unlucky. */
const STANDARD_ERRORS = 2.58;
const COUNT = 200_000;

function fates(link: { loss: number; burst?: number; seed?: number }, count = COUNT, direction = 'forward'): boolean[] {
  const process = new LossProcess({ ...CLEAN_LINK, ...link }, direction);
  return Array.from({ length: count }, () => process.next());
}

function runs(lost: readonly boolean[]): number[] {
  const lengths: number[] = [];
  let length = 0;
  for (const each of [...lost, false]) {
    if (each) length++;
    else if (length > 0) {
      lengths.push(length);
      length = 0;
    }
  }
  return lengths;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('independent losses', () => {
  test.each([0.001, 0.05, 0.3, 0.9])('%s of the datagrams are lost, in runs of 1/(1 − loss)', (loss) => {
    const lost = fates({ loss });
    const share = lost.filter(Boolean).length / COUNT;
    expect(Math.abs(share - loss)).toBeLessThan(STANDARD_ERRORS * Math.sqrt((loss * (1 - loss)) / COUNT));
    const lengths = runs(lost);
    const deviation = Math.sqrt(loss) / (1 - loss);
    const error = deviation / Math.sqrt(lengths.length);
    expect(Math.abs(mean(lengths) - 1 / (1 - loss))).toBeLessThan(STANDARD_ERRORS * error + 1e-9);
  });

  test('a burst no longer than chance gives by itself is independent loss', () => {
    expect(fates({ loss: 0.5, burst: 2 }, 1_000)).toEqual(fates({ loss: 0.5, burst: 1 }, 1_000));
  });
});

describe('bursts', () => {
  test.each([
    { loss: 0.01, burst: 2 },
    { loss: 0.05, burst: 3 },
    { loss: 0.05, burst: 20 },
    { loss: 0.4, burst: 10 },
  ])('loss $loss in runs of $burst', ({ loss, burst }) => {
    const lost = fates({ loss, burst });
    const lengths = runs(lost);
    const leave = 1 / burst;
    const enter = (loss * leave) / (1 - loss);
    // The chain's memory makes neighbors alike: the variance of the share grows by (1 + ρ)/(1 − ρ), ρ = 1 − enter − leave.
    const memory = (2 - enter - leave) / (enter + leave);
    const error = Math.sqrt((loss * (1 - loss) * memory) / COUNT);
    expect(Math.abs(lost.filter(Boolean).length / COUNT - loss)).toBeLessThan(STANDARD_ERRORS * error);
    const deviation = Math.sqrt(1 - leave) / leave;
    expect(Math.abs(mean(lengths) - burst)).toBeLessThan((STANDARD_ERRORS * deviation) / Math.sqrt(lengths.length));
  });

  test('the beginning is no better than the rest: the first datagram is lost as often as any', () => {
    const count = 4_000;
    let lost = 0;
    for (let seed = 0; seed < count; seed++) if (fates({ loss: 0.2, burst: 10, seed }, 1)[0]) lost++;
    expect(Math.abs(lost / count - 0.2)).toBeLessThan(STANDARD_ERRORS * Math.sqrt((0.2 * 0.8) / count));
  });
});

test('no loss loses nothing, and all of it everything', () => {
  expect(fates({ loss: 0 }, 10_000)).not.toContain(true);
  expect(fates({ loss: 1 }, 10_000)).not.toContain(false);
});

test('the same seed and direction have the same fates, others have others', () => {
  const link = { loss: 0.1, burst: 3, seed: 5 };
  expect(fates(link, 500)).toEqual(fates(link, 500));
  expect(fates({ ...link, seed: 6 }, 500)).not.toEqual(fates(link, 500));
  expect(fates(link, 500, 'back')).not.toEqual(fates(link, 500));
});
