/** Lack of sound above which it is not the clocks that differ, but sound was late, milliseconds. */
const LATE_MS = 40;
/** Largest correction, parts per million: 0.9 cents of pitch, where five can be heard. Clocks differ by less. */
const PPM_MAX = 500;
/** Correction for each millisecond of error, and what each millisecond adds in a second: without overshoot, in some minutes. */
const PPM_PER_MS = 20;
const PPM_PER_MS_SECOND = 0.1;

/**
 * Correction of the drift between the sender's clock and that of the loudspeaker, by what waits between them: a controller
 * with a proportional and an integral part.
 */
export class DriftCorrection {
  /** Learned difference of the clocks, parts per million. */
  #driftPpm = 0;
  #ppm = 0;

  /** Parts per million by which sound is played faster; negative: slower. */
  get ppm(): number {
    return this.#ppm;
  }

  /** Input samples for each output sample. */
  get ratio(): number {
    return 1 + this.#ppm / 1e6;
  }

  /** @param errorMs least sound that waited during these seconds of playing, minus its target, milliseconds. */
  update(errorMs: number, seconds: number): void {
    if (errorMs < -LATE_MS) return;
    this.#driftPpm = bounded(this.#driftPpm + errorMs * seconds * PPM_PER_MS_SECOND);
    this.#ppm = Math.round(bounded(this.#driftPpm + errorMs * PPM_PER_MS));
  }
}

const bounded = (ppm: number): number => Math.min(PPM_MAX, Math.max(-PPM_MAX, ppm));
