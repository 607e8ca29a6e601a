import { type Instant, later, type Microseconds, microseconds, seconds } from '../../protocol/base/units.ts';

/** Memory, effectively up to twice as long, so that a standing queue does not pass for the path. */
const MEMORY: Microseconds = seconds(15);

/** Shortest transit seen on the path of late, from which queueing delay is measured. */
export class FastestTransit {
  #current: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  #before: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  #endsAt: Instant | undefined;

  /** Records a transit. @returns the shortest one, this one included. */
  observe(now: Instant, transit: Microseconds): Microseconds {
    this.#endsAt ??= later(now, MEMORY);
    if (now >= this.#endsAt) {
      this.#before = this.#current;
      this.#current = microseconds(Number.POSITIVE_INFINITY);
      this.#endsAt = later(now, MEMORY);
    }
    this.#current = microseconds(Math.min(this.#current, transit));
    return microseconds(Math.min(this.#current, this.#before));
  }
}
