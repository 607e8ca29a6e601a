import type { Instant, Microseconds } from '../../protocol/base/instant.ts';

/** Whether something has been so at every look for some time. */
export class Lasting {
  #since: Instant | undefined;

  /** @returns whether it is `so`, and has been at every look since `duration` ago at least. */
  lasts(now: Instant, so: boolean, duration: Microseconds): boolean {
    if (!so) this.#since = undefined;
    else this.#since ??= now;
    return this.#since !== undefined && now - this.#since >= duration;
  }

  reset(): void {
    this.#since = undefined;
  }
}
