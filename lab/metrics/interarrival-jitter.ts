import { type Instant, type Microseconds, microseconds, ticksToMicroseconds } from '../../protocol/base/units.ts';
import { timestampDistance, type WireTimestamp } from '../../protocol/rtp/sequence.ts';

/**
 * Interarrival jitter (RFC 3550 §6.4.1, §A.8): J ← J + (|D| − J)/16, where D is the difference between the arrival
 * spacing and the timestamp spacing of consecutive packets. Not for retransmissions.
 */
export class InterarrivalJitter {
  #jitter = 0;
  #before: { readonly at: Instant; readonly timestamp: WireTimestamp } | undefined;
  #samples = 0;

  /** @param timestamp as on the wire, 90 kHz, 32 bits. */
  add(at: Instant, timestamp: WireTimestamp): void {
    const before = this.#before;
    if (before) {
      const step = timestampDistance(before.timestamp, timestamp);
      const difference = Math.abs(at - before.at - ticksToMicroseconds(step));
      this.#jitter += (difference - this.#jitter) / 16;
      this.#samples++;
    }
    this.#before = { at, timestamp };
  }

  /** Rounded jitter, microseconds; `null` before the second packet. */
  get value(): Microseconds | null {
    return this.#samples === 0 ? null : microseconds(Math.round(this.#jitter));
  }
}
