import type { Instant } from './units.ts';

/** A budget filled over time and by earnings, which limits the work that a peer can cause. */
export class RateBudget {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at: Instant | undefined;

  /**
   * @param options.perSecond amount added per second. @param options.burst initial amount, and limit of the savings.
   */
  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
  }

  earn(amount: number): void {
    this.#left = Math.min(this.#burst, this.#left + amount);
  }

  /** Returns false, and spends nothing, when the balance is too low. */
  spend(now: Instant, cost: number): boolean {
    this.#fill(now);
    if (cost > this.#left) return false;
    this.#left -= cost;
    return true;
  }

  /** True when this much is left; spends nothing. */
  has(now: Instant, cost: number): boolean {
    this.#fill(now);
    return cost <= this.#left;
  }

  /** Spends up to `wanted` in whole units. @returns the amount spent. */
  take(now: Instant, wanted: number): number {
    this.#fill(now);
    const taken = Math.min(wanted, Math.floor(this.#left));
    this.#left -= taken;
    return taken;
  }

  #fill(now: Instant): void {
    const since = this.#at === undefined ? 0 : Math.max(0, now - this.#at);
    this.#at = now;
    this.#left = Math.min(this.#burst, this.#left + (since * this.#perSecond) / 1e6);
  }
}
