import {
  type Instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  perSecond,
  SECOND,
} from '../../../protocol/base/units.ts';
import { ECT_1, type Ecn } from '../../../protocol/ecn.ts';
import type { CongestionFeedback, RateController, SentPacket } from '../rate-controller.ts';
import { LossDetector } from './loss-detector.ts';
import { QueueingDelay } from './queueing-delay.ts';
import { ReferenceWindow } from './reference-window.ts';
import { SCREAM2_DEFAULTS, type Scream2Options } from './scream2-options.ts';

/** Resolution of the clocks, below which a round trip is no measurement. */
const ROUND_TRIP_MIN: Microseconds = milliseconds(0.1);
/** Frames whose relative sizes are remembered, and the percentile that widens the window (§4.2.4). */
const FRAMES = 128;
const FRAME_PERCENTILE = 0.75;
/** Window below which the rate is reduced further, in segments, and by how much at most (§4.3). */
const SMALL_WINDOW = 0.1;
const SMALL_WINDOW_MAX = 0.8;

/** SCReAMv2, the successor of RFC 8298 as drafted (draft-johansson-ccwg-rfc8298bis-screamv2), with L4S. */
export class Scream2 implements RateController {
  readonly #options: Scream2Options;
  readonly #window: ReferenceWindow;
  readonly #losses = new LossDetector();
  readonly #delay = new QueueingDelay();
  /** Sizes of frames above the mean size at the target, relative to it. */
  readonly #largeFrames: number[] = [];
  #frameFactor = 1;
  #offeredAt: Instant | undefined;
  /** Bits per second. */
  #target: number;
  #scalable = false;
  #waiting = 0;
  #silentAt: Instant | undefined;

  constructor(options: Partial<Scream2Options> = {}) {
    this.#options = { ...SCREAM2_DEFAULTS, ...options };
    this.#window = new ReferenceWindow(this.#options);
    this.#target = this.#options.bitrateStart;
  }

  get target(): number {
    return this.#target / 8;
  }

  get pacingRate(): number {
    const { pacingRateMin, pacingHeadroom } = this.#options;
    return (Math.max(pacingRateMin, this.#target) * pacingHeadroom) / 8;
  }

  get windowBytes(): number {
    return this.#window.bytes * this.#options.windowOverhead * this.#frameFactor - this.#window.inFlight;
  }

  get refusesFrames(): boolean {
    return this.#waiting * 8 * SECOND > this.#target * this.#options.senderQueueLimit;
  }

  get ecn(): Ecn {
    return ECT_1;
  }

  get standingQueue(): Microseconds | undefined {
    return this.#window.queueingDelay;
  }

  get feedbackInterval(): Microseconds {
    return this.#options.feedbackInterval;
  }

  onOffered(now: Instant, bytes: number, queued: number): void {
    this.#waiting = queued;
    const interval = this.#offeredAt === undefined ? 0 : now - this.#offeredAt;
    this.#offeredAt = now;
    if (interval <= 0) return;
    const relative = perSecond(bytes * 8, microseconds(interval)) / this.#target;
    if (relative <= 1) return;
    this.#largeFrames.push(relative);
    if (this.#largeFrames.length > FRAMES) this.#largeFrames.shift();
    const sorted = [...this.#largeFrames].sort((one, other) => one - other);
    this.#frameFactor = sorted[Math.floor(sorted.length * FRAME_PERCENTILE)]!;
  }

  onSent(now: Instant, { bytes }: SentPacket): void {
    this.#window.onSent(bytes);
    this.#silentAt ??= later(now, this.#options.reportTimeout);
  }

  onFeedback(now: Instant, { packets, bytesInFlight, roundTrip: measured }: CongestionFeedback): void {
    this.#silentAt = bytesInFlight > 0 ? later(now, this.#options.reportTimeout) : undefined;
    const roundTrip = microseconds(Math.max(ROUND_TRIP_MIN, measured));
    const usedBefore = this.#window.inFlight / this.#window.bytes;
    let delay = this.#window.queueingDelay ?? microseconds(0);
    let received = 0;
    let marked = 0;
    let markedBytes = 0;
    for (const { sentAt, arrivedAt, bytes, mark } of packets) {
      if (arrivedAt === undefined) continue;
      received++;
      delay = this.#delay.onPacket(now, sentAt, arrivedAt);
      if (mark === 'ect-1') this.#scalable = true;
      if (mark !== 'ce') continue;
      marked++;
      markedBytes += bytes;
    }
    this.#window.onFeedback(now, {
      delay,
      inFlight: bytesInFlight,
      roundTrip,
      lost: this.#losses.onReports(now, packets) > 0,
      packets: received,
      marked,
      markedBytes,
      scalable: this.#scalable,
      targetBitrate: this.#target,
    });
    this.#updateTarget(roundTrip, usedBefore);
  }

  /** Media rate control (§4.3): one window in a round trip, less where that would be too much. */
  #updateTarget(roundTrip: Microseconds, used: number): void {
    const { inFlightLimit, inFlightCompensation, segmentBytes, bitrateMin, bitrateMax } = this.#options;
    let factor = 1;
    if (!this.#scalable && used > inFlightLimit) factor /= Math.min(inFlightCompensation, used / inFlightLimit);
    const small = segmentBytes / this.#window.bytes - SMALL_WINDOW;
    factor *= 1 - Math.min(SMALL_WINDOW_MAX, Math.max(0, small));
    const bitrate = factor * 8 * perSecond(this.#window.bytes, roundTrip);
    this.#target = Math.min(bitrateMax, Math.max(bitrateMin, bitrate));
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
