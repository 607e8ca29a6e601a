import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';

/** Shorter than the receiver's window for queueing delay, so that some slots lie entirely within it. */
const SLOT: Microseconds = milliseconds(100);
/** Retention; effectively up to twice as long. Feedback on a packet arrives within this time. */
const MEMORY: Microseconds = milliseconds(750);

/**
 * Minimum recent waiting time of packets in the pacer. All packets behind a large frame wait when it is sent at a
 * limit; the receiver, which measures from the media time, sees this as queueing on the path.
 */
export class PacingDelay {
  readonly #delays = new WindowedMaximum({ slot: MEMORY });
  #slotEndsAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #least: Microseconds = microseconds(0);

  /** Records a media packet that leaves `waited` after its frame was handed over. */
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
