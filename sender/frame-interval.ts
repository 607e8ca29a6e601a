import { type Microseconds, microseconds, type Ticks, ticks, ticksToMicroseconds } from '../protocol/base/units.ts';

const DEFAULT: Microseconds = microseconds(33_333);

/** Interval between the last two frames of a stream. */
export class FrameInterval {
  readonly #intervalMax: Microseconds;
  #lastDecode: Ticks | undefined;
  #value = DEFAULT;

  /** @param intervalMax longest interval, by which a longer one is replaced. */
  constructor(intervalMax: Microseconds) {
    this.#intervalMax = intervalMax;
  }

  get value(): Microseconds {
    return this.#value;
  }

  onFrame(decodeTimestamp: Ticks): void {
    if (this.#lastDecode !== undefined) {
      const interval = ticksToMicroseconds(ticks(decodeTimestamp - this.#lastDecode));
      if (interval > 0) this.#value = microseconds(Math.min(interval, this.#intervalMax));
    }
    this.#lastDecode = decodeTimestamp;
  }
}
