import { type Instant, instant, SECOND } from '../../protocol/base/units.ts';
import type { Flow } from './flow.ts';
import type { RateSample } from './rate-sample.ts';

const INTERVAL_ROUNDS_MIN = 4;
/** Minimum loss ratio that suggests a policer. */
const LOSS_SHARE = 50 / 256;
/** Two intervals agree when their rates differ by at most 1/8, or by at most 4 kb/s (500 bytes per second). */
const RATIO = 1 / 8;
const DIFFERENCE = 500;
const USED_ROUNDS_MAX = 48;

/**
 * Policer detection (`bbr_lt_bw_sampling`): about 20 % loss at a steady rate over two intervals indicates a policer,
 * and its rate is used for 48 rounds.
 */
export class BbrPolicer {
  #sampling = false;
  #used = false;
  #bandwidth = 0;
  #rounds = 0;
  #lastAt: Instant = instant(0);
  #lastDelivered = 0;
  #lastLost = 0;

  /** Policed rate, segments per microsecond; `undefined` when no policer is detected. */
  get bandwidth(): number | undefined {
    return this.#used ? this.#bandwidth : undefined;
  }

  reset(flow: Flow): void {
    this.#bandwidth = 0;
    this.#used = false;
    this.#sampling = false;
    this.#beginInterval(flow);
  }

  /** Returns `probe` when the policed rate expires and the path must be probed again. */
  sample(
    now: Instant,
    flow: Flow,
    sample: Pick<RateSample, 'losses' | 'applicationLimited'>,
    roundStarts: boolean,
    probesBandwidth: boolean,
  ): 'probe' | 'go-on' {
    if (this.#used) {
      if (!probesBandwidth || !roundStarts || ++this.#rounds < USED_ROUNDS_MAX) return 'go-on';
      this.reset(flow);
      return 'probe';
    }
    if (!this.#sampling) {
      if (sample.losses === 0) return 'go-on';
      this.#beginInterval(flow);
      this.#sampling = true;
    }
    if (sample.applicationLimited) {
      this.reset(flow);
      return 'go-on';
    }
    if (roundStarts) this.#rounds++;
    if (this.#rounds < INTERVAL_ROUNDS_MIN) return 'go-on';
    if (this.#rounds > 4 * INTERVAL_ROUNDS_MIN) {
      this.reset(flow);
      return 'go-on';
    }
    if (sample.losses > 0) this.#endInterval(now, flow);
    return 'go-on';
  }

  #endInterval(_now: Instant, flow: Flow): void {
    const lost = flow.lost - this.#lastLost;
    const delivered = flow.delivered - this.#lastDelivered;
    if (delivered === 0 || lost / delivered < LOSS_SHARE) return;
    const span = flow.deliveredAt - this.#lastAt;
    if (span < 1_000) return;
    const bandwidth = delivered / span;
    if (this.#bandwidth > 0) {
      const difference = Math.abs(bandwidth - this.#bandwidth);
      const bytes = difference * flow.segmentBytes * SECOND;
      if (difference <= RATIO * this.#bandwidth || bytes <= DIFFERENCE) {
        this.#bandwidth = (bandwidth + this.#bandwidth) / 2;
        this.#used = true;
        this.#rounds = 0;
        return;
      }
    }
    this.#bandwidth = bandwidth;
    this.#beginInterval(flow);
  }

  #beginInterval(flow: Flow): void {
    this.#lastAt = flow.deliveredAt;
    this.#lastDelivered = flow.delivered;
    this.#lastLost = flow.lost;
    this.#rounds = 0;
  }
}
