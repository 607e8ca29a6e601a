import { expect, test } from 'vitest';
import { type ElliottFit, fitElliott } from '../../../lab/capture/elliott-fit.ts';
import { RandomStream } from '../../../sim/random.ts';

/** Losses of a chain that steps per datagram. */
function drawn(packets: number, [p, r, h, k]: readonly [number, number, number, number]): Uint8Array {
  const random = new RandomStream(7, 'losses');
  const share = (index: number) => random.below(index, 1_000_000) / 1_000_000;
  let isBad = false;
  return Uint8Array.from({ length: packets }, (_, index) => {
    const lost = share(2 * index) < (isBad ? h : k) ? 1 : 0;
    if (share(2 * index + 1) < (isBad ? r : p)) isBad = !isBad;
    return lost;
  });
}

/** The forward recursion as in the textbook: a step for each datagram. */
function likelihoodOf(lost: Uint8Array, { enterBad, leaveBad, lossInBad, lossInGood }: ElliottFit): number {
  const [p, r, h, k] = [enterBad.value, leaveBad.value, lossInBad.value, lossInGood.value];
  let [good, bad, total] = [r / (p + r), p / (p + r), 0];
  for (const [index, each] of lost.entries()) {
    if (index > 0) [good, bad] = [good * (1 - p) + bad * r, good * p + bad * (1 - r)];
    good *= each ? k : 1 - k;
    bad *= each ? h : 1 - h;
    const weight = good + bad;
    total += Math.log(weight);
    good /= weight;
    bad /= weight;
  }
  return total;
}

test.each([
  ['seldom', [0.01, 0.1, 0.5, 0.001]],
  ['half of the time', [0.05, 0.06, 0.9, 0.1]],
  ['in long runs', [0.002, 0.01, 1, 0]],
] as const)('the likelihood of losses that come %s is that of the textbook', (_, chain) => {
  for (const first of [0, 1]) {
    const lost = drawn(20_000, chain);
    lost[0] = first;
    const fit = fitElliott(lost)!;
    expect(fit.likelihood).toBeCloseTo(likelihoodOf(lost, fit), 4);
    expect(fit.lossInBad.low).toBeLessThanOrEqual(fit.lossInBad.value);
    expect(fit.lossInBad.high).toBeGreaterThanOrEqual(fit.lossInBad.value);
  }
});

test('returns nothing when the chain explains the losses no better than wanted', () => {
  const lost = drawn(20_000, [0.01, 0.1, 0.5, 0.001]);
  const { likelihood } = fitElliott(lost)!;
  expect(fitElliott(lost, likelihood)).toBeUndefined();
  expect(fitElliott(lost, likelihood - 1)?.likelihood).toBe(likelihood);
});
