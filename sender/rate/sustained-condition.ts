import type { Instant, Microseconds } from '../../protocol/base/units.ts';

/** A condition that becomes true only after holding at every update for some time. */
export class SustainedCondition {
  #since: Instant | undefined;

  /** Returns true when the condition is active and has been at every update for at least `holdTime`. */
  update(now: Instant, active: boolean, holdTime: Microseconds): boolean {
    if (!active) this.#since = undefined;
    else this.#since ??= now;
    return this.#since !== undefined && now - this.#since >= holdTime;
  }

  reset(): void {
    this.#since = undefined;
  }
}
