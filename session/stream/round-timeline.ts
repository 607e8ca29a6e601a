import { type AccessUnit, shifted } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';

/** Gap between two rounds when the first round gives no hint: one frame at 30 frames per second. */
const GAP_DEFAULT: Ticks = ticks(3_000);

/** Place of a unit on the timeline of all rounds. */
export interface RoundPlace {
  readonly unit: AccessUnit;
  /** Offset of its times from those of its source. */
  readonly base: Ticks;
  /** True for the first unit of a round. */
  readonly begins: boolean;
}

/** Places the rounds of a source, or of several, one after another on one timeline without a break in decode times. */
export class RoundTimeline {
  readonly #equalRounds: boolean;
  #end: Ticks | undefined;
  #base: Ticks | undefined;
  #before: Ticks | undefined;
  #step: Ticks = GAP_DEFAULT;
  #gapBefore = 0;
  /** First decode time of the round, and the longest round so far. */
  #roundBegin: Ticks = ticks(0);
  #roundMax = 0;

  /** @param options.equalRounds true when each round shows the same. */
  constructor({ equalRounds }: { readonly equalRounds: boolean }) {
    this.#equalRounds = equalRounds;
  }

  /** The next unit begins a round. */
  begin(): void {
    if (this.#equalRounds && this.#end !== undefined) {
      // A round whose end was left out takes as long as the others, so that sources of one video stay together.
      this.#roundMax = Math.max(this.#roundMax, this.#end - this.#roundBegin);
      this.#end = ticks(this.#roundBegin + this.#roundMax);
    }
    this.#base = undefined;
    this.#before = undefined;
    this.#step = GAP_DEFAULT;
    this.#gapBefore = 0;
  }

  /** Decode time at which the next unit is expected. */
  get end(): Ticks {
    return this.#end ?? ticks(0);
  }

  place(unit: AccessUnit): RoundPlace {
    const { decodeTimestamp } = unit;
    const begins = this.#base === undefined;
    // With B-frames decoding begins before 0, but not before the previous round has ended.
    const base = this.#base ?? ticks(this.#end === undefined ? 0 : this.#end - decodeTimestamp);
    const gap = this.#before === undefined ? 0 : decodeTimestamp - this.#before;
    // The smaller of two: units may be left out between two, but the next one is not read later for that.
    if (gap > 0) this.#step = ticks(Math.min(gap, this.#gapBefore || gap));
    this.#gapBefore = gap;
    this.#base = base;
    this.#before = decodeTimestamp;
    if (begins) this.#roundBegin = ticks(base + decodeTimestamp);
    this.#end = ticks(base + decodeTimestamp + this.#step);
    return { unit: shifted(unit, base), base, begins };
  }
}
