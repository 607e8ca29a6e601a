/** Number of frame durations averaged for the freeze threshold (W3C webrtc-stats, `freezeCount`). */
export const DURATIONS_AVERAGED = 30;

/**
 * The last thirty frame durations. A frame duration is the time between two consecutive shown frames; all in one unit.
 */
export class DurationWindow {
  readonly #durations = new Float64Array(DURATIONS_AVERAGED);
  #pushed = 0;
  #sum = 0;

  /** 0…30. */
  get length(): number {
    return Math.min(this.#pushed, DURATIONS_AVERAGED);
  }

  /** Mean duration; NaN while empty. */
  mean(): number {
    return this.#sum / this.length;
  }

  push(duration: number): void {
    const place = this.#pushed++ % DURATIONS_AVERAGED;
    // Integers, so that the sum never drifts.
    this.#sum += duration - this.#durations[place]!;
    this.#durations[place] = duration;
  }
}
