import { type Instant, later, type Microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { QueueingDelayTarget } from './queueing-trend.ts';
import type { Scream2Options } from './scream2-options.ts';

/** Longest interval between updates of the share of marks (§4.2). */
const MARKS_INTERVAL: Microseconds = milliseconds(10);
/** Shortest interval between updates of the inflection point (§4.2.2). */
const INFLECTION_INTERVAL: Microseconds = milliseconds(250);
/** After this time without congestion, an L4S window may exceed what is in flight by far (§4.2.2). */
const CALM_FOR: Microseconds = seconds(5);
const BACKOFF_AFTER_CALM = 0.25;
/** Growth near the inflection point, and its steepness (§4.2.2). */
const SCALE_MIN = 0.1;
const SCALE_GAIN = 4;
/** Weight of a round trip in the loss event rate; the draft leaves it open. */
const LOSS_EVENT_WEIGHT = 0.01;

/** Reference-window input from one report. */
export interface ReferenceFeedback {
  readonly delay: Microseconds;
  /** Bytes sent and not yet reported, after this report. */
  readonly inFlight: number;
  readonly roundTrip: Microseconds;
  readonly lost: boolean;
  /** Received packets, and those of them with a CE mark; bytes with one. */
  readonly packets: number;
  readonly marked: number;
  readonly markedBytes: number;
  /** True on a path that marks for scalable congestion controls (RFC 9331). */
  readonly scalable: boolean;
  readonly targetBitrate: number;
}

/** Network congestion control of SCReAMv2 (§4.2): the reference window, around which the bytes in flight vary. */
export class ReferenceWindow {
  readonly #options: Scream2Options;
  readonly #target: QueueingDelayTarget;
  #window: number;
  #inflection = 1;
  #inflectionAt: Instant | undefined;
  #inFlight = 0;
  #inFlightMax = 0;
  #inFlightMaxBefore = 0;
  #delay: Microseconds | undefined;
  #delayAverage = 0;
  #delayAveragedAt: Instant | undefined;
  #marks = 0;
  #marksAt: Instant | undefined;
  #packetsSince = 0;
  #markedSince = 0;
  #congestedAt: Instant | undefined;
  #roundAt: Instant | undefined;
  #lossInRound = false;
  #lossEventRate = 0;

  constructor(options: Scream2Options) {
    this.#options = options;
    this.#window = options.windowMin;
    this.#target = new QueueingDelayTarget(options.queueDelayTargetMin, options.queueDelayTargetMax);
  }

  /** Reference window, bytes, at least its minimum. */
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

  onSent(bytes: number): void {
    this.#inFlight += bytes;
    this.#inFlightMax = Math.max(this.#inFlightMax, this.#inFlight);
  }

  /** Nothing has been reported for too long: bytes in flight count as lost. */
  onSilence(): void {
    this.#inFlight = 0;
    this.#window = this.#options.windowMin;
  }

  onFeedback(now: Instant, feedback: ReferenceFeedback): void {
    // After a silence, more may be in flight than is counted.
    const acknowledged = Math.max(0, this.#inFlight - feedback.inFlight);
    this.#inFlight = feedback.inFlight;
    this.#delay = feedback.delay;
    this.#average(now, feedback);
    this.#nextRound(now, feedback);
    if (this.#reduce(now, feedback)) this.#congestedAt = now;
    this.#grow(now, Math.max(0, acknowledged - feedback.markedBytes), feedback);
    this.#target.update(feedback.delay, this.#lossEventRate);
  }

  #average(now: Instant, { packets, marked, roundTrip, delay }: ReferenceFeedback): void {
    this.#packetsSince += packets;
    this.#markedSince += marked;
    this.#marksAt ??= now;
    if (now - this.#marksAt >= Math.min(MARKS_INTERVAL, roundTrip) && this.#packetsSince > 0) {
      const share = this.#markedSince / this.#packetsSince;
      this.#marks += this.#options.marksWeight * (share - this.#marks);
      this.#marksAt = now;
      this.#packetsSince = 0;
      this.#markedSince = 0;
    }
    if (this.#delayAveragedAt !== undefined && now - this.#delayAveragedAt < roundTrip) return;
    this.#delayAveragedAt = now;
    // Slow attack, fast decay.
    const weight = delay < this.#delayAverage ? 1 : this.#options.queueDelayWeight;
    this.#delayAverage += weight * (delay - this.#delayAverage);
  }

  #nextRound(now: Instant, { roundTrip, lost }: ReferenceFeedback): void {
    this.#lossInRound ||= lost;
    this.#roundAt ??= later(now, roundTrip);
    if (now < this.#roundAt) return;
    this.#roundAt = later(now, roundTrip);
    this.#inFlightMaxBefore = this.#inFlightMax;
    this.#inFlightMax = this.#inFlight;
    this.#lossEventRate += LOSS_EVENT_WEIGHT * ((this.#lossInRound ? 1 : 0) - this.#lossEventRate);
    this.#lossInRound = false;
  }

  /** @returns true when there was a congestion event. */
  #reduce(now: Instant, feedback: ReferenceFeedback): boolean {
    const { virtualRoundTrip, lossFactor, ecnFactor, windowMin, segmentBytes } = this.#options;
    const { roundTrip, lost, scalable, targetBitrate, delay } = feedback;
    const since = this.#congestedAt === undefined ? Number.POSITIVE_INFINITY : now - this.#congestedAt;
    if (since < Math.min(virtualRoundTrip, roundTrip)) return false;
    const marked = feedback.marked > 0;
    const half = this.#target.value / 2;
    // Marks at less than two a round trip do not control the rate.
    const marksLimit = ((2 / targetBitrate) * segmentBytes * 8 * 1e6) / roundTrip;
    const delayed = delay > half && (this.#marks < marksLimit || !scalable);
    if (!lost && !marked && !delayed) return false;
    if (this.#inflectionAt === undefined || now - this.#inflectionAt > INFLECTION_INTERVAL) {
      this.#inflectionAt = now;
      this.#inflection = this.#window;
    }
    if (lost) this.#window *= lossFactor;
    if (marked) {
      if (scalable) this.#reduceByMarks(since);
      else this.#window *= ecnFactor;
    }
    if (delayed) this.#window *= 1 - Math.min(1, Math.max(0, (this.#delayAverage - half) / half)) / 2;
    this.#window = Math.max(windowMin, this.#window);
    return true;
  }

  #reduceByMarks(since: number): void {
    let backoff = (this.#marks / 2) * Math.max(0.8, 1 - (2 * this.#options.segmentBytes) / this.#window);
    if (since > CALM_FOR) {
      this.#window = Math.min(this.#window, Math.max(this.#inFlightMaxBefore, this.#options.windowMin));
      backoff = Math.max(backoff, BACKOFF_AFTER_CALM);
      this.#marks = BACKOFF_AFTER_CALM;
    }
    this.#window *= 1 - backoff;
  }

  #grow(now: Instant, acknowledged: number, { roundTrip, scalable }: ReferenceFeedback): void {
    const { segmentBytes, virtualRoundTrip, cautiousFor, increase, inFlightHeadroom } = this.#options;
    const ratio = segmentBytes / this.#window;
    const short = Math.min(1, roundTrip / virtualRoundTrip);
    const distance = ((this.#window - this.#inflection) / this.#inflection) * SCALE_GAIN;
    const least = scalable ? Math.max(SCALE_MIN, Math.min(1, 0.02 / ratio)) : SCALE_MIN;
    const scale = Math.max(least, Math.min(1, distance * distance));
    const calm = this.#congestedAt === undefined ? 1 : Math.min(1, (now - this.#congestedAt) / cautiousFor);
    const multiplicative = 1 + ((increase * this.#window) / segmentBytes) * calm * scale;
    const grown = this.#window + acknowledged * ratio * short * short * scale * multiplicative;
    // Only while it is used.
    const most = segmentBytes + Math.max(this.#inFlightMax, this.#inFlightMaxBefore) * inFlightHeadroom;
    if (grown <= most) this.#window = grown;
  }
}
