import type { Instant, Microseconds } from '../../protocol/base/units.ts';

/** A condition that counts only once it has held at every update for some time. */
export class SustainedCondition {
  #since: Instant | undefined;

  /** Returns true when the condition is active and was active at every update of the last `holdTime` at least. */
  update(now: Instant, active: boolean, holdTime: Microseconds): boolean {
    if (!active) this.#since = undefined;
    else this.#since ??= now;
    return this.#since !== undefined && now - this.#since >= holdTime;
  }

  reset(): void {
    this.#since = undefined;
  }
}
