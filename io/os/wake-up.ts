import { elapsed, type Instant, inMilliseconds, NEVER } from '../../protocol/base/units.ts';
import { now } from './clock.ts';

/** Longest delay of setTimeout, milliseconds. */
const SLEEP_MS_MAX = 2 ** 31 - 1;

/** A timer that costs nothing to set again while it is already due early enough. */
export class WakeUp {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at: Instant = NEVER;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /**
   * Rings at `at` or up to a millisecond later; an earlier alarm that is pending is kept. Spurious calls are possible.
   */
  set(at: Instant | undefined): void {
    if (at === undefined || at >= this.#at) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#at = at;
    const sleepMs = Math.min(Math.max(Math.ceil(inMilliseconds(elapsed(now(), at))), 0), SLEEP_MS_MAX);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#at = NEVER;
      this.#ring();
    }, sleepMs);
  }

  clear(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = NEVER;
  }
}
