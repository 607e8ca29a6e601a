import {
  amountIn,
  elapsed,
  type Instant,
  type Microseconds,
  microseconds,
  milliseconds,
  SECOND,
  seconds,
  timeFor,
} from '../../protocol/base/units.ts';

/** Time over which the offered rate is averaged for the length of the backlog, and for the present rate. */
const RATE_MEMORY: Microseconds = seconds(10);
const PRESENT_MEMORY: Microseconds = milliseconds(500);
/** Longest backlog, at the offered rate, so that it ends soon after the path has recovered. */
const LENGTH_MAX: Microseconds = seconds(10);

/**
 * Frames that would wait in front of the bottleneck if none had been withheld. An outage leaves a backlog that drains when
 * it is over; on a path that is too narrow on average, the backlog stays.
 */
export class OfferedBacklog {
  #bytes = 0;
  /** Bytes per second; `undefined` before the second frame. */
  #rate: number | undefined;
  #presentRate: number | undefined;
  #offeredAt: Instant | undefined;
  #drainedAt: Instant | undefined;

  /** Time that the backlog takes to be offered, at the present rate or the average one, whichever is higher; 0 without one. */
  get length(): Microseconds {
    return this.#bytes === 0 ? microseconds(0) : timeFor(this.#bytes, Math.max(this.#rate ?? 0, this.rate));
  }

  /** Rate at which frames are offered at present, bytes per second; 0 before the second frame. */
  get rate(): number {
    return this.#presentRate ?? 0;
  }

  /** The source offers a frame of this many payload bytes. */
  onOffered(now: Instant, bytes: number): void {
    const passed = elapsed(this.#offeredAt ?? now, now);
    this.#offeredAt = now;
    if (passed <= 0) return;
    const rate = (bytes / passed) * SECOND;
    const toward = (before: number | undefined, memory: Microseconds) =>
      before === undefined ? rate : before + ((rate - before) * passed) / (passed + memory);
    this.#rate = toward(this.#rate, RATE_MEMORY);
    this.#presentRate = toward(this.#presentRate, PRESENT_MEMORY);
    this.#bytes = Math.min(this.#bytes + bytes, amountIn(LENGTH_MAX, this.#rate));
  }

  /** @param capacity of the path since the last call, bytes per second. */
  drain(now: Instant, capacity: number): void {
    const passed = elapsed(this.#drainedAt ?? now, now);
    this.#drainedAt = now;
    if (passed > 0) this.#bytes = Math.max(0, this.#bytes - amountIn(passed, capacity));
  }
}
