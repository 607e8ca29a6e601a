import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { WindowedFilter } from './windowed-filter.ts';

/** `TCP_RTO_MIN`: Linux puts the floor under the variation, so that a timeout is never less than RTT + 200 ms. */
export const RETRANSMISSION_TIMEOUT_MIN: Microseconds = 200_000;
/** `TCP_RTO_MAX`. */
export const RETRANSMISSION_TIMEOUT_MAX: Microseconds = 120_000_000;
/** RFC 6298 §2.1. */
export const RETRANSMISSION_TIMEOUT_INITIAL: Microseconds = 1_000_000;
/** `net.ipv4.tcp_min_rtt_wlen`. */
const MINIMUM_WINDOW: Microseconds = 300_000_000;

/** RFC 6298 with Linux' integer arithmetic (`tcp_rtt_estimator`): the deviation's largest value of a window counts. */
export class RoundTripEstimator {
  /** Eight times the smoothed round trip: its fraction has three bits. */
  #smoothed8 = 0;
  /** Four times the mean deviation. */
  #deviation4 = 0;
  #deviationMax = 0;
  #variation = 0;
  #windowEnd: ByteSequence = 0;
  readonly #minimum = new WindowedFilter('minimum', Number.POSITIVE_INFINITY);

  /** Smoothed; 0: not measured yet. */
  get smoothed(): Microseconds {
    return this.#smoothed8 >> 3;
  }

  /** The smallest of the last five minutes; infinite: not measured yet. */
  get minimum(): Microseconds {
    return this.#minimum.value;
  }

  /** Before any back-off. */
  get timeout(): Microseconds {
    if (this.#smoothed8 === 0) return RETRANSMISSION_TIMEOUT_INITIAL;
    return Math.min((this.#smoothed8 >> 3) + this.#variation, RETRANSMISSION_TIMEOUT_MAX);
  }

  noteMinimum(now: Instant, sample: Microseconds): void {
    this.#minimum.update(MINIMUM_WINDOW, now, Math.max(sample, 1));
  }

  /** @param unacknowledged and `next` tell where one window of data ends and another begins. */
  update(sample: Microseconds, unacknowledged: ByteSequence, next: ByteSequence): void {
    let error = Math.max(sample, 1);
    if (this.#smoothed8 === 0) {
      this.#smoothed8 = error << 3;
      this.#deviation4 = error << 1;
      this.#variation = Math.max(this.#deviation4, RETRANSMISSION_TIMEOUT_MIN);
      this.#deviationMax = this.#variation;
      this.#windowEnd = next;
      return;
    }
    error -= this.#smoothed8 >> 3;
    this.#smoothed8 += error;
    if (error < 0) {
      // A falling round trip widens the deviation eight times more slowly (Linux, after an idea of Eifel's).
      error = -error - (this.#deviation4 >> 2);
      if (error > 0) error >>= 3;
    } else error -= this.#deviation4 >> 2;
    this.#deviation4 += error;
    if (this.#deviation4 > this.#deviationMax) {
      this.#deviationMax = this.#deviation4;
      this.#variation = Math.max(this.#variation, this.#deviationMax);
    }
    if (unacknowledged <= this.#windowEnd) return;
    if (this.#deviationMax < this.#variation) this.#variation -= (this.#variation - this.#deviationMax) >> 2;
    this.#windowEnd = next;
    this.#deviationMax = RETRANSMISSION_TIMEOUT_MIN;
  }
}
