import { type Instant, instant, type Microseconds, milliseconds } from '../../protocol/base/units.ts';

const WINDOW_ROUNDS = 5;
const SEGMENTS_MAX = 0xf_ffff;
const TIME_MAX: Microseconds = milliseconds(100);

/**
 * Estimates ACK aggregation: segments acknowledged at once beyond those that the bandwidth explains
 * (`bbr_update_ack_aggregation`).
 */
export class BbrAggregation {
  #epochAt: Instant = instant(0);
  #epochAcknowledged = 0;
  readonly #extra: [number, number] = [0, 0];
  #index: 0 | 1 = 0;
  #rounds = 0;

  restart(now: Instant): void {
    this.#epochAt = now;
    this.#epochAcknowledged = 0;
  }

  note(acknowledgment: {
    readonly deliveredAt: Instant;
    readonly acknowledged: number;
    /** Segments per microsecond. */
    readonly bandwidth: number;
    readonly window: number;
    readonly roundStarts: boolean;
  }): void {
    const { deliveredAt, acknowledged, bandwidth, window, roundStarts } = acknowledgment;
    if (roundStarts && ++this.#rounds >= WINDOW_ROUNDS) {
      this.#rounds = 0;
      this.#index = this.#index === 0 ? 1 : 0;
      this.#extra[this.#index] = 0;
    }
    let expected = Math.floor(bandwidth * (deliveredAt - this.#epochAt));
    if (this.#epochAcknowledged <= expected) {
      this.#epochAcknowledged = 0;
      this.#epochAt = deliveredAt;
      expected = 0;
    }
    this.#epochAcknowledged = Math.min(SEGMENTS_MAX, this.#epochAcknowledged + acknowledged);
    const extra = Math.min(this.#epochAcknowledged - expected, window);
    if (extra > this.#extra[this.#index]) this.#extra[this.#index] = extra;
  }

  /** Returns the window extension that compensates for aggregation, segments. */
  segments(bandwidth: number): number {
    return Math.min(Math.max(this.#extra[0], this.#extra[1]), Math.floor(bandwidth * TIME_MAX));
  }
}
