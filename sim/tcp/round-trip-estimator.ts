import { type Instant, type Microseconds, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { WindowedFilter } from './windowed-filter.ts';

/** Minimum of the variation term (`TCP_RTO_MIN`), microseconds: as in Linux, the timeout is at least RTT + 200 ms. */
export const RETRANSMISSION_TIMEOUT_MIN: Microseconds = milliseconds(200);
/** `TCP_RTO_MAX`, microseconds. */
export const RETRANSMISSION_TIMEOUT_MAX: Microseconds = seconds(120);
/** Initial timeout (RFC 6298 §2.1), microseconds. */
export const RETRANSMISSION_TIMEOUT_INITIAL: Microseconds = seconds(1);
/** Window of the minimum round-trip time (`net.ipv4.tcp_min_rtt_wlen`), microseconds. */
const MINIMUM_WINDOW: Microseconds = seconds(300);

/**
 * Round-trip estimator of RFC 6298 in Linux' integer arithmetic (`tcp_rtt_estimator`), which uses the maximum deviation
 * per window of data.
 */
export class RoundTripEstimator {
  /** Eight times the smoothed round-trip time (three fraction bits). */
  #smoothed8 = 0;
  /** Four times the mean deviation. */
  #deviation4 = 0;
  #deviationMax = 0;
  #variation = 0;
  #windowEnd: ByteSequence = 0;
  readonly #minimum = new WindowedFilter('minimum', Number.POSITIVE_INFINITY);

  /** Smoothed round-trip time, microseconds; 0 before the first sample. */
  get smoothed(): Microseconds {
    return microseconds(this.#smoothed8 >> 3);
  }

  /** Minimum of the last five minutes, microseconds; infinite before the first sample. */
  get minimum(): Microseconds {
    return microseconds(this.#minimum.value);
  }

  /** Retransmission timeout without back-off, microseconds. */
  get timeout(): Microseconds {
    if (this.#smoothed8 === 0) return RETRANSMISSION_TIMEOUT_INITIAL;
    return microseconds(Math.min((this.#smoothed8 >> 3) + this.#variation, RETRANSMISSION_TIMEOUT_MAX));
  }

  noteMinimum(now: Instant, sample: Microseconds): void {
    this.#minimum.update(MINIMUM_WINDOW, now, Math.max(sample, 1));
  }

  /** @param unacknowledged SND.UNA. @param next SND.NXT; together they delimit windows of data. */
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
      // A falling round-trip time raises the deviation at one eighth of the rate (Linux, after Eifel).
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
