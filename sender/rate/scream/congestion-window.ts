import { type Instant, later, type Microseconds, seconds } from '../../../protocol/base/units.ts';
import { WindowedMaximum } from '../../../protocol/base/windowed-maximum.ts';
import { QueueingDelayTarget, QueueingTrend } from './queueing-trend.ts';
import type { ScreamOptions } from './scream-options.ts';

/** Weight of a round trip in the loss event rate; the RFC leaves it open. */
const LOSS_EVENT_WEIGHT = 0.01;
/** Use of the window that allows it to grow: fast, and by the delay (RFC 8298 §4.1.2.2). */
const USED_FAST = 1.5;
const USED = 1.25;

/** Congestion-window input from one acknowledgment. */
export interface WindowFeedback {
  /** Queueing delay of the newest packet received. */
  readonly delay: Microseconds;
  /** Bytes sent and not yet reported, after this report. */
  readonly inFlight: number;
  readonly roundTrip: Microseconds;
  readonly lost: boolean;
  readonly marked: boolean;
}

/** Network congestion control of SCReAM (RFC 8298 §4.1.2): bytes in flight, and the window that limits them. */
export class CongestionWindow {
  readonly #options: ScreamOptions;
  readonly trend: QueueingTrend;
  readonly #target: QueueingDelayTarget;
  readonly #inFlightMax = new WindowedMaximum({ slot: seconds(2.5) });
  #window: number;
  #inFlight = 0;
  #delay: Microseconds | undefined;
  #fastIncrease = true;
  #congestedAt: Instant | undefined;
  #lossEventRate = 0;
  #roundAt: Instant | undefined;
  #lossInRound = false;
  #calmSince: Instant | undefined;

  constructor(options: ScreamOptions) {
    this.#options = options;
    this.#window = options.windowMin;
    this.trend = new QueueingTrend(options.queueDelayWeight);
    this.#target = new QueueingDelayTarget(options.queueDelayTargetMin, options.queueDelayTargetMax);
  }

  /** Congestion window, bytes, at least its minimum. */
  get bytes(): number {
    return this.#window;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queueingDelay(): Microseconds | undefined {
    return this.#delay;
  }

  get queueingDelayTarget(): Microseconds {
    return this.#target.value;
  }

  get inFastIncrease(): boolean {
    return this.#fastIncrease;
  }

  /** Bytes that may leave now (§4.1.2.5). */
  get room(): number {
    const relaxed = this.#delay === undefined || this.#delay <= this.#target.value;
    return this.#window + (relaxed ? this.#options.segmentBytes : 0) - this.#inFlight;
  }

  onSent(now: Instant, bytes: number): void {
    this.#inFlight += bytes;
    this.#inFlightMax.observe(now, this.#inFlight);
  }

  /** Nothing has been reported for too long: bytes in flight count as lost. */
  onSilence(): void {
    this.#inFlight = 0;
    this.#window = this.#options.windowMin;
  }

  /** @returns true for a congestion event, at most one in a round trip. */
  onFeedback(now: Instant, feedback: WindowFeedback): boolean {
    const { delay } = feedback;
    const inFlight = this.#inFlight;
    // After a silence, more may be in flight than is counted.
    const bytes = Math.max(0, inFlight - feedback.inFlight);
    this.#inFlight = feedback.inFlight;
    this.#delay = delay;
    this.trend.update(now, delay, this.#target.value);
    const congested = this.#isCongestionEvent(now, feedback);
    if (congested) this.#reduce(now, feedback.lost);
    else this.#update(now, bytes, inFlight);
    this.#target.update(delay, this.#lossEventRate);
    if (!congested) this.#resumeFastIncrease(now);
    return congested;
  }

  #isCongestionEvent(now: Instant, { lost, marked, roundTrip }: WindowFeedback): boolean {
    this.#roundAt ??= later(now, roundTrip);
    this.#lossInRound ||= lost;
    if (now >= this.#roundAt) {
      this.#roundAt = later(now, roundTrip);
      this.#lossEventRate += LOSS_EVENT_WEIGHT * ((this.#lossInRound ? 1 : 0) - this.#lossEventRate);
      this.#lossInRound = false;
    }
    const isNew = this.#congestedAt === undefined || now - this.#congestedAt >= roundTrip;
    return (lost || marked) && isNew;
  }

  #reduce(now: Instant, lost: boolean): void {
    const { windowMin, lossFactor, ecnFactor } = this.#options;
    this.#congestedAt = now;
    this.#calmSince = undefined;
    this.#fastIncrease = false;
    this.#window = Math.max(windowMin, this.#window * (lost ? lossFactor : ecnFactor));
  }

  #update(now: Instant, bytes: number, inFlight: number): void {
    const { trendMax, gain, segmentBytes, inFlightHeadroom, windowMin } = this.#options;
    if (this.#fastIncrease) {
      if (this.trend.value < trendMax) {
        if (inFlight * USED_FAST + bytes > this.#window) this.#window += bytes;
        return;
      }
      this.#fastIncrease = false;
    }
    const offTarget = (this.#target.value - this.#delay!) / this.#target.value;
    const grows = offTarget <= 0 || inFlight * USED + bytes > this.#window;
    if (grows) this.#window += (gain * offTarget * bytes * segmentBytes) / this.#window;
    this.#window = Math.min(this.#window, this.#inFlightMax.at(now) * inFlightHeadroom);
    this.#window = Math.max(this.#window, windowMin);
  }

  #resumeFastIncrease(now: Instant): void {
    const { trendToResume, resumeAfter } = this.#options;
    if (this.trend.value >= trendToResume) this.#calmSince = undefined;
    else this.#calmSince ??= now;
    if (this.#calmSince !== undefined && now - this.#calmSince >= resumeAfter) this.#fastIncrease = true;
  }
}
