import { type Ticks, ticks } from '../../protocol/base/units.ts';

/** H.264 §A.3.1: MaxDpbFrames is never more. */
const DEPTH_MAX = 16;
/** Timestamps this far apart are no reordering: a pause, a cut, or another clock. */
const APART: Ticks = ticks(90_000);
/** One frame at 30 a second, until two timestamps are known. */
const INTERVAL_DEFAULT: Ticks = ticks(3_000);

/**
 * RTP carries presentation times only, and with B-frames they run backwards. Where frames are shown up to `depth`
 * places after they are sent, the decode times are the same numbers in rising order, `depth` places later: a frame's
 * decode time is the (depth + 1)-th largest timestamp so far. A frame that is lost shifts it by one place, for as long
 * as the frame would have been held.
 *
 *    sent           I0  P3  B1  B2  P6  B4  B5      depth 1
 *    decode time    -1   0   1   2   3   4   5
 */
export class DecodeOrder {
  /** The largest timestamps of the decided frames, the largest first. */
  #decided: readonly Ticks[] = [];
  #depth = 0;
  #interval: Ticks = INTERVAL_DEFAULT;
  #intervalKnown = false;

  /** How many places presentation may run behind decoding, as far as it has shown. */
  get depth(): number {
    return this.#depth;
  }

  /** The smallest step from one timestamp to the next. */
  get interval(): Ticks {
    return this.#interval;
  }

  /** The decode times of the frames that follow the decided ones, given their timestamps in the order of sending. */
  reckon(timestamps: readonly Ticks[]): Ticks[] {
    let largest = this.#decided;
    // What is learned from a frame holds for those before it as well.
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
