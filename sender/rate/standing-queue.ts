import { type Instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { DelayBase } from './delay-base.ts';

/** The shortest wait of the last one or two of these tells a queue that stands from one that a frame makes. */
const SLOT: Microseconds = milliseconds(50);
/** Waits up to this are the receiver's clock (1/1024 s) and timers. */
const WAIT_MIN: Microseconds = milliseconds(10);
/** Reports over which the variation is averaged: some ten seconds. */
const REPORTS = 256;
/** Uniform jitter varies by a third of its range between two packets, and its shortest wait of a slot is below that. */
const VARIATIONS = 2;

/**
 * Tells a queue from jitter. Jitter differs from packet to packet, so the shortest of a few waits is small; in a queue,
 * all of them are long. The more the waits vary in general, the longer a queue has to be.
 */
export class StandingQueue {
  readonly #least = new DelayBase(SLOT);
  #before: Microseconds | undefined;
  #variation = 0;
  #reports = 0;

  /** @param waits of the datagrams of a report, in the order of departure; at least one. */
  observe(now: Instant, waits: readonly Microseconds[]): void {
    for (const wait of waits) this.#least.observe(now, wait);
    const newest = waits.at(-1)!;
    if (this.#before !== undefined) {
      this.#reports = Math.min(this.#reports + 1, REPORTS);
      this.#variation += (Math.abs(newest - this.#before) - this.#variation) / this.#reports;
    }
    this.#before = newest;
  }

  /** Waits up to this may be jitter. */
  get jitter(): Microseconds {
    return microseconds(WAIT_MIN + VARIATIONS * this.#variation);
  }

  /** Time that every datagram waits at present; 0 while it may be jitter. */
  get length(): Microseconds {
    const least = this.#least.value;
    return Number.isFinite(least) && least > this.jitter ? least : microseconds(0);
  }
}
