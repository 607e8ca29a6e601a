import { type Instant, later, type Microseconds } from './units.ts';

/** Maximum over the current and the previous time slot. */
export class WindowedMaximum {
  readonly #slot: Microseconds;
  #endsAt: Instant | undefined;
  #before = 0;
  #current: number;

  /** @param options.slot length of a slot. @param options.initial counts as a value at the time of the first value. */
  constructor(options: { readonly slot: Microseconds; readonly initial?: number }) {
    this.#slot = options.slot;
    this.#current = options.initial ?? 0;
  }

  observe(now: Instant, value: number): void {
    this.#advance(now);
    if (value > this.#current) this.#current = value;
  }

  at(now: Instant): number {
    this.#advance(now);
    return Math.max(this.#before, this.#current);
  }

  #advance(now: Instant): void {
    this.#endsAt ??= later(now, this.#slot);
    if (now < this.#endsAt) return;
    this.#before = now < this.#endsAt + this.#slot ? this.#current : 0;
    this.#current = 0;
    this.#endsAt = later(now, this.#slot);
  }
}
