import { describe, expect, test } from 'vitest';
import { CLEAN_LINK } from '../../../sim/link/clean-link.ts';
import { LossProcess } from '../../../sim/link/loss-process.ts';

/**
 * 2.58 standard errors: the bound that a fair process keeps with probability 99 %. Fixed seeds make the outcome
 * constant.
 */
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
  test.each([0.001, 0.05, 0.3, 0.9])('loss %s has mean runs of 1/(1 − loss)', (loss) => {
    const lost = fates({ loss });
    const share = lost.filter(Boolean).length / COUNT;
    expect(Math.abs(share - loss)).toBeLessThan(STANDARD_ERRORS * Math.sqrt((loss * (1 - loss)) / COUNT));
    const lengths = runs(lost);
    const deviation = Math.sqrt(loss) / (1 - loss);
    const error = deviation / Math.sqrt(lengths.length);
    expect(Math.abs(mean(lengths) - 1 / (1 - loss))).toBeLessThan(STANDARD_ERRORS * error + 1e-9);
  });

  test('a burst of at most 1/(1 − loss) gives independent losses', () => {
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
    // Correlated neighbors raise the variance of the mean by (1 + ρ)/(1 − ρ), ρ = 1 − enter − leave.
    const memory = (2 - enter - leave) / (enter + leave);
    const error = Math.sqrt((loss * (1 - loss) * memory) / COUNT);
    expect(Math.abs(lost.filter(Boolean).length / COUNT - loss)).toBeLessThan(STANDARD_ERRORS * error);
    const deviation = Math.sqrt(1 - leave) / leave;
    expect(Math.abs(mean(lengths) - burst)).toBeLessThan((STANDARD_ERRORS * deviation) / Math.sqrt(lengths.length));
  });

  test('the first datagram is lost as often as any other', () => {
    const count = 4_000;
    let lost = 0;
    for (let seed = 0; seed < count; seed++) if (fates({ loss: 0.2, burst: 10, seed }, 1)[0]) lost++;
    expect(Math.abs(lost / count - 0.2)).toBeLessThan(STANDARD_ERRORS * Math.sqrt((0.2 * 0.8) / count));
  });
});

test('loss 0 loses nothing and loss 1 loses everything', () => {
  expect(fates({ loss: 0 }, 10_000)).not.toContain(true);
  expect(fates({ loss: 1 }, 10_000)).not.toContain(false);
});

test('equal seed and direction give equal fates, others differ', () => {
  const link = { loss: 0.1, burst: 3, seed: 5 };
  expect(fates(link, 500)).toEqual(fates(link, 500));
  expect(fates({ ...link, seed: 6 }, 500)).not.toEqual(fates(link, 500));
  expect(fates(link, 500, 'back')).not.toEqual(fates(link, 500));
});
