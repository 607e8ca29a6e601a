import { describe, expect, test } from 'vitest';
import { noticesOfEnd, repairsOfLastAnswer, repairsOfWindow } from '../../../sender/repair/repair-budget.ts';
import { shortfallProbabilities } from '../../../sender/repair/shortfall-probability.ts';

/** Reference: sums the probability of every loss pattern in the chain by its number of losses. */
function enumerated(packets: number, { loss, burst }: { loss: number; burst: number }, more: number): number {
  const gilbert = burst * (1 - loss) > 1;
  const leave = gilbert ? 1 / burst : 1 - loss;
  const enter = gilbert ? (loss * leave) / (1 - loss) : loss;
  let sum = 0;
  for (let pattern = 0; pattern < 2 ** packets; pattern++) {
    let chance = 1;
    let lost = 0;
    for (let index = 0; index < packets; index++) {
      const bad = ((pattern >> index) & 1) === 1;
      const before = ((pattern >> (index - 1)) & 1) === 1;
      const turnsBad = index === 0 ? loss : before ? 1 - leave : enter;
      chance *= bad ? turnsBad : 1 - turnsBad;
      lost += bad ? 1 : 0;
    }
    if (lost > more) sum += chance;
  }
  return sum;
}

/** Worth of a reference frame, packets. */
const WORTH = 333;

describe('the probability that repair packets do not suffice', () => {
  test.each([
    { loss: 0.05, burst: 1 },
    { loss: 0.3, burst: 1 },
    { loss: 0.1, burst: 8 },
    { loss: 0.02, burst: 3 },
    { loss: 0, burst: 1 },
    { loss: 1, burst: 5 },
  ])('is what counting every pattern gives ($loss, runs of $burst)', (path) => {
    for (const packets of [1, 2, 5, 9]) {
      const chances = shortfallProbabilities(packets, path, 5);
      expect(chances).toHaveLength(6);
      for (const [repairs, chance] of chances.entries()) {
        expect(chance).toBeCloseTo(enumerated(packets + repairs, path, repairs), 10);
      }
    }
  });
});

describe('the last answer', () => {
  test('has more repair packets with a higher loss and a higher worth', () => {
    const at = (loss: number) => repairsOfLastAnswer(1, { loss, burst: 1 }, WORTH);
    expect([0, 0.001, 0.05, 0.1, 0.3].map(at)).toEqual([0, 0, 1, 2, 4]);
    const worth = (packets: number) => repairsOfLastAnswer(1, { loss: 0.05, burst: 1 }, packets);
    expect([worth(1_000), worth(333), worth(50)]).toEqual([2, 1, 1]);
  });

  test('of many packets at high loss has some, although the first of them save nothing', () => {
    expect(repairsOfLastAnswer(100, { loss: 0.1, burst: 1 }, 1_000)).toBeGreaterThan(15);
  });

  test('of several packets shares its repair packets among them', () => {
    const repairs = repairsOfLastAnswer(6, { loss: 0.1, burst: 1 }, WORTH);
    expect(repairs).toBeGreaterThan(repairsOfLastAnswer(1, { loss: 0.1, burst: 1 }, WORTH));
    expect(repairs).toBeLessThan(6);
  });
});

describe('a sliding window', () => {
  test('needs no repair packets without loss', () => {
    expect(repairsOfWindow({ packets: 36, frames: 3, worth: WORTH }, { loss: 0, burst: 1 })).toBe(0);
  });

  test('of many packets needs about as many as are lost and some more, although the first of them save nothing', () => {
    const repairs = repairsOfWindow({ packets: 252, frames: 21, worth: WORTH }, { loss: 0.05, burst: 1 });
    expect(repairs).toBeGreaterThan(252 * 0.05 * 1.5);
    expect(repairs).toBeLessThan(252 * 0.05 * 3);
  });

  test('needs more at higher loss, up to half of its packets', () => {
    const at = (loss: number, burst = 1) => repairsOfWindow({ packets: 36, frames: 3, worth: WORTH }, { loss, burst });
    const counts = [0.001, 0.01, 0.05, 0.2].map((loss) => at(loss));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts[0]).toBeGreaterThan(0);
    expect(at(0.01)).toBeGreaterThanOrEqual(3);
    expect(at(0.01, 3)).toBeGreaterThan(at(0.01));
    expect(at(0.9)).toBeLessThanOrEqual(18);
  });
});

describe('the end of a frame', () => {
  test('is announced by one notice for isolated losses, by more for bursts, by none at low loss', () => {
    const at = (loss: number, burst: number) => noticesOfEnd({ loss, burst }, 1_000);
    expect([at(0, 1), at(0.00003, 1), at(0.001, 1), at(0.02, 1)]).toEqual([0, 0, 1, 2]);
    expect(at(0.02, 4)).toBe(6);
    expect(noticesOfEnd({ loss: 0.0005, burst: 1 }, 50)).toBe(0);
  });
});
