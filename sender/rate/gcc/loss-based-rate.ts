import { type Instant, instant } from '../../../protocol/base/units.ts';
import type { GccOptions } from './gcc-options.ts';

/** Loss-based estimate of the available bandwidth, As_hat (draft-ietf-rmcat-gcc-02 §6). */
export class LossBasedRate {
  readonly #options: GccOptions;
  #estimate: number;
  #reported = 0;
  #lost = 0;
  #reportsFrom: Instant | undefined;
  #loss = 0;

  constructor(options: GccOptions) {
    this.#options = options;
    this.#estimate = options.bitrateStart;
  }

  /** Bits per second. */
  get estimate(): number {
    return this.#estimate;
  }

  /** Loss ratio of the last complete report, 0 … 1. */
  get loss(): number {
    return this.#loss;
  }

  /** @param target rate in use, which a loss reduces. */
  update(now: Instant, reported: number, lost: number, target: number): void {
    const { lossInterval, lossPackets, lossLow, lossHigh, lossGrowth, bitrateMin, bitrateMax } = this.#options;
    this.#reportsFrom ??= now;
    this.#reported += reported;
    this.#lost += lost;
    if (now - this.#reportsFrom < lossInterval || this.#reported < lossPackets) return;
    const loss = this.#lost / this.#reported;
    if (loss > lossHigh) this.#estimate = Math.min(this.#estimate, target) * (1 - 0.5 * loss);
    else if (loss < lossLow) this.#estimate *= lossGrowth;
    this.#estimate = Math.min(bitrateMax, Math.max(bitrateMin, this.#estimate));
    this.#loss = loss;
    this.#reportsFrom = instant(now);
    this.#reported = 0;
    this.#lost = 0;
  }
}
