import { type Instant, later, type Microseconds } from './units.ts';

/** The largest value of late: of the slot of time that runs and of the one before it. */
export class WindowedMaximum {
  readonly #slot: Microseconds;
  #endsAt: Instant | undefined;
  #before = 0;
  #current: number;

  /** @param options.slot length of a slot; `initial` counts as seen when the first value comes. */
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
