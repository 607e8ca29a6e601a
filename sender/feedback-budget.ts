import { RateBudget } from '../protocol/base/rate-budget.ts';
import type { Instant } from '../protocol/base/units.ts';

/** RTCP is to fit the path's MTU (RFC 3550 §6.1): Ethernet's, less the headers of IPv4 and UDP. Ours has 1,200 bytes. */
const DATAGRAM_BYTES_MAX = 1_472;
/** What each datagram costs beside its payload. */
const OVERHEAD_BYTES = 28;
/**
 * Requests and their copies are far more than RTCP's 5 % (RFC 3550 §6.2) where much is lost: measured with `hybrid` at 20 %
 * loss in runs of 3, up to 180 kB a second of a stream of 1 Mb/s, 610 kB of 19 Mb/s, 600 kB of 50 Mb/s.
 */
const SHARE = 0.1;
const BYTES_PER_SECOND = 400_000;
const BURST_BYTES = 800_000;
/** A request for every packet, in each of its eight copies (`DeadlineRecovery`); and for a history of 8,192 at once. */
const REQUESTS_PER_PACKET = 8;
const REQUESTS_BURST = 65_536;

/** Work that one receiver's feedback may make: bytes to parse, and packets to look for. */
export class FeedbackBudget {
  readonly #bytes = new RateBudget({ perSecond: BYTES_PER_SECOND, burst: BURST_BYTES });
  readonly #requests = new RateBudget({ perSecond: 0, burst: REQUESTS_BURST });

  /** A media packet was sent. */
  earn(bytes: number): void {
    this.#bytes.earn(bytes * SHARE);
    this.#requests.earn(REQUESTS_PER_PACKET);
  }

  /** Whether a datagram of so many bytes is to be parsed. */
  allows(now: Instant, bytes: number): boolean {
    return bytes <= DATAGRAM_BYTES_MAX && this.#bytes.spend(now, bytes + OVERHEAD_BYTES);
  }

  /** @returns how many of so many requests are to be looked at. */
  takeRequests(now: Instant, wanted: number): number {
    return this.#requests.take(now, wanted);
  }
}
