import { type Instant, later, type Microseconds, microseconds, seconds } from '../../protocol/base/units.ts';

/** Presets of x264 from the best to the fastest: each takes about half the time of the one before. */
export const ENCODER_PRESETS = ['veryfast', 'superfast', 'ultrafast'] as const;
export type EncoderPreset = (typeof ENCODER_PRESETS)[number];

/** Weight of the newest picture in the mean time: about one second at 30 pictures per second. */
const WEIGHT = 0.05;
/** Share of the frame interval that decoding and encoding may take: the rest absorbs other load of the machine. */
const SHARE_MAX = 0.65;
/** Share below which a slower preset will fit: it takes about twice the time. */
const SHARE_SPARE = 0.25;
/** Pictures before the first judgment, and after each change. */
const PICTURES_MIN = 15;
/** Time until a slower preset is tried again, doubled each time it did not fit. */
const RETRY: Microseconds = seconds(10);

/** Chooses the preset by the time that pictures take, so that encoding keeps up with the clock. */
export class PresetChoice {
  #preset = 0;
  #mean: number | undefined;
  #pictures = 0;
  #retry: Microseconds = RETRY;
  #slowerFrom: Instant | undefined;

  get preset(): EncoderPreset {
    return ENCODER_PRESETS[this.#preset]!;
  }

  /** Begins with a preset, such as that of an earlier process. */
  begin(preset: string): void {
    this.#preset = Math.max(0, ENCODER_PRESETS.indexOf(preset as EncoderPreset));
  }

  /** Begins with the best preset that fits, given the time of one picture with the best. */
  beginWith(taken: Microseconds, interval: Microseconds): void {
    let share = taken / interval;
    this.#preset = 0;
    while (share > SHARE_MAX && this.#preset + 1 < ENCODER_PRESETS.length) {
      this.#preset++;
      share /= 2;
    }
  }

  /**
   * Takes the time that one picture took.
   * @returns `faster` when `preset` is now a faster one, `slow` when even the fastest does not fit; `spare` when there is
   * time for `improve`, or for a larger picture.
   */
  update(now: Instant, taken: Microseconds, interval: Microseconds): 'fits' | 'faster' | 'slow' | 'spare' {
    const share = taken / interval;
    this.#mean = this.#mean === undefined ? share : this.#mean + (share - this.#mean) * WEIGHT;
    if (++this.#pictures < PICTURES_MIN) return 'fits';
    if (this.#mean > SHARE_MAX) {
      const atEnd = this.#preset + 1 === ENCODER_PRESETS.length;
      if (!atEnd) this.#preset++;
      this.#restart(later(now, this.#retry));
      this.#retry = microseconds(this.#retry * 2);
      return atEnd ? 'slow' : 'faster';
    }
    this.#slowerFrom ??= later(now, RETRY);
    if (this.#mean > SHARE_SPARE || now < this.#slowerFrom) return 'fits';
    this.#restart(later(now, this.#retry));
    return 'spare';
  }

  /** Takes the next better preset. Returns false when there is none. */
  improve(): boolean {
    if (this.#preset === 0) return false;
    this.#preset--;
    return true;
  }

  #restart(slowerFrom: Instant): void {
    this.#mean = undefined;
    this.#pictures = 0;
    this.#slowerFrom = slowerFrom;
  }
}
