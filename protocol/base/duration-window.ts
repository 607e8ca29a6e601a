/** W3C webrtc-stats, `freezeCount`: so many frame durations make the mean that a freeze exceeds. */
export const DURATIONS_AVERAGED = 30;

/**
 * The last thirty frame durations: the time between two frames that were shown one after the other,
 * all in one unit.
 */
export class DurationWindow {
  readonly #durations = new Float64Array(DURATIONS_AVERAGED);
  #pushed = 0;
  #sum = 0;

  /** 0…30. */
  get length(): number {
    return Math.min(this.#pushed, DURATIONS_AVERAGED);
  }

  /** Not a number while there are none. */
  mean(): number {
    return this.#sum / this.length;
  }

  push(duration: number): void {
    const place = this.#pushed++ % DURATIONS_AVERAGED;
    // Whole numbers: the sum never drifts.
    this.#sum += duration - this.#durations[place]!;
    this.#durations[place] = duration;
  }
}
