import { inSeconds, type Microseconds } from '../../protocol/base/units.ts';

/** Place of a picture in its source. */
export interface PicturePlace {
  /** Number in the order of display, from 0, as a counter in the picture shows it; `undefined` where the rate varies. */
  readonly number: number | undefined;
  /** Time in the source at which it is shown. */
  readonly position: Microseconds;
}

/** NTSC's rates, for which the denominator of the frame rate is 1,001. */
const NTSC = 1_000 / 1_001;
/** A measured rate this close to a common one is that one; 24 and 23.976 per second differ by twice as much, as a share. */
const RATE_ERROR = 0.000_5;
/** Distance from the even times of the frame rate at which a picture is not on them, in frames: containers round to milliseconds. */
const UNEVEN = 0.2;

/** Numbers the pictures of one source by their times, so that pictures left out, B-frames and repetitions do not matter. */
export class PictureNumbers {
  readonly #rate: number | undefined;
  #isEven = true;

  /** @param framesPerSecond the mean where it varies. */
  constructor(framesPerSecond: number | undefined) {
    this.#rate = framesPerSecond && commonRate(framesPerSecond);
  }

  /** @param position time in the source; `undefined` when unknown. */
  pictureAt(position: Microseconds | undefined): PicturePlace | undefined {
    if (position === undefined) return undefined;
    if (this.#rate === undefined || !this.#isEven) return { number: undefined, position };
    const place = inSeconds(position) * this.#rate;
    const number = Math.round(place);
    // Where one is not, the numbers after it are guesses.
    this.#isEven = Math.abs(place - number) < UNEVEN;
    return { number: this.#isEven && number >= 0 ? number : undefined, position };
  }
}

function commonRate(framesPerSecond: number): number {
  const whole = Math.round(framesPerSecond);
  const common = [whole, whole * NTSC].find((rate) => Math.abs(framesPerSecond / rate - 1) < RATE_ERROR);
  return common ?? framesPerSecond;
}
