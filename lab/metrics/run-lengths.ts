/** Lengths of loss bursts, from packet fates in order. */
export class RunLengths {
  readonly #counts = new Map<number, number>();
  #run = 0;

  /** Adds the fate of the next packet. */
  add(lost: boolean): void {
    if (lost) this.#run++;
    else this.#end();
  }

  /** Returns burst lengths with their counts, shortest first. An unfinished burst counts with its current length. */
  histogram(): [length: number, count: number][] {
    this.#end();
    return [...this.#counts].sort(([one], [other]) => one - other);
  }

  /** Summarizes a histogram; the mean is `null` without bursts. */
  static summarize(histogram: readonly (readonly [length: number, count: number])[]): {
    readonly runs: number;
    readonly mean: number | null;
    readonly max: number;
  } {
    let runs = 0;
    let lost = 0;
    for (const [length, count] of histogram) {
      runs += count;
      lost += length * count;
    }
    return { runs, mean: runs === 0 ? null : lost / runs, max: histogram.at(-1)?.[0] ?? 0 };
  }

  #end(): void {
    if (this.#run > 0) this.#counts.set(this.#run, (this.#counts.get(this.#run) ?? 0) + 1);
    this.#run = 0;
  }
}
