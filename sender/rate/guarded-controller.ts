import { earliestOf, type Instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { ECT_1, type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';
import { CircuitBreaker, type CircuitBreakerNotice, type ReceptionSummary } from './circuit-breaker.ts';
import type { CongestionFeedback, RateController, SentPacket } from './rate-controller.ts';

/** Interval between frames that the breaker assumes; only one above a second would matter. */
const FRAME_INTERVAL: Microseconds = microseconds(33_333);

/** A rate controller behind a circuit breaker (RFC 8083): the lower of both limits holds. */
export class GuardedController implements RateController {
  readonly #inner: RateController;
  readonly #breaker = new CircuitBreaker(FRAME_INTERVAL);

  constructor(inner: RateController) {
    this.#inner = inner;
  }

  get target(): number | undefined {
    return this.#limited(this.#inner.target);
  }

  get pacingRate(): number | undefined {
    return this.#breaker.limit === undefined ? this.#inner.pacingRate : this.#limited(this.#inner.pacingRate);
  }

  get windowBytes(): number | undefined {
    return this.#inner.windowBytes;
  }

  get isFollowed(): boolean {
    return this.#inner.isFollowed ?? true;
  }

  get ecn(): Ecn {
    return this.#inner.ecn ?? NOT_ECT;
  }

  get standingQueue(): Microseconds | undefined {
    return this.#inner.standingQueue;
  }

  get feedbackInterval(): Microseconds | undefined {
    return this.#inner.feedbackInterval;
  }

  get refusesFrames(): boolean {
    return this.#breaker.limit === 0 || this.#inner.refusesFrames === true;
  }

  #limited(rate: number | undefined): number | undefined {
    const { limit } = this.#breaker;
    // A stopped sender asks for no rate; its source continues at the rate after the restart.
    if (limit === undefined || limit === 0) return rate;
    return rate === undefined ? limit : Math.min(rate, limit);
  }

  get isBlind(): boolean {
    return this.#inner.isBlind ?? false;
  }

  isSilent(now: Instant): boolean {
    return this.#inner.isSilent?.(now) ?? false;
  }

  waitOf(now: Instant, bytes: number): Microseconds | undefined {
    return this.#inner.waitOf?.(now, bytes);
  }

  onOffered(now: Instant, bytes: number, queued: number): void {
    this.#inner.onOffered(now, bytes, queued);
  }

  onPaced(now: Instant, waited: Microseconds): void {
    this.#inner.onPaced(now, waited);
  }

  onSent(now: Instant, packet: SentPacket): void {
    this.#breaker.onSent(now, packet.bytes);
    this.#inner.onSent(now, packet);
  }

  onPath(now: Instant, path: PathNotice): void {
    this.#inner.onPath(now, path);
  }

  onFeedback(now: Instant, feedback: CongestionFeedback): void {
    // A mark of ECT(1) says less than a loss (RFC 9331 §4.3).
    if (this.ecn !== ECT_1) this.#breaker.onMarks(feedback.packets.filter(({ mark }) => mark === 'ce').length);
    this.#inner.onFeedback(now, feedback);
  }

  onReport(now: Instant, summary: ReceptionSummary, echoesSince: Instant | undefined): void {
    this.#breaker.onReport(now, summary, echoesSince);
    this.#inner.onReport?.(now, summary, echoesSince);
  }

  pollNotice(): CircuitBreakerNotice | undefined {
    return this.#breaker.pollNotice() ?? this.#inner.pollNotice?.();
  }

  pollTimeout(): Instant | undefined {
    return earliestOf(this.#inner.pollTimeout(), this.#breaker.pollTimeout());
  }

  onTimeout(now: Instant): void {
    this.#breaker.handleTimeout(now);
    const timeout = this.#inner.pollTimeout();
    if (timeout !== undefined && now >= timeout) this.#inner.onTimeout(now);
  }
}
