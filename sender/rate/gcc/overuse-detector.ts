import { inMilliseconds, type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import type { GccOptions } from './gcc-options.ts';
import type { GroupDelta } from './packet-groups.ts';

/** Use of the path, as indicated by the delay. */
export type PathUse = 'normal' | 'overuse' | 'underuse';

/**
 * Over-use detector with an adaptive threshold (draft-ietf-rmcat-gcc-02 §5.4). The threshold follows the estimate, faster
 * upwards, so that a competing flow that fills the queue is not answered by ever lower rates.
 */
export class OveruseDetector {
  readonly #options: GccOptions;
  #threshold: number;
  #groups = 0;
  #before = 0;
  /** Time for which the estimate has been above the threshold; `undefined` while it is not. */
  #overusing: Microseconds | undefined;
  #use: PathUse = 'normal';

  constructor(options: GccOptions) {
    this.#options = options;
    this.#threshold = options.threshold;
  }

  /** Threshold del_var_th, milliseconds, within its bounds. */
  get threshold(): number {
    return this.#threshold;
  }

  get use(): PathUse {
    return this.#use;
  }

  /** @param estimate m(i), milliseconds. */
  update(estimate: number, delta: GroupDelta): PathUse {
    this.#groups = Math.min(this.#groups + 1, this.#options.groupsMax);
    const compared = estimate * this.#groups;
    this.#use = this.#detect(compared, estimate, delta.departure);
    this.#adapt(Math.abs(compared), delta.arrival);
    this.#before = estimate;
    return this.#use;
  }

  #detect(compared: number, estimate: number, departure: Microseconds): PathUse {
    if (compared <= this.#threshold) this.#overusing = undefined;
    if (compared < -this.#threshold) return 'underuse';
    if (compared <= this.#threshold) return 'normal';
    // The estimate passed the threshold somewhere within the first interval: half of it counts.
    this.#overusing = microseconds(this.#overusing === undefined ? departure / 2 : this.#overusing + departure);
    const lasts = this.#overusing >= this.#options.overuseTime;
    if (lasts && estimate >= this.#before) return 'overuse';
    return 'normal';
  }

  #adapt(size: number, arrival: Microseconds): void {
    const { thresholdMin, thresholdMax, thresholdDistanceMax, thresholdInterval } = this.#options;
    if (size - this.#threshold > thresholdDistanceMax) return;
    const gain = size < this.#threshold ? this.#options.thresholdGainDown : this.#options.thresholdGainUp;
    const interval = inMilliseconds(microseconds(Math.min(arrival, thresholdInterval)));
    this.#threshold += interval * gain * (size - this.#threshold);
    this.#threshold = Math.min(thresholdMax, Math.max(thresholdMin, this.#threshold));
  }
}
