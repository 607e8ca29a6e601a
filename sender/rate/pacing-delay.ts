import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

/** Shorter than what the receiver measures a queue over, so that some lie within that whole. */
const SLOT: Microseconds = milliseconds(100);
/** And up to twice as long: what was measured in such a time is told within it. */
const MEMORY: Microseconds = milliseconds(750);

/**
 * How long packets have waited here of late before they left, those that waited least: behind a large frame that is sent
 * at a limit all wait. To a receiver, which counts from the media time, this looks like a queue of the path.
 */
export class PacingDelay {
  readonly #delays = new WindowedMaximum({ slot: MEMORY });
  #slotEndsAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #least: Microseconds = microseconds(0);

  /** A media packet leaves that has waited so long since its frame was handed over. */
  onSent(now: Instant, waited: Microseconds): void {
    if (now < this.#slotEndsAt) {
      this.#least = microseconds(Math.min(this.#least, waited));
      return;
    }
    this.#delays.observe(now, this.#least);
    this.#slotEndsAt = later(now, SLOT);
    this.#least = waited;
  }

  at(now: Instant): Microseconds {
    return microseconds(Math.max(this.#delays.at(now), this.#least));
  }
}
