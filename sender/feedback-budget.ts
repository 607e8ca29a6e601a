import { RateBudget } from '../protocol/base/rate-budget.ts';
import type { Instant } from '../protocol/base/units.ts';
import { UDP_IP_HEADER_BYTES } from '../protocol/ip-packet.ts';

/**
 * Longest RTCP datagram parsed: RTCP must fit the path's MTU (RFC 3550 §6.1), here Ethernet's minus IPv4 and UDP
 * headers. Our receivers send at most 1,200 bytes.
 */
export const FEEDBACK_BYTES_MAX = 1_472;
/**
 * Share of the media bytes that feedback may take. At high loss, requests and their copies far exceed RTCP's 5 % (RFC
 * 3550 §6.2): measured with `hybrid` at 20 % loss in bursts of 3, up to 180 kB per second for a stream of 1 Mb/s, 610
 * kB for 19 Mb/s, 600 kB for 50 Mb/s.
 */
const SHARE = 0.1;
const BYTES_PER_SECOND = 400_000;
const BURST_BYTES = 800_000;
/**
 * Requests allowed per media packet: one in each of its eight copies (`DeadlineRecovery`); and a history of 8,192
 * packets at once.
 */
const REQUESTS_PER_PACKET = 8;
const REQUESTS_BURST = 65_536;

/** Limits the work that one receiver's feedback causes: bytes parsed, and packets looked up. */
export class FeedbackBudget {
  readonly #bytes = new RateBudget({ perSecond: BYTES_PER_SECOND, burst: BURST_BYTES });
  readonly #requests = new RateBudget({ perSecond: 0, burst: REQUESTS_BURST });

  /** A media packet was sent. */
  earn(bytes: number): void {
    this.#bytes.earn(bytes * SHARE);
    this.#requests.earn(REQUESTS_PER_PACKET);
  }

  /** True when a datagram of this size may be parsed. */
  allows(now: Instant, bytes: number): boolean {
    return bytes <= FEEDBACK_BYTES_MAX && this.#bytes.spend(now, bytes + UDP_IP_HEADER_BYTES);
  }

  /** @returns the number of requests to process. */
  takeRequests(now: Instant, wanted: number): number {
    return this.#requests.take(now, wanted);
  }
}
