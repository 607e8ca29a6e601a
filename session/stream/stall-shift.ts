import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';

/**
 * The delay that stalls have added to the times of a stream. A picture that is shown before one that has left already
 * keeps the delay of that one: a picture moved behind it would be shown in another order than that of the decoder, which
 * then gives every later picture the time of its neighbor.
 */
export class StallShift {
  #total: Ticks = ticks(0);
  /** Delay of the pictures up to `#through`. */
  #before: Ticks = ticks(0);
  #through: Ticks = ticks(Number.NEGATIVE_INFINITY);
  /** Latest presentation time of a picture that has left. */
  #latest: Ticks = ticks(Number.NEGATIVE_INFINITY);

  /** Delay of what leaves from now on. */
  get total(): Ticks {
    return this.#total;
  }

  /** Everything that follows is late by this. */
  add(late: Ticks): void {
    if (this.#latest > this.#through) this.#before = this.#total;
    this.#through = this.#latest;
    this.#total = ticks(this.#total + late);
  }

  /** Returns the delay of a picture, which leaves now; called once for each, in decode order. */
  of(picture: Pick<AccessUnit, 'timestamp'>): Ticks {
    this.#latest = ticks(Math.max(this.#latest, picture.timestamp));
    return this.expected(picture);
  }

  /** Returns the delay of a picture that leaves later, as far as it is known. */
  expected({ timestamp }: Pick<AccessUnit, 'timestamp'>): Ticks {
    return timestamp <= this.#through ? this.#before : this.#total;
  }
}
