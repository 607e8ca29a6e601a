import type { Instant } from './units.ts';

/** A budget that fills with time and, where told, with what is earned: whatever a peer asks for costs no more. */
export class RateBudget {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at: Instant | undefined;

  /** @param options.perSecond what is added every second; `burst`: what can be saved up, and what there is at first. */
  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
  }

  earn(amount: number): void {
    this.#left = Math.min(this.#burst, this.#left + amount);
  }

  /** Returns false, and spends nothing, when there is not enough. */
  spend(now: Instant, cost: number): boolean {
    this.#fill(now);
    if (cost > this.#left) return false;
    this.#left -= cost;
    return true;
  }

  /** Whether there is as much, without spending it. */
  has(now: Instant, cost: number): boolean {
    this.#fill(now);
    return cost <= this.#left;
  }

  /** Spends up to `wanted` in whole units. @returns how much there was. */
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
