import { describe, expect, test } from 'vitest';
import { type Instant, instant, later, milliseconds } from '../../protocol/base/units.ts';
import { PathMtuSearch } from '../../sender/path-mtu-search.ts';

const at = (ms: number) => instant(milliseconds(ms));
const ROUND_TRIP = milliseconds(20);

/** A search over a path that carries datagrams up to a length, which may change. */
class Path {
  readonly search: PathMtuSearch;
  readonly probes: number[] = [];
  carries: number;
  #now: Instant = instant(0);

  constructor(carries: number, bytesMax = 1_200) {
    this.carries = carries;
    this.search = new PathMtuSearch({ bytesMax });
  }

  until(ms: number, act?: (now: Instant) => void): this {
    for (; this.#now <= at(ms); this.#now = later(this.#now, milliseconds(5))) {
      const now = this.#now;
      act?.(now);
      const due = this.search.pollTimeout();
      if (due !== undefined && due <= now) this.search.handleTimeout(now);
      for (let probe = this.search.pollProbe(now); probe; probe = this.search.pollProbe(now)) {
        this.probes.push(probe.bytes);
        if (probe.bytes <= this.carries) this.#answer(now, probe.number);
      }
    }
    return this;
  }

  #answer(now: Instant, number: number): void {
    this.search.handleAnswer(later(now, ROUND_TRIP), number);
  }
}

describe('the search for the path MTU', () => {
  test('starts at a length that every path carries, and ends after one probe when the longest fits', () => {
    const path = new Path(1_472);
    expect(path.search.bytes).toBe(548);
    path.search.start();
    path.until(1_000);
    expect([path.search.bytes, path.probes]).toEqual([1_200, [1_200]]);
  });

  test('finds what a narrower path carries, to within a hundredth', () => {
    for (const carries of [972, 548, 600, 1_199]) {
      const path = new Path(carries);
      path.search.start();
      path.until(4_000);
      expect(path.search.bytes).toBeLessThanOrEqual(carries);
      expect(path.search.bytes).toBeGreaterThan(carries - 16);
    }
  });

  test('follows a path that becomes narrower, within a second of the first losses', () => {
    const path = new Path(1_472);
    path.search.start();
    path.until(5_000);
    path.carries = 900;
    path.until(6_000, (now) => path.search.handleLoss(now));
    expect(path.search.bytes).toBeLessThanOrEqual(900);
  });

  test('follows a path that becomes wider again', () => {
    const path = new Path(900);
    path.search.start();
    path.until(4_000);
    path.carries = 1_472;
    path.until(12_000);
    expect(path.search.bytes).toBe(1_200);
  });

  test('does not shrink for losses that do not depend on length', () => {
    const path = new Path(1_472);
    path.search.start();
    path.until(9_000, (now) => path.search.handleLoss(now));
    expect(path.search.bytes).toBe(1_200);
  });

  test('sends the longest datagrams to a receiver that answers no probe', () => {
    const path = new Path(0);
    path.search.start();
    path.until(5_000);
    expect(path.search.bytes).toBe(1_200);
    expect(path.probes).toEqual([1_200, 1_200, 1_200, 548, 548, 548]);
  });

  test('counts a refusal of the operating system as a probe that does not fit', () => {
    const search = new PathMtuSearch({ bytesMax: 1_200 });
    search.start();
    const first = search.pollProbe(at(0))!;
    search.handleRefused(at(0), first.number);
    expect(search.pollProbe(at(0))).toMatchObject({ bytes: 548 });
  });

  test('never exceeds the maximum length, however short', () => {
    const path = new Path(1_472, 301);
    path.search.start();
    path.until(1_000);
    expect([path.search.bytes, path.probes]).toEqual([301, [300]]);
  });
});
