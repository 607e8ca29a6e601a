import { elapsed, type Instant, type Microseconds, microseconds, perSecond } from '../../protocol/base/units.ts';

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
  readonly time: Microseconds;
  readonly bytes: number;
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
  #samples: { readonly at: Instant; readonly rate: number; readonly supposed: boolean }[] = [];
  /** Rates of the samples in ascending order; `undefined` after a change. Quantiles are read for every packet. */
  #sortedRates: Float64Array | undefined;

  constructor(options: CapacityMeterOptions) {
    this.#options = options;
  }

  /** Records passages in the order of departure. */
  onPassage({ entersAt, leavesAt, bytes }: Passage): void {
    const before = this.#leftAt;
    if (before !== undefined && leavesAt < before) return;
    this.#leftAt = leavesAt;
    const queued = before !== undefined && entersAt <= before;
    const time = microseconds(leavesAt - (queued ? before : entersAt));
    if (!queued && time < this.#options.waitMin) return;
    this.#uses.push({ leavesAt, time, bytes });
  }

  /**
   * Capacity over the last window, bytes per second; `undefined` when the bottleneck was hardly in use.
   * @param silence time since a report is overdue, during which the bottleneck has carried nothing.
   */
  measure(silence: Microseconds): number | undefined {
    if (this.#leftAt === undefined) return undefined;
    const { window, timeMin } = this.#options;
    const from = this.#leftAt + silence - window;
    let time = Math.min(silence, window);
    let bytes = 0;
    let index = this.#uses.length - 1;
    for (; index >= this.#head; index--) {
      const use = this.#uses[index]!;
      if (use.leavesAt <= from) break;
      time += use.time;
      bytes += use.bytes;
    }
    this.#head = Math.max(0, index);
    if (this.#head > USES_KEPT) {
      this.#uses = this.#uses.slice(this.#head);
      this.#head = 0;
    }
    if (time === 0 || (bytes === 0 && silence <= 0)) return undefined;
    return perSecond(bytes, microseconds(Math.max(time, timeMin)));
  }

  /**
   * Enters a capacity among those of the memory; ∞ when it is unknown.
   * @param supposed true when it follows from missing reports only, and `withdraw` may remove it.
   */
  sample(now: Instant, rate: number, supposed: boolean): void {
    this.#samples.push({ at: now, rate, supposed });
    const { memory } = this.#options;
    let old = 0;
    while (old < this.#samples.length && elapsed(this.#samples[old]!.at, now) > memory) old++;
    if (old > 0) this.#samples.splice(0, old);
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    this.#sortedRates = undefined;
  }

  /** The capacity that a share of the samples in the memory falls below; `undefined` without samples. */
  quantile(share: number): number | undefined {
    const sorted = this.#sorted;
    return sorted[Math.floor(share * (sorted.length - 1))];
  }

  /** 90th percentile of the known samples in the memory relative to the 10th; 1 while there are too few. */
  get spread(): number {
    const known = this.#sorted.filter(Number.isFinite);
    if (known.length < SPREAD_SAMPLES_MIN) return 1;
    const rank = (share: number): number => known[Math.floor(share * (known.length - 1))]!;
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
    this.#sortedRates = undefined;
  }

  /** Forgets all samples. */
  forget(): void {
    this.#samples = [];
    this.#sortedRates = undefined;
  }

  get #sorted(): Float64Array {
    this.#sortedRates ??= Float64Array.from(this.#samples, ({ rate }) => rate).sort();
    return this.#sortedRates;
  }

  /** The supposed samples have proved true. */
  confirm(): void {
    if (this.#samples.some(({ supposed }) => supposed))
      this.#samples = this.#samples.map((sample) => ({ ...sample, supposed: false }));
  }
}

/** Superseded entries before the list is shortened. */
const USES_KEPT = 4_096;
/** Samples of a third of a second. */
const SPREAD_SAMPLES_MIN = 20;
const SPREAD_HIGH = 0.9;
/** More than the frames and reports in any memory. */
const SAMPLES_MAX = 512;
