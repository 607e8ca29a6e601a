import { elapsed, type Instant, perSecond, SECOND } from '../../../protocol/base/units.ts';
import type { ScreamOptions } from './scream-options.ts';

/** Intervals over which the median of the source's bit rate is taken: more than 10 s (RFC 8298 §4.1.1.2). */
const MEDIAN_INTERVALS = 51;
/** Least growth close to the rate of the last congestion, and its steepness (§4.1.3). */
const SCALE_MIN = 0.2;
const SCALE_GAIN = 4;

/** State of the transmission at an update of the rate. */
export interface TransmissionState {
  /** Bits waiting in the sender. */
  readonly queuedBits: number;
  readonly inFastIncrease: boolean;
  readonly trend: number;
  readonly trendPeak: number;
}

/** Media rate control of SCReAM (RFC 8298 §4.1.3): the target bit rate of the source. */
export class MediaRate {
  readonly #options: ScreamOptions;
  #target: number;
  /** Target at the last congestion, bits per second. */
  #lastMax = 1;
  #current: number | undefined;
  #updatedAt: Instant | undefined;
  #sent = 0;
  #reported = 0;
  #offered = 0;
  readonly #mediaRates: number[] = [];

  constructor(options: ScreamOptions) {
    this.#options = options;
    this.#target = options.bitrateStart;
  }

  /** Bits per second, within its bounds. */
  get target(): number {
    return this.#target;
  }

  /** Rate of the transmission, bits per second; `undefined` before the first interval. */
  get current(): number | undefined {
    return this.#current;
  }

  onOffered(bytes: number): void {
    this.#offered += bytes;
  }

  onSent(bytes: number): void {
    this.#sent += bytes;
  }

  /** Bytes that have been reported as received. */
  onReported(bytes: number): void {
    this.#reported += bytes;
  }

  /** Loss or mark: immediately, between the regular updates. @param factor BETA_R or BETA_ECN. */
  onCongestion(factor: number): void {
    this.#lastMax = this.#target;
    this.#target = Math.max(this.#options.bitrateMin, factor * this.#target);
  }

  /** Called with each report; updates the target at its interval. */
  update(now: Instant, state: TransmissionState): void {
    this.#updatedAt ??= now;
    const passed = elapsed(this.#updatedAt, now);
    if (passed < this.#options.rateInterval) return;
    this.#updatedAt = now;
    const current = perSecond(8 * Math.max(this.#sent, this.#reported), passed);
    this.#current = current;
    const media = perSecond(8 * this.#offered, passed);
    this.#mediaRates.push(media);
    if (this.#mediaRates.length > MEDIAN_INTERVALS) this.#mediaRates.shift();
    this.#sent = 0;
    this.#reported = 0;
    this.#offered = 0;
    this.#change(current, passed / SECOND, state);
    const limit = Math.max(current, media, median(this.#mediaRates)) * (2 - state.trendPeak);
    const { bitrateMin, bitrateMax } = this.#options;
    this.#target = Math.min(bitrateMax, Math.max(bitrateMin, Math.min(this.#target, limit)));
  }

  /** @param current rate of the transmission, bits per second. @param seconds since the last update. */
  #change(current: number, seconds: number, { queuedBits, inFastIncrease, trend }: TransmissionState): void {
    const { rampUp, preCongestionGuard, queueFactor, senderQueueMax, senderQueueFactor } = this.#options;
    const fastest = Math.min(rampUp, this.#target / 2) * seconds;
    const distance = (this.#target - this.#lastMax) / this.#lastMax;
    const scale = Math.max(SCALE_MIN, Math.min(1, (distance * SCALE_GAIN) ** 2));
    if (inFastIncrease) {
      this.#target += fastest * scale;
      return;
    }
    let change = current * (1 - preCongestionGuard * trend) - queueFactor * queuedBits;
    if (change > 0) change = Math.min(change * scale, fastest);
    this.#target += change;
    if (current > 0 && (queuedBits / current) * SECOND > senderQueueMax) this.#target *= senderQueueFactor;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? 0;
}
