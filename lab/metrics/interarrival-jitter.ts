import { type Instant, type Microseconds, ticksToMicroseconds } from '../../protocol/base/instant.ts';

/**
 * RFC 3550 §6.4.1 and §A.8: J ← J + (|D| − J)/16, where D is by how much two packets that came one after the other are
 * further apart than their timestamps. Packets sent again are not for it.
 */
export class InterarrivalJitter {
  #jitter = 0;
  #before: { readonly at: Instant; readonly timestamp: number } | undefined;
  #samples = 0;

  /** @param timestamp as it stands on the wire, 90 kHz, 32 bits. */
  add(at: Instant, timestamp: number): void {
    const before = this.#before;
    if (before) {
      const ticks = (timestamp - before.timestamp) | 0;
      const difference = Math.abs(at - before.at - ticksToMicroseconds(ticks));
      this.#jitter += (difference - this.#jitter) / 16;
      this.#samples++;
    }
    this.#before = { at, timestamp };
  }

  /** Rounded; `null` before the second packet. */
  get value(): Microseconds | null {
    return this.#samples === 0 ? null : Math.round(this.#jitter);
  }
}
