import { type Instant, type Microseconds, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

/** Averaging length in packets, the same as of the receiver's estimate of the loss. */
const MEMORY_PACKETS = 4_096;
/** A wait above this share of the longest of the last five to ten seconds, and above the least one, is long. */
const LONG_OF_LONGEST = 0.15;
const LONG_MIN: Microseconds = milliseconds(10);
const LONGEST_MEMORY: Microseconds = seconds(5);
/** Losses attributed to the path in advance, so that the first few decide nothing. */
const PRIOR = 4;

/** Packets reported, and those of them that were lost, decaying. */
interface Tally {
  packets: number;
  lost: number;
}

/**
 * Attributes losses to a full queue or to the path. A queue loses packets when it is full, next to packets that waited
 * long; the path loses them at any time. Jitter makes packets wait as well, but not those next to a loss in particular.
 */
export class QueueLosses {
  readonly #longest = new WindowedMaximum({ slot: LONGEST_MEMORY });
  readonly #all: Tally = { packets: 0, lost: 0 };
  readonly #withoutQueue: Tally = { packets: 0, lost: 0 };
  #waitBefore: Microseconds = microseconds(0);

  /**
   * Share of the losses that the path would have without a queue, 0 … 1: the loss next to packets that did not wait
   * long, relative to that of all packets.
   */
  get shareOfPath(): number {
    if (this.#all.packets === 0) return 1;
    const expected = (this.#all.lost * this.#withoutQueue.packets) / this.#all.packets;
    return Math.min(1, (this.#withoutQueue.lost + PRIOR) / (expected + PRIOR));
  }

  /** @param waits of the packets of a report in the order of departure; `undefined` for one that was lost. */
  onReport(now: Instant, waits: readonly (Microseconds | undefined)[]): void {
    const keep = (1 - 1 / MEMORY_PACKETS) ** waits.length;
    for (const tally of [this.#all, this.#withoutQueue]) {
      tally.packets *= keep;
      tally.lost *= keep;
    }
    let lost = 0;
    for (const wait of waits) {
      if (wait === undefined) {
        lost++;
        continue;
      }
      this.#longest.observe(now, wait);
      this.#count(now, { packets: lost + 1, lost }, microseconds(Math.max(wait, this.#waitBefore)));
      this.#waitBefore = wait;
      lost = 0;
    }
    this.#count(now, { packets: lost, lost }, this.#waitBefore);
  }

  #count(now: Instant, { packets, lost }: Tally, wait: Microseconds): void {
    const isLong = wait >= Math.max(LONG_MIN, this.#longest.at(now) * LONG_OF_LONGEST);
    for (const tally of isLong ? [this.#all] : [this.#all, this.#withoutQueue]) {
      tally.packets += packets;
      tally.lost += lost;
    }
  }
}
