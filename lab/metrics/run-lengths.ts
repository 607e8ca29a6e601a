/** How long runs of losses are, from the fates of packets in their order. */
export class RunLengths {
  readonly #counts = new Map<number, number>();
  #run = 0;

  /** The next packet is lost, or not. */
  add(lost: boolean): void {
    if (lost) this.#run++;
    else this.#end();
  }

  /** Length and how often, shortest first; a run that goes on counts as it is. */
  histogram(): [length: number, count: number][] {
    this.#end();
    return [...this.#counts].sort(([one], [other]) => one - other);
  }

  /** Of a histogram; the mean of no runs is `null`. */
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
