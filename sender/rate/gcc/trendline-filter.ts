import { inMilliseconds } from '../../../protocol/base/units.ts';
import type { GroupDelta } from './packet-groups.ts';

/** Smoothing of the accumulated delay, groups in the line, and gain of its slope; libwebrtc. */
const SMOOTHING = 0.9;
const GROUPS = 20;
const GAIN = 4;

/**
 * Trendline filter, which libwebrtc uses in place of the draft's Kalman filter since 2016: the slope of a line through
 * the smoothed accumulated delay of the last twenty groups over their arrival times.
 */
export class TrendlineFilter {
  #accumulated = 0;
  #smoothed = 0;
  #trend = 0;
  readonly #points: { readonly x: number; readonly y: number }[] = [];

  /** Slope of the line times its gain; the detector compares it as it does the Kalman filter's estimate. */
  get mean(): number {
    return this.#trend;
  }

  update({ arrivedAt, arrival, departure }: GroupDelta): number {
    this.#accumulated += inMilliseconds(arrival) - inMilliseconds(departure);
    this.#smoothed = SMOOTHING * this.#smoothed + (1 - SMOOTHING) * this.#accumulated;
    this.#points.push({ x: inMilliseconds(arrivedAt), y: this.#smoothed });
    if (this.#points.length > GROUPS) this.#points.shift();
    if (this.#points.length === GROUPS) this.#trend = GAIN * (slopeOf(this.#points) ?? this.#trend / GAIN);
    return this.#trend;
  }
}

/** Least-squares slope; `undefined` when all points have the same x. */
function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number | undefined {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  let numerator = 0;
  let denominator = 0;
  for (const { x, y } of points) {
    numerator += (x - meanX) * (y - meanY);
    denominator += (x - meanX) ** 2;
  }
  return denominator === 0 ? undefined : numerator / denominator;
}
