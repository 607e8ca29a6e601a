import {
  elapsed,
  type Instant,
  type Microseconds,
  microseconds,
  milliseconds,
  perSecond,
} from '../../protocol/base/units.ts';

export interface CapacityMeterOptions {
  /** Time over which the current capacity is averaged. */
  readonly window: Microseconds;
  /** Time over which the lowest recent capacities are looked for. */
  readonly memory: Microseconds;
  /** Shortest time in use from which a capacity is computed; also what the clocks' resolution asks for. */
  readonly timeMin: Microseconds;
  /** A datagram that waited less than this found the bottleneck idle. */
  readonly waitMin: Microseconds;
}

/** A datagram's passage through the bottleneck, on a clock without the path's base delay. */
export interface Passage {
  /** When it would have left an idle bottleneck. */
  readonly entersAt: Microseconds;
  readonly leavesAt: Microseconds;
  readonly bytes: number;
}

/** Time for which the bottleneck was known to be in use, and what it carried. */
interface Use {
  readonly leavesAt: Microseconds;
  /** 0 for a datagram that found the bottleneck idle, or left it together with the one before. */
  readonly time: Microseconds;
  /** True when no datagram of ours was in front of it. */
  readonly isFirst: boolean;
  readonly wait: Microseconds;
  readonly bytes: number;
}

/** Capacity over a window, and the evidence for it. */
export interface MeasuredCapacity {
  /** Bytes per second. */
  readonly rate: number;
  /** Share of the time in use that passed before the first datagram of a queue, 0 … 1. */
  readonly firstShare: number;
  /** Bytes per second that passed over the last 300 ms, whether or not they tell the capacity. */
  readonly passed: number;
  /** Longest wait in the window. */
  readonly waitMax: Microseconds;
}

interface Sample {
  readonly at: Instant;
  readonly rate: number;
  readonly supposed: boolean;
  /** Time since the sample before, microseconds. */
  readonly time: number;
}

/**
 * Capacity of the bottleneck, from the times at which it was certainly in use: from a datagram that waited to the next
 * one that did. The time in between is not counted, so that a stream below the capacity measures it as well: by the
 * dispersion of the packets of a frame.
 */
export class CapacityMeter {
  readonly #options: CapacityMeterOptions;
  #uses: Use[] = [];
  #head = 0;
  #leftAt: Microseconds | undefined;
  #samples: Sample[] = [];
  /** The samples by ascending rate; `undefined` after a change. Quantiles are read for every packet. */
  #sorted: readonly Sample[] | undefined;
  #lowest: { readonly share: number; readonly rate: number | undefined } | undefined;

  constructor(options: CapacityMeterOptions) {
    this.#options = options;
  }

  /** Records passages in the order of departure. */
  onPassage({ entersAt, leavesAt, bytes }: Passage): void {
    const before = this.#leftAt;
    if (before !== undefined && leavesAt < before) return;
    this.#leftAt = leavesAt;
    const queued = before !== undefined && entersAt <= before;
    const wait = microseconds(leavesAt - entersAt);
    const time = queued ? leavesAt - before : wait < this.#options.waitMin ? 0 : wait;
    this.#uses.push({ leavesAt, time: microseconds(time), isFirst: !queued, wait, bytes });
  }

