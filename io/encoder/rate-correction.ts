/** Factor before anything is known: x264 with a buffer of one frame fills 82 to 87 % of it (docs/ENCODER.md). */
const FACTOR_START = 1.17;
const FACTOR_MIN = 1;
const FACTOR_MAX = 1.25;
/** Step per frame and unit of deviation: the factor settles within about a second. */
const GAIN = 0.03;
/** A frame far below its budget, as of a still picture, is no measure of the encoder's accuracy. */
const FILLED_MIN = 0.6;

/** Corrects the encoder's rate so that its frames have the wanted size on average. */
export class RateCorrection {
  #factor = FACTOR_START;

  /** Factor for the encoder's bit rate. */
  get factor(): number {
    return this.#factor;
  }

  /** @param filled size of a frame relative to its budget; key frames are excluded. */
  update(filled: number): void {
    if (filled < FILLED_MIN) return;
    this.#factor = Math.min(FACTOR_MAX, Math.max(FACTOR_MIN, this.#factor + GAIN * (1 - filled)));
  }
}
