import { type Instant, later, type Microseconds } from './units.ts';

/**
 * Maximum over the current and the previous time slot; of numbers with their sign changed, the minimum.
 *
 * Two windows are kept elsewhere: `PlayoutClock` needs finer slots than two, aligned to each other, and the modelled BBR
 * has the three samples of Linux (`sim/tcp/windowed-filter.ts`).
 */
export class WindowedMaximum {
  readonly #slot: Microseconds;
  readonly #least: number;
  readonly #outlastsSilence: boolean;
  #endsAt: Instant | undefined;
  #before: number;
  #current: number;

  /**
   * @param options.slot length of a slot. @param options.initial counts as a value at the time of the first value.
   * @param options.least value of an empty slot, 0 by default. @param options.outlastsSilence true to keep the newest
   * slot with a value through any silence; false to forget it after a slot without one.
   */
  constructor(options: {
    readonly slot: Microseconds;
    readonly initial?: number;
    readonly least?: number;
    readonly outlastsSilence?: boolean;
  }) {
    this.#slot = options.slot;
    this.#least = options.least ?? 0;
    this.#outlastsSilence = options.outlastsSilence === true;
    this.#before = this.#least;
    this.#current = options.initial ?? this.#least;
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
    const isRecent = this.#outlastsSilence || now < this.#endsAt + this.#slot;
    this.#before = isRecent ? this.#current : this.#least;
    this.#current = this.#least;
    this.#endsAt = later(now, this.#slot);
  }
}
