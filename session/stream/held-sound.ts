import { now } from '../../io/os/clock.ts';
import { WakeUp } from '../../io/os/wake-up.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, later, ticks, ticksToMicroseconds } from '../../protocol/base/units.ts';

/** Sound that leaves early for some viewers, held until its own time for the others; at most what leaves early with one picture. */
export class HeldSound {
  readonly #onDue: (unit: AccessUnit) => void;
  readonly #wakeUp = new WakeUp(() => this.#release(now()));
  readonly #queue: { readonly unit: AccessUnit; readonly dueAt: Instant }[] = [];

  /** @param onDue called with each unit at its presentation time, which is its decode time then. */
  constructor(onDue: (unit: AccessUnit) => void) {
    this.#onDue = onDue;
  }

  /** Holds a unit until its presentation time. @param leavesAt due time of its decode time. */
  hold(unit: AccessUnit, leavesAt: Instant): void {
    const { timestamp, decodeTimestamp } = unit;
    const dueAt = later(leavesAt, ticksToMicroseconds(ticks(timestamp - decodeTimestamp)));
    this.#queue.push({ unit: { ...unit, decodeTimestamp: timestamp }, dueAt });
    this.#release(now());
  }

  /** Hands over everything that is held: nothing follows. */
  flush(): void {
    this.#release(undefined);
  }

  clear(): void {
    this.#queue.length = 0;
    this.#wakeUp.clear();
  }

  /** @param at instant up to which units are due; `undefined`: all are. */
  #release(at: Instant | undefined): void {
    for (let head = this.#queue[0]; head && (at === undefined || head.dueAt <= at); head = this.#queue[0]) {
      this.#queue.shift();
      this.#onDue(head.unit);
    }
    this.#wakeUp.set(this.#queue[0]?.dueAt);
  }
}
