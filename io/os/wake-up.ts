import type { Instant } from '../../protocol/base/instant.ts';
import { now } from './clock.ts';

/** setTimeout takes no more. */
const SLEEP_MS_MAX = 2 ** 31 - 1;

/** One timer that can be set again at no cost while it is due early enough already. */
export class WakeUp {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at: Instant = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings at `at` or up to a millisecond later; an earlier call stands if it is due before. May ring for nothing. */
  set(at: Instant | undefined): void {
    if (at === undefined || at >= this.#at) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#at = at;
    const sleepMs = Math.min(Math.max(Math.ceil((at - now()) / 1_000), 0), SLEEP_MS_MAX);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    }, sleepMs);
  }

  clear(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
