import type { Instant } from '../../protocol/base/instant.ts';
import type { Flow } from './flow.ts';
import type { RateSample } from './rate-sample.ts';

const INTERVAL_ROUNDS_MIN = 4;
/** Fewer losses than this share are nobody's policing. */
const LOSS_SHARE = 50 / 256;
/** Two intervals agree when their rates differ by an eighth, or by 4 kb/s. */
const RATIO = 1 / 8;
const DIFFERENCE = 500;
const USED_ROUNDS_MAX = 48;

/**
 * The long-term bandwidth (`bbr_lt_bw_sampling`): where a fifth is lost at a steady rate over two intervals, a policer is
 * assumed, and that rate is kept for 48 rounds.
 */
export class BbrPolicer {
  #sampling = false;
  #used = false;
  #bandwidth = 0;
  #rounds = 0;
  #lastAt: Instant = 0;
  #lastDelivered = 0;
  #lastLost = 0;

  /** Segments a microsecond; `undefined`: nothing is policed. */
  get bandwidth(): number | undefined {
    return this.#used ? this.#bandwidth : undefined;
  }

  reset(flow: Flow): void {
    this.#bandwidth = 0;
    this.#used = false;
    this.#sampling = false;
    this.#beginInterval(flow);
  }

  /** `probe`: the time is over, and the path is to be probed again. */
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
      const bytes = difference * flow.segmentBytes * 1_000_000;
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
