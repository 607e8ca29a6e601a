import {
  type Instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  perSecond,
  SECOND,
} from '../../../protocol/base/units.ts';
import { ECT_0, type Ecn } from '../../../protocol/ecn.ts';
import type { CongestionFeedback, PacketReport, RateController, SentPacket } from '../rate-controller.ts';
import { CongestionWindow } from './congestion-window.ts';
import { LossDetector } from './loss-detector.ts';
import { MediaRate } from './media-rate.ts';
import { QueueingDelay } from './queueing-delay.ts';
import { SCREAM_DEFAULTS, type ScreamOptions } from './scream-options.ts';

/** Resolution of the clocks, below which a round trip is no measurement. */
const ROUND_TRIP_MIN: Microseconds = milliseconds(0.1);

/** State of the controller, for diagnosis. */
export interface ScreamState {
  /** Congestion window, bytes. */
  readonly window: number;
  readonly inFlight: number;
  readonly queueingDelay: Microseconds | undefined;
  readonly queueingDelayTarget: Microseconds;
  readonly inFastIncrease: boolean;
  /** Trend of the queueing delay, 0 … 1. */
  readonly trend: number;
}

/**
 * SCReAM as published (RFC 8298): a window of bytes in flight that follows the queueing delay (§4.1.2), and a target bit
 * rate that follows the transmission and the sender's own queue (§4.1.3). `ScreamOptions` names what the RFC leaves open.
 */
export class Scream implements RateController {
  readonly #options: ScreamOptions;
  readonly #window: CongestionWindow;
  readonly #rate: MediaRate;
  readonly #losses = new LossDetector();
  readonly #delay = new QueueingDelay();
  /** Media bytes in the sender's queue, and those in front of the frame offered last. */
  #queued = 0;
  #waiting = 0;
  #roundTrip: Microseconds | undefined;
  #silentAt: Instant | undefined;

  constructor(options: Partial<ScreamOptions> = {}) {
    this.#options = { ...SCREAM_DEFAULTS, ...options };
    this.#window = new CongestionWindow(this.#options);
    this.#rate = new MediaRate(this.#options);
  }

  get target(): number {
    return this.#rate.target / 8;
  }

  /** §4.1.2.6: one window in a round trip. */
  get pacingRate(): number {
    // Until a round trip is known, only the target is available.
    const rate = this.#roundTrip === undefined ? this.target : perSecond(this.#window.bytes, this.#roundTrip);
    return Math.max(this.#options.pacingRateMin / 8, rate);
  }

  get windowBytes(): number {
    return this.#window.room;
  }

  get ecn(): Ecn {
    return ECT_0;
  }

  get standingQueue(): Microseconds | undefined {
    return this.#window.queueingDelay;
  }

  get feedbackInterval(): Microseconds {
    return this.#options.feedbackInterval;
  }

  get refusesFrames(): boolean {
    const { current } = this.#rate;
    return current !== undefined && this.#waiting * 8 * SECOND > current * this.#options.senderQueueLimit;
  }

  get state(): ScreamState {
    const { bytes, inFlight, queueingDelay, queueingDelayTarget, inFastIncrease, trend } = this.#window;
    return { window: bytes, inFlight, queueingDelay, queueingDelayTarget, inFastIncrease, trend: trend.value };
  }

  onOffered(_now: Instant, bytes: number, queued: number): void {
    this.#rate.onOffered(bytes);
    this.#waiting = queued;
    this.#queued = queued + bytes;
  }

  onSent(now: Instant, { bytes, kind }: SentPacket): void {
    this.#rate.onSent(bytes);
    this.#window.onSent(now, bytes);
    if (kind === 'media') this.#queued = Math.max(0, this.#queued - bytes);
    this.#silentAt ??= later(now, this.#options.reportTimeout);
  }

  onFeedback(now: Instant, { packets, bytesInFlight, roundTrip }: CongestionFeedback): void {
    this.#roundTrip = microseconds(Math.max(ROUND_TRIP_MIN, roundTrip));
    this.#silentAt = bytesInFlight > 0 ? later(now, this.#options.reportTimeout) : undefined;
    const newest = this.#takeReceived(now, packets);
    const lost = this.#losses.onReports(now, packets) > 0;
    const marked = packets.some(({ mark }) => mark === 'ce');
    const delay = newest ?? this.#window.queueingDelay ?? microseconds(0);
    const feedback = { delay, inFlight: bytesInFlight, roundTrip, lost, marked };
    if (this.#window.onFeedback(now, feedback)) {
      const { lossFactorOfRate, ecnFactor } = this.#options;
      return this.#rate.onCongestion(lost ? lossFactorOfRate : ecnFactor);
    }
    const { inFastIncrease, trend } = this.#window;
    const queuedBits = this.#queued * 8;
    this.#rate.update(now, { queuedBits, inFastIncrease, trend: trend.value, trendPeak: trend.peak });
  }

  /** @returns queueing delay of the newest packet received; `undefined` when none was. */
  #takeReceived(now: Instant, packets: readonly PacketReport[]): Microseconds | undefined {
    let delay: Microseconds | undefined;
    for (const { sentAt, arrivedAt, bytes } of packets) {
      if (arrivedAt === undefined) continue;
      this.#rate.onReported(bytes);
      delay = this.#delay.onPacket(now, sentAt, arrivedAt);
    }
    return delay;
  }

  onPaced(): void {}

  onPath(): void {}

  pollTimeout(): Instant | undefined {
    return this.#silentAt;
  }

  onTimeout(now: Instant): void {
    if (this.#silentAt === undefined || now < this.#silentAt) return;
    this.#window.onSilence();
    this.#silentAt = later(now, this.#options.reportTimeout);
  }
}
