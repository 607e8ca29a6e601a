import type { Instant, Microseconds } from '../../../protocol/base/units.ts';
import type { CongestionFeedback, RateController } from '../rate-controller.ts';
import { ArrivalTimeFilter } from './arrival-time-filter.ts';
import { DelayBasedRate, type RateState } from './delay-based-rate.ts';
import { GCC_DEFAULTS, type GccOptions } from './gcc-options.ts';
import { IncomingRate } from './incoming-rate.ts';
import { LossBasedRate } from './loss-based-rate.ts';
import { OveruseDetector, type PathUse } from './overuse-detector.ts';
import { PacketGroups } from './packet-groups.ts';
import { TrendlineFilter } from './trendline-filter.ts';

/** State of the controller, for diagnosis. */
export interface GccState {
  /** Estimates of the available bandwidth from delay and from loss, bits per second. */
  readonly delayBased: number;
  readonly lossBased: number;
  readonly use: PathUse;
  readonly state: RateState;
  /** Threshold of the detector, milliseconds. */
  readonly threshold: number;
}

/**
 * Google congestion control as published (draft-ietf-rmcat-gcc-02), both controllers at the sender: the delay-based one
 * on the arrival times of single packets (§5), the loss-based one on their losses (§6); the lower estimate is the target.
 * `GccOptions` names what the draft leaves open. Without feedback the target stays as it is.
 */
export class Gcc implements RateController {
  readonly #options: GccOptions;
  readonly #groups: PacketGroups;
  readonly #filter: ArrivalTimeFilter | TrendlineFilter;
  readonly #detector: OveruseDetector;
  readonly #incoming: IncomingRate;
  readonly #delayBased: DelayBasedRate;
  readonly #lossBased: LossBasedRate;
  readonly standingQueue = undefined;

  constructor(options: Partial<GccOptions> = {}) {
    this.#options = { ...GCC_DEFAULTS, ...options };
    this.#groups = new PacketGroups(this.#options);
    this.#filter = this.#options.filter === 'kalman' ? new ArrivalTimeFilter(this.#options) : new TrendlineFilter();
    this.#detector = new OveruseDetector(this.#options);
    this.#incoming = new IncomingRate(this.#options.rateWindow);
    this.#delayBased = new DelayBasedRate(this.#options);
    this.#lossBased = new LossBasedRate(this.#options);
  }

  get target(): number {
    return Math.min(this.#delayBased.estimate, this.#lossBased.estimate) / 8;
  }

  get pacingRate(): number {
    return this.target * this.#options.pacingFactor;
  }

  get feedbackInterval(): Microseconds {
    return this.#options.feedbackInterval;
  }

  get state(): GccState {
    return {
      delayBased: this.#delayBased.estimate,
      lossBased: this.#lossBased.estimate,
      use: this.#detector.use,
      state: this.#delayBased.state,
      threshold: this.#detector.threshold,
    };
  }

  onFeedback(now: Instant, { packets, roundTrip }: CongestionFeedback): void {
    let lost = 0;
    let use: PathUse = this.#detector.use;
    let overused = false;
    for (const { sentAt, arrivedAt, bytes } of packets) {
      if (arrivedAt === undefined) {
        lost++;
        continue;
      }
      this.#incoming.onPacket(arrivedAt, bytes);
      const delta = this.#groups.onPacket(sentAt, arrivedAt);
      if (!delta) continue;
      use = this.#detector.update(this.#filter.update(delta), delta);
      overused ||= use === 'overuse';
    }
    // One report may cover several groups: an over-use among them counts, as the detector signals it at once.
    this.#delayBased.update(now, overused ? 'overuse' : use, this.#incoming.value, roundTrip);
    this.#lossBased.update(now, packets.length, lost, this.target * 8);
  }

  onOffered(): void {}

  onPaced(): void {}

  onSent(): void {}

  onPath(): void {}

  pollTimeout(): undefined {
    return undefined;
  }

  onTimeout(): void {}
}
