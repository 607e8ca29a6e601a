interface Sample {
  readonly at: number;
  readonly value: number;
}

/**
 * Maximum or minimum over a sliding window in constant space (Kathleen Nichols' algorithm, as in Linux'
 * lib/win_minmax.c). Keeps the best value and the best of two later sub-windows, so it may miss a second best.
 */
export class WindowedFilter {
  readonly #better: (one: number, other: number) => boolean;
  #best: [Sample, Sample, Sample];

  constructor(best: 'maximum' | 'minimum', initial: number) {
    this.#better = best === 'maximum' ? (one, other) => one >= other : (one, other) => one <= other;
    const sample = { at: 0, value: initial };
    this.#best = [sample, sample, sample];
  }

  get value(): number {
    return this.#best[0].value;
  }

  reset(at: number, value: number): void {
    const sample = { at, value };
    this.#best = [sample, sample, sample];
  }

  /** @param window length in the unit of `at`: time or rounds. */
  update(window: number, at: number, value: number): void {
    const sample = { at, value };
    const [first, second, third] = this.#best;
    if (this.#better(value, first.value) || at - third.at > window) {
      this.#best = [sample, sample, sample];
      return;
    }
    if (this.#better(value, second.value)) this.#best = [first, sample, sample];
    else if (this.#better(value, third.value)) this.#best = [first, second, sample];
    this.#age(window, sample);
  }

  #age(window: number, sample: Sample): void {
    const [first, second, third] = this.#best;
    const passed = sample.at - first.at;
    if (passed > window) {
      this.#best = sample.at - second.at > window ? [third, sample, sample] : [second, third, sample];
    } else if (second.at === first.at && passed > window / 4) this.#best = [first, sample, sample];
    else if (third.at === second.at && passed > window / 2) this.#best = [first, second, sample];
  }
}