  /**
   * Capacity over the last window, bytes per second; `undefined` when the bottleneck was hardly in use.
   * @param silence time since a report is overdue, during which the bottleneck has carried nothing.
   */
  measure(silence: Microseconds): MeasuredCapacity | undefined {
    if (this.#leftAt === undefined) return undefined;
    const { window, timeMin } = this.#options;
    const until = this.#leftAt + silence;
    const passedTime = microseconds(Math.max(window, PASSED_TIME));
    let time = Math.min(silence, window);
    let first = time;
    let bytes = 0;
    let passed = 0;
    let waitMax = silence;
    let index = this.#uses.length - 1;
    for (; index >= this.#head; index--) {
      const use = this.#uses[index]!;
      if (use.leavesAt <= until - passedTime) break;
      passed += use.bytes;
      if (use.leavesAt <= until - window) continue;
      waitMax = microseconds(Math.max(waitMax, use.wait));
      if (use.isFirst && use.time === 0) continue;
      time += use.time;
      bytes += use.bytes;
      if (use.isFirst) first += use.time;
    }
    this.#head = Math.max(0, index);
    if (this.#head > USES_KEPT) {
      this.#uses = this.#uses.slice(this.#head);
      this.#head = 0;
    }
    if (time === 0 || (bytes === 0 && silence <= 0)) return undefined;
    const rate = perSecond(bytes, microseconds(Math.max(time, timeMin)));
    return { rate, firstShare: first / time, passed: perSecond(passed, passedTime), waitMax };
  }

  /**
   * Enters a capacity among those of the memory; ∞ when it is unknown.
   * @param supposed true when it follows from missing reports only, and `withdraw` may remove it.
   */
  sample(now: Instant, rate: number, supposed: boolean): void {
    const before = this.#samples.at(-1);
    this.#samples.push({ at: now, rate, supposed, time: Math.max(1, before ? elapsed(before.at, now) : 1) });
    const { memory } = this.#options;
    let old = 0;
    while (old < this.#samples.length && elapsed(this.#samples[old]!.at, now) > memory) old++;
    if (old > 0) this.#samples.splice(0, old);
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    this.#forgetOrder();
  }

  /** The capacity that a share of the samples in the memory falls below; `undefined` without samples. */
  quantile(share: number): number | undefined {
    const sorted = this.#inOrder;
    return sorted[Math.floor(share * (sorted.length - 1))]?.rate;
  }

  /**
   * The capacity that the path fell below for a share of the time in the memory; `undefined` without samples. Samples
   * are more frequent while reports are missing than while few arrive, so that their number does not tell the time.
   */
  timeQuantile(share: number): number | undefined {
    if (this.#lowest?.share === share) return this.#lowest.rate;
    const sorted = this.#inOrder;
    let left = share * sorted.reduce((sum, { time }) => sum + time, 0);
    const found = sorted.find(({ time }) => {
      left -= time;
      return left < 0;
    });
    const rate = (found ?? sorted.at(-1))?.rate;
    this.#lowest = { share, rate };
    return rate;
  }

  /** 90th percentile of the known samples in the memory relative to the 10th; 1 while there are too few. */
  get spread(): number {
    const known = this.#inOrder.filter(({ rate }) => Number.isFinite(rate));
    if (known.length < SPREAD_SAMPLES_MIN) return 1;
    const rank = (share: number): number => known[Math.floor(share * (known.length - 1))]!.rate;
    return rank(SPREAD_HIGH) / rank(1 - SPREAD_HIGH);
  }

  /** Forgets passages whose times are on a clock that was set since. */
  restart(): void {
    this.#leftAt = undefined;
    this.#uses = [];
    this.#head = 0;
  }

  /** Removes the supposed samples: the reports were late, not the datagrams. */
  withdraw(): void {
    this.#samples = this.#samples.filter(({ supposed }) => !supposed);
    this.#forgetOrder();
  }

  /** Forgets all samples. */
  forget(): void {
    this.#samples = [];
    this.#forgetOrder();
  }

  get #inOrder(): readonly Sample[] {
    // Infinite rates have no difference.
    this.#sorted ??= this.#samples.toSorted((one, other) =>
      one.rate < other.rate ? -1 : Number(one.rate > other.rate),
    );
    return this.#sorted;
  }

  #forgetOrder(): void {
    this.#sorted = undefined;
    this.#lowest = undefined;
  }

  /** The supposed samples have proved true. */
  confirm(): void {
    if (!this.#samples.some(({ supposed }) => supposed)) return;
    this.#samples = this.#samples.map((sample) => ({ ...sample, supposed: false }));
    this.#forgetOrder();
  }
}

/** Time over which the bytes that passed are counted: nine frames, or the gap between reports of a narrow path. */
const PASSED_TIME: Microseconds = milliseconds(300);
/** Superseded entries before the list is shortened. */
const USES_KEPT = 4_096;
/** Samples of a third of a second. */
const SPREAD_SAMPLES_MIN = 20;
const SPREAD_HIGH = 0.9;
/** More than the frames and reports in any memory. */
const SAMPLES_MAX = 512;
