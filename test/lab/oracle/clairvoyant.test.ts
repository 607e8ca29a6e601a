import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { causalFront } from '../../../lab/oracle/causal.ts';
import { clairvoyant, type FrameDemand, type FrameJob, frameJobs } from '../../../lab/oracle/clairvoyant.ts';
import { instant, milliseconds } from '../../../protocol/base/units.ts';
import { CapacityCurve } from '../../../sim/link/capacity-curve.ts';
import { sharedFile, withSharedMedia } from '../../protocol/shared-media.ts';
import { at, linkOf } from '../../sim/link/links.ts';

const demand = (ms: number, bytesMin: number, bytesMax = bytesMin): FrameDemand => ({
  capturedAt: at(ms),
  bytesMin,
  bytesMax,
});
const total = (values: Iterable<number>): number => [...values].reduce((sum, each) => sum + each, 0);

/** 8 Mb/s: one kilobyte a millisecond. */
const LINE = CapacityCurve.of(linkOf('rate=8Mbit delay=10ms queue=1s'))!;

describe('the clairvoyant', () => {
  test('carries frames that fit, and misses one that cannot fit at all', () => {
    const frames = [demand(0, 30_000), demand(10, 50_000), demand(20, 1_000)];
    const { missed, bytes } = clairvoyant(frames, LINE, milliseconds(50));
    expect(missed).toBe(1);
    expect([...bytes]).toEqual([30_000, 0, 1_000]);
  });

  test('skips one large frame rather than several small ones', () => {
    const frames = [demand(0, 38_000), demand(1, 15_000), demand(2, 15_000), demand(3, 10_000)];
    const { missed, bytes } = clairvoyant(frames, LINE, milliseconds(50));
    expect(missed).toBe(1);
    expect([...bytes]).toEqual([0, 15_000, 15_000, 10_000]);
  });

  test('fills the capacity without taking the least size from later frames', () => {
    const frames = [demand(0, 1_000, 40_000), demand(0, 1_000, 40_000)];
    const { missed, bytes } = clairvoyant(frames, LINE, milliseconds(40));
    expect(missed).toBe(0);
    expect([...bytes]).toEqual([29_000, 1_000]);
  });

  /** True when all frames, at their least size and in order, are in time. */
  const isFeasible = (jobs: readonly FrameJob[]): boolean => {
    let free = 0;
    return jobs.every(({ release, due, bytesMin }) => {
      free = Math.max(free, release) + bytesMin;
      return free <= due;
    });
  };

  test('finds as few misses as the best of all subsets, at rates that no frame exceeds', () => {
    const frame = fc.record({ gap: fc.nat(12), bytes: fc.integer({ min: 100, max: 9_000 }), more: fc.nat(20_000) });
    const opportunities = fc.array(fc.nat(60), { minLength: 1, maxLength: 50 }).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 9 }),
        opportunities,
        fc.nat(80),
        (given, times, budget) => {
          const curve = CapacityCurve.of(linkOf('trace=x delay=5ms', `${[...times, 61].join('\n')}\n`))!;
          let now = 0;
          const frames = given.map(({ gap, bytes, more }) => {
            now += gap;
            return demand(now, bytes, bytes + more);
          });
          const jobs = frameJobs(frames, curve, milliseconds(budget));
          const { missed, bytes } = clairvoyant(frames, curve, milliseconds(budget));
          let most = 0;
          for (let subset = 0; subset < 1 << jobs.length; subset++) {
            const chosen = jobs.filter((_, index) => (subset >> index) & 1);
            if (chosen.length > most && isFeasible(chosen)) most = chosen.length;
          }
          expect(missed).toBe(frames.length - most);
          // The sizes given are carried in time themselves.
          const carried = jobs.flatMap((job, index) =>
            bytes[index]! > 0 ? [{ ...job, bytesMin: bytes[index]! }] : [],
          );
          expect(isFeasible(carried)).toBe(true);
          for (const { index, bytesMin } of carried) {
            expect(bytesMin).toBeGreaterThanOrEqual(frames[index]!.bytesMin);
            expect(bytesMin).toBeLessThanOrEqual(frames[index]!.bytesMax);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('the causal oracle', () => {
  const frames = Array.from({ length: 300 }, (_, index) => demand((index * 100) / 3, 400, 20_000));
  const options = {
    budget: milliseconds(150),
    frameInterval: milliseconds(100 / 3),
    knownAfter: milliseconds(10),
  };

  test('misses nothing and reaches the rate of a constant link', () => {
    const steady = CapacityCurve.of(linkOf('rate=4Mbit delay=10ms queue=1s'))!;
    const best = causalFront(frames, steady, options).find(({ missed }) => missed === 0)!;
    expect((best.bytes * 8) / 10).toBeGreaterThan(3_800_000);
  });

  test('never beats the clairvoyant, whatever the rule and the path', () => {
    const opportunities = fc
      .array(fc.nat(3_000), { minLength: 200, maxLength: 1_500 })
      .map((all) => `${[...all.sort((a, b) => a - b), 3_001].join('\n')}\n`);
    fc.assert(
      fc.property(opportunities, (text) => {
        const curve = CapacityCurve.of(linkOf('trace=x delay=10ms', text))!;
        const { missed, bytes } = clairvoyant(frames, curve, options.budget);
        const front = causalFront(frames, curve, options);
        for (const causal of front) {
          expect(causal.missed).toBeGreaterThanOrEqual(missed);
          expect(causal.bytes).toBeLessThanOrEqual(total(bytes) * (1 + 1e-9));
        }
        // Ascending in both figures: fewer misses cost bytes.
        expect(front.map(({ missed }) => missed)).toEqual(front.map(({ missed }) => missed).sort((a, b) => a - b));
        expect(front.map(({ bytes }) => bytes)).toEqual(front.map(({ bytes }) => bytes).sort((a, b) => a - b));
      }),
      { numRuns: 15 },
    );
  });
});

describe('on recorded mobile networks, with one packet for each opportunity', () => {
  const BUDGETS_MS = [150, 300, 1_000];

  /** Misses in percent and megabits per second, 30 fps, the first two seconds left out. */
  function limits(recording: string, seconds: number, kbps: readonly [min: number, max: number]) {
    const text = new TextDecoder().decode(sharedFile(`traces/${recording}`));
    const curve = CapacityCurve.of(linkOf('trace=x delay=20ms queue=500ms', text), 1_254)!;
    const frames = Array.from({ length: (seconds - 2) * 30 }, (_, index) => ({
      capturedAt: instant(2_001_000 + Math.round((index * 1e6) / 30)),
      bytesMin: (kbps[0] * 125) / 30,
      bytesMax: (kbps[1] * 125) / 30,
    }));
    return BUDGETS_MS.map((budgetMs) => {
      const { missed, bytes } = clairvoyant(frames, curve, milliseconds(budgetMs));
      return { misses: (100 * missed) / frames.length, rate: (total(bytes) * 8e-6) / (seconds - 2) };
    });
  }

  withSharedMedia('ATT-LTE-2016 has the known unavoidable misses', () => {
    const constant = limits('mahimahi_ATT-LTE-driving-2016.down', 120, [1_500, 1_500]);
    for (const [index, known] of [15.4, 12.3, 7.4].entries()) expect(constant[index]!.misses).toBeCloseTo(known, 1);
    const floor = limits('mahimahi_ATT-LTE-driving-2016.down', 120, [100, 6_000]);
    for (const [index, known] of [7.1, 3.8, 0.3].entries()) {
      expect(Math.abs(floor[index]!.misses - known)).toBeLessThan(0.1);
    }
    for (const [index, known] of [3.14, 3.21, 3.39].entries()) {
      expect(Math.abs(floor[index]!.rate / known - 1)).toBeLessThan(0.005);
    }
  });

  withSharedMedia('T-Mobile LTE short has the known unavoidable misses', () => {
    const floor = limits('mahimahi_TMobile-LTE-short.down', 140, [100, 6_000]);
    for (const [index, known] of [3.3, 2.1, 0].entries()) {
      expect(Math.abs(floor[index]!.misses - known)).toBeLessThan(0.1);
    }
  });
});
