import type { MetricFamily, MetricSample } from './metric-family.ts';

/**
 * Keeps counters from falling where a frame or packet moves from one class to another: Prometheus takes a lower value for
 * a restart, and counts all of it again.
 */
export class HeldCounters {
  readonly #held = new Map<string, { readonly run: number; readonly value: number }>();

  /**
   * Returns the families with each counter at its highest value so far.
   * @param run number of the run that is counted; in another run the counters begin again.
   */
  hold(families: readonly MetricFamily[], run = 0): MetricFamily[] {
    return families.map((family) =>
      family.type === 'counter'
        ? { ...family, samples: family.samples.map((sample) => this.#holdSample(family.name, sample, run)) }
        : family,
    );
  }

  #holdSample(name: string, { labels, value }: MetricSample, run: number): MetricSample {
    const key = JSON.stringify([name, labels]);
    const before = this.#held.get(key);
    const highest = before?.run === run ? Math.max(before.value, value) : value;
    this.#held.set(key, { run, value: highest });
    return { labels, value: highest };
  }
}
