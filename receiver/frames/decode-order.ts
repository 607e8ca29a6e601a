import { type Ticks, ticks } from '../../protocol/base/units.ts';

/** H.264 §A.3.1: MaxDpbFrames is never more. */
const DEPTH_MAX = 16;
/** Timestamps this far apart are not reordering but a pause, a cut or another clock. */
const APART: Ticks = ticks(90_000);
/** Assumed interval until two timestamps are known: one frame at 30 per second. */
const INTERVAL_DEFAULT: Ticks = ticks(3_000);

/**
 * Estimates decode times. RTP carries presentation times only, and with B-frames these are not monotonic. When
 * presentation lags decoding by up to `depth` frames, the decode times are the presentation times in ascending order,
 * `depth` frames later: a frame's decode time is the (depth + 1)-th largest timestamp so far. A lost frame shifts it by
 * one, for as long as the frame would have been held.
 *
 *    sent           I0  P3  B1  B2  P6  B4  B5      depth 1
 *    decode time    -1   0   1   2   3   4   5
 */
export class DecodeOrder {
  /** Largest timestamps of the decided frames, in descending order. */
  #decided: readonly Ticks[] = [];
  #depth = 0;
  #interval: Ticks = INTERVAL_DEFAULT;
  #intervalKnown = false;

  /** Observed reorder depth, in frames. */
  get depth(): number {
    return this.#depth;
  }

  /** Smallest difference between consecutive timestamps. */
  get interval(): Ticks {
    return this.#interval;
  }

  /** Returns the decode times of the frames after the decided ones, given their timestamps in transmission order. */
  reckon(timestamps: readonly Ticks[]): Ticks[] {
    let largest = this.#decided;
    // A depth learned from a later frame applies to the earlier ones as well.
    for (const timestamp of timestamps) largest = this.#enter(largest, timestamp);
    largest = this.#decided;
    return timestamps.map((timestamp) => {
      largest = this.#enter(largest, timestamp);
      const missing = this.#depth + 1 - largest.length;
      return missing > 0 ? ticks(largest.at(-1)! - missing * this.#interval) : largest[this.#depth]!;
    });
  }

  decide(timestamp: Ticks): void {
    this.#decided = this.#enter(this.#decided, timestamp);
  }

  #enter(largest: readonly Ticks[], timestamp: Ticks): readonly Ticks[] {
    if (largest.length > 0 && timestamp - largest[0]! > APART) return [timestamp];
    const near = largest.filter((other) => other - timestamp <= APART);
    const rank = near.findIndex((other) => other <= timestamp);
    const place = rank === -1 ? near.length : rank;
    this.#depth = Math.max(this.#depth, Math.min(place, DEPTH_MAX));
    this.#learnInterval(near[place] === undefined ? undefined : ticks(timestamp - near[place]));
    this.#learnInterval(place === 0 ? undefined : ticks(near[place - 1]! - timestamp));
    return [...near.slice(0, place), timestamp, ...near.slice(place)].slice(0, DEPTH_MAX + 1);
  }

  #learnInterval(step: Ticks | undefined): void {
    if (step === undefined || step <= 0) return;
    this.#interval = this.#intervalKnown ? ticks(Math.min(this.#interval, step)) : step;
    this.#intervalKnown = true;
  }
}
