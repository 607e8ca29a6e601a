import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

/** Shorter than what the receiver measures a queue over, so that some lie within that whole. */
const SLOT: Microseconds = 100_000;
/** And up to twice as long: what was measured in such a time is told within it. */
const MEMORY: Microseconds = 750_000;

/**
 * How long packets have waited here of late before they left, those that waited least: behind a large frame that is sent
 * at a limit all wait. To a receiver, which counts from the media time, this looks like a queue of the path.
 */
export class PacingDelay {
  readonly #delays = new WindowedMaximum({ slot: MEMORY });
  #slotEndsAt: Instant = Number.NEGATIVE_INFINITY;
  #least: Microseconds = 0;

  /** A media packet leaves that has waited so long since its frame was handed over. */
  onSent(now: Instant, waited: Microseconds): void {
    if (now < this.#slotEndsAt) {
      this.#least = Math.min(this.#least, waited);
      return;
    }
    this.#delays.observe(now, this.#least);
    this.#slotEndsAt = now + SLOT;
    this.#least = waited;
  }

  at(now: Instant): Microseconds {
    return Math.max(this.#delays.at(now), this.#least);
  }
}
