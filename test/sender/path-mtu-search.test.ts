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
  /** True for probes that the receiver's own system drops, by their index. */
  hostDrops: (index: number) => boolean = () => false;
  /** True for probes that the path loses, by their index. */
  loses: (index: number) => boolean = () => false;
  #dropped = 0;
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
        const index = this.probes.push(probe.bytes) - 1;
        if (probe.bytes > this.carries || this.loses(index)) continue;
        if (this.hostDrops(index)) this.#dropped++;
        else this.#answer(now, probe.number);
      }
    }
    return this;
  }

  #answer(now: Instant, number: number): void {
    this.search.handleAnswer(later(now, ROUND_TRIP), { number, hostDrops: this.#dropped });
  }
}

describe('the search for the path MTU', () => {
  test('starts at a length that every path carries, and ends after one round when the longest fits', () => {
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
    expect(path.probes).toEqual(Array.from({ length: 6 }, () => [1_200, 548]).flat());
  });

  test('does not shrink for probes that the receiver drops itself', () => {
    const path = new Path(1_472);
    path.search.start();
    path.until(1_000);
    // Of each round the short probe arrives only.
    path.hostDrops = (index) => path.probes[index] === 1_200;
    path.until(9_000, (now) => path.search.handleLoss(now));
    expect(path.search.bytes).toBe(1_200);
  });

  test('finds the full length under drops of the receiver, however many of the first probes they hit', () => {
    const path = new Path(1_472);
    path.hostDrops = (index) => path.probes[index] === 1_200 && index < 14;
    path.search.start();
    path.until(4_000);
    expect(path.search.bytes).toBe(1_200);
  });

  test('still shrinks for a path that became narrower while the receiver drops some datagrams', () => {
    const path = new Path(1_472);
    path.search.start();
    path.until(1_000);
    path.carries = 900;
    path.hostDrops = (index) => index % 6 < 2;
    path.until(9_000, (now) => path.search.handleLoss(now));
    expect(path.search.bytes).toBeLessThanOrEqual(900);
    expect(path.search.bytes).toBeGreaterThan(880);
  });

  test('keeps its length through an outage of the path', () => {
    const path = new Path(1_472);
    path.search.start();
    path.until(1_000);
    path.loses = () => true;
    path.until(4_000, (now) => path.search.handleLoss(now));
    expect(path.search.bytes).toBe(1_200);
  });

  test('accepts a receiver that does not report its drops', () => {
    const search = new PathMtuSearch({ bytesMax: 1_200 });
    search.start();
    for (let round = 0; round < 3; round++) {
      const [long, short] = [search.pollProbe(at(1_000 * round))!, search.pollProbe(at(1_000 * round))!];
      expect([long.bytes, short.bytes]).toEqual([1_200, 548]);
      search.handleAnswer(at(1_000 * round + 20), { number: short.number });
      search.handleTimeout(at(1_000 * round + 900));
    }
    expect(search.pollProbe(at(3_000))?.bytes).toBe(872);
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
