import { assert } from '../../protocol/base/assert.ts';
import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  SECOND,
  seconds,
} from '../../protocol/base/units.ts';
import { RandomStream } from '../random.ts';
import { BbrAggregation } from './bbr-aggregation.ts';
import { BbrPolicer } from './bbr-policer.ts';
import { burstSegmentsGoal } from './burst-size.ts';
import type { CongestionControl } from './congestion-control.ts';
import { type Flow, INITIAL_WINDOW, isRecovering, type RecoveryState } from './flow.ts';
import type { RateSample } from './rate-sample.ts';
import { WindowedFilter } from './windowed-filter.ts';

/** 2 / ln 2: the smallest gain that doubles the rate in each round trip. */
const HIGH_GAIN = 739 / 256;
const DRAIN_GAIN = 88 / 256;
const WINDOW_GAIN = 2;
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
/** The cycle starts in a random phase other than the draining one. */
const CYCLE_STARTS = 7;
/** Window of the maximum filter for the bandwidth, rounds. */
const BANDWIDTH_ROUNDS = CYCLE.length + 2;
const ROUND_TRIP_WINDOW: Microseconds = seconds(10);
const PROBE_ROUND_TRIP: Microseconds = milliseconds(200);
const WINDOW_MIN = 4;
/** The pipe is full after three rounds with less than 25 % growth. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
/** Paces slightly below the estimate so that queues drain. */
const PACING_MARGIN = 0.99;
/** Assumed round-trip time before the first sample, microseconds. */
const ROUND_TRIP_GUESS: Microseconds = milliseconds(1);
/** Below this rate a burst is one segment; bytes per second (1.2 Mb/s). */
const SINGLE_SEGMENT_RATE = 150_000;

type Mode = 'startup' | 'drain' | 'probe-bandwidth' | 'probe-round-trip';

/**
 * BBR version 1 as in Linux (`tcp_bbr.c`; draft-cardwell-iccrg-bbr-congestion-control-00). Window and rate follow a
 * model of the path (maximum delivery rate, minimum round trip), not losses. Bandwidths are in segments per
 * microsecond.
 */
export class Bbr implements CongestionControl {
  readonly ownsWindow = true;
  readonly #flow: Flow;
  readonly #random: RandomStream;
  readonly #aggregation = new BbrAggregation();
  readonly #policer = new BbrPolicer();
  readonly #bandwidth = new WindowedFilter('maximum', 0);
  #draws = 0;
  #mode: Mode = 'startup';
  #pacingGain = HIGH_GAIN;
  #windowGain = HIGH_GAIN;
  #round = 0;
  #roundStarts = false;
  #roundEndsAt = 0;
  #minimum: Microseconds = microseconds(Number.POSITIVE_INFINITY);
  #minimumAt: Instant = instant(0);
  #fullBandwidth = 0;
  #fullRounds = 0;
  #pipeIsFull = false;
  #phase = 0;
  #phaseAt: Instant = instant(0);
  #probeEndsAt: Instant | undefined;
  #probeRoundDone = false;
  #restartsAfterIdle = false;
  #priorWindow = 0;
  #priorState: RecoveryState = 'open';
  #conservesPackets = false;
  #roundTripSeen = false;

  constructor(flow: Flow, seed: number) {
    this.#flow = flow;
    this.#random = new RandomStream(seed, 'bbr/cycle');
    flow.pacingRate = this.#bytesPerSecond(INITIAL_WINDOW / ROUND_TRIP_GUESS, HIGH_GAIN);
  }

  get mode(): Mode {
    return this.#mode;
  }

  get burstSegmentsMin(): number {
    return this.#flow.pacingRate < SINGLE_SEGMENT_RATE ? 1 : 2;
  }

  control(now: Instant, sample: RateSample): void {
    this.#noteBandwidth(now, sample);
    this.#noteAggregation(now, sample);
    this.#advanceCycle(sample);
    this.#detectFullPipe(sample);
    this.#leaveDrain();
    this.#noteMinimum(now, sample);
    this.#setGains();
    const bandwidth = this.#usedBandwidth;
    this.#setPacingRate(bandwidth, this.#pacingGain);
    this.#setWindow(sample, bandwidth);
  }

  /** BBR has no threshold, but the caller is about to reduce the window, so it is saved. */
  thresholdAfterLoss(): number {
    this.#saveWindow();
    return this.#flow.slowStartThreshold;
  }

  windowBeforeLoss(): number {
    this.#fullBandwidth = 0;
    this.#fullRounds = 0;
    this.#policer.reset(this.#flow);
    return this.#flow.congestionWindow;
  }

  noteState(now: Instant, state: RecoveryState): void {
    if (state !== 'loss') return;
    this.#priorState = 'loss';
    this.#fullBandwidth = 0;
    this.#roundStarts = true;
    this.#samplePolicer(now, { losses: 1, applicationLimited: false });
  }

  noteTransmissionStart(now: Instant): void {
    if (this.#flow.applicationLimitedUntil === 0) return;
    this.#restartsAfterIdle = true;
    this.#aggregation.restart(now);
    if (this.#mode === 'probe-bandwidth') this.#setPacingRate(this.#usedBandwidth, 1);
    else if (this.#mode === 'probe-round-trip') this.#endProbeIfDone(now);
  }

  grow(): void {}

  noteRoundTrip(): void {}

  noteEstablished(): void {
    this.#paceByRoundTrip();
  }

  get #usedBandwidth(): number {
    return this.#policer.bandwidth ?? this.#bandwidth.value;
  }

  #noteBandwidth(now: Instant, sample: RateSample): void {
    this.#roundStarts = false;
    if (sample.delivered < 0 || sample.interval <= 0) return;
    if (sample.priorDelivered >= this.#roundEndsAt) {
      this.#roundEndsAt = this.#flow.delivered;
      this.#round++;
      this.#roundStarts = true;
      this.#conservesPackets = false;
    }
    this.#samplePolicer(now, sample);
    const bandwidth = sample.delivered / sample.interval;
    // An application-limited sample is only a lower bound of the bandwidth.
    if (sample.applicationLimited && bandwidth < this.#bandwidth.value) return;
    this.#bandwidth.update(BANDWIDTH_ROUNDS, this.#round, bandwidth);
  }

  #samplePolicer(now: Instant, sample: Pick<RateSample, 'losses' | 'applicationLimited'>): void {
    const inProbe = this.#mode === 'probe-bandwidth';
    if (this.#policer.sample(now, this.#flow, sample, this.#roundStarts, inProbe) === 'probe') this.#startCycle();
  }

  #noteAggregation(now: Instant, sample: RateSample): void {
    if (sample.acknowledged <= 0 || sample.delivered < 0 || sample.interval <= 0) return;
    const { deliveredAt, congestionWindow } = this.#flow;
    assert(deliveredAt <= now, 'the delivery time must not be in the future');
    this.#aggregation.note({
      deliveredAt,
      acknowledged: sample.acknowledged,
      bandwidth: this.#usedBandwidth,
      window: congestionWindow,
      roundStarts: this.#roundStarts,
    });
  }

  #advanceCycle(sample: RateSample): void {
    if (this.#mode !== 'probe-bandwidth') return;
    const { deliveredAt } = this.#flow;
    const wholeRound = deliveredAt - this.#phaseAt > this.#minimum;
    if (this.#phaseIsOver(sample, wholeRound)) this.#nextPhase();
  }

  #phaseIsOver(sample: RateSample, wholeRound: boolean): boolean {
    const bandwidth = this.#bandwidth.value;
    if (this.#pacingGain > 1) {
      return wholeRound && (sample.losses > 0 || sample.priorInFlight >= this.#inFlight(bandwidth, this.#pacingGain));
    }
    if (this.#pacingGain < 1) return wholeRound || sample.priorInFlight <= this.#inFlight(bandwidth, 1);
    return wholeRound;
  }

  #nextPhase(): void {
    this.#phase = (this.#phase + 1) % CYCLE.length;
    this.#phaseAt = this.#flow.deliveredAt;
  }

  #startCycle(): void {
    this.#mode = 'probe-bandwidth';
    this.#phase = CYCLE.length - 1 - this.#random.below(this.#draws++, CYCLE_STARTS);
    this.#nextPhase();
  }

  #detectFullPipe(sample: RateSample): void {
    if (this.#pipeIsFull || !this.#roundStarts || sample.applicationLimited) return;
    if (this.#bandwidth.value >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = this.#bandwidth.value;
      this.#fullRounds = 0;
      return;
    }
    this.#fullRounds++;
    this.#pipeIsFull = this.#fullRounds >= FULL_ROUNDS;
  }

  #leaveDrain(): void {
    const target = () => this.#inFlight(this.#bandwidth.value, 1);
    if (this.#mode === 'startup' && this.#pipeIsFull) {
      this.#mode = 'drain';
      this.#flow.slowStartThreshold = target();
    }
    if (this.#mode === 'drain' && this.#flow.inFlight <= target()) this.#startCycle();
  }

  #noteMinimum(now: Instant, sample: RateSample): void {
    const expired = now > this.#minimumAt + ROUND_TRIP_WINDOW;
    if (sample.roundTrip >= 0 && (sample.roundTrip < this.#minimum || (expired && !sample.maybeDelayed))) {
      this.#minimum = sample.roundTrip;
      this.#minimumAt = now;
    }
    if (expired && !this.#restartsAfterIdle && this.#mode !== 'probe-round-trip') {
      this.#mode = 'probe-round-trip';
      this.#saveWindow();
      this.#probeEndsAt = undefined;
    }
    if (this.#mode === 'probe-round-trip') this.#probeRoundTrip(now);
    if (sample.delivered > 0) this.#restartsAfterIdle = false;
  }

  #probeRoundTrip(now: Instant): void {
    const flow = this.#flow;
    flow.applicationLimitedUntil = Math.max(flow.delivered + flow.inFlight, 1);
    if (this.#probeEndsAt === undefined) {
      if (flow.inFlight > WINDOW_MIN) return;
      this.#probeEndsAt = later(now, PROBE_ROUND_TRIP);
      this.#probeRoundDone = false;
      this.#roundEndsAt = flow.delivered;
      return;
    }
    if (this.#roundStarts) this.#probeRoundDone = true;
    if (this.#probeRoundDone) this.#endProbeIfDone(now);
  }

  #endProbeIfDone(now: Instant): void {
    if (this.#probeEndsAt === undefined || now <= this.#probeEndsAt) return;
    this.#minimumAt = now;
    this.#flow.congestionWindow = Math.max(this.#flow.congestionWindow, this.#priorWindow);
    if (this.#pipeIsFull) this.#startCycle();
    else this.#mode = 'startup';
  }

  #setGains(): void {
    switch (this.#mode) {
      case 'startup':
        this.#pacingGain = HIGH_GAIN;
        this.#windowGain = HIGH_GAIN;
        break;
      case 'drain':
        this.#pacingGain = DRAIN_GAIN;
        this.#windowGain = HIGH_GAIN;
        break;
      case 'probe-bandwidth':
        this.#pacingGain = this.#policer.bandwidth === undefined ? CYCLE[this.#phase]! : 1;
        this.#windowGain = WINDOW_GAIN;
        break;
      case 'probe-round-trip':
        this.#pacingGain = 1;
        this.#windowGain = 1;
        break;
      default:
        this.#mode satisfies never;
    }
  }

  #setPacingRate(bandwidth: number, gain: number): void {
    const flow = this.#flow;
    this.#paceByRoundTrip();
    const rate = this.#bytesPerSecond(bandwidth, gain);
    if (this.#pipeIsFull || rate > flow.pacingRate) flow.pacingRate = Math.max(rate, 1);
  }

  /** Derives the initial pacing rate from the first round-trip sample. */
  #paceByRoundTrip(): void {
    const { roundTrip, congestionWindow } = this.#flow;
    if (this.#roundTripSeen || roundTrip.smoothed === 0) return;
    this.#roundTripSeen = true;
    this.#flow.pacingRate = this.#bytesPerSecond(congestionWindow / roundTrip.smoothed, HIGH_GAIN);
  }

  #bytesPerSecond(bandwidth: number, gain: number): number {
    return bandwidth * this.#flow.segmentBytes * SECOND * gain * PACING_MARGIN;
  }

  #setWindow(sample: RateSample, bandwidth: number): void {
    const flow = this.#flow;
    const { acknowledged } = sample;
    if (acknowledged > 0 && !this.#conserveInRecovery(sample)) {
      let window = flow.congestionWindow;
      const aggregation = this.#pipeIsFull ? this.#aggregation.segments(bandwidth) : 0;
      const target = this.#withBudget(this.#product(bandwidth, this.#windowGain) + aggregation);
      if (this.#pipeIsFull) window = Math.min(window + acknowledged, target);
      else if (window < target || flow.delivered < INITIAL_WINDOW) window += acknowledged;
      flow.congestionWindow = Math.max(window, WINDOW_MIN);
    }
    if (this.#mode === 'probe-round-trip') flow.congestionWindow = Math.min(flow.congestionWindow, WINDOW_MIN);
  }

  /**
   * Applies packet conservation in the first round of recovery, and restores the window at its end. Returns true while
   * packet conservation determines the window.
   */
  #conserveInRecovery(sample: RateSample): boolean {
    const flow = this.#flow;
    let window = flow.congestionWindow;
    if (sample.losses > 0) window = Math.max(window - sample.losses, 1);
    if (flow.state === 'recovery' && this.#priorState !== 'recovery') {
      this.#conservesPackets = true;
      this.#roundEndsAt = flow.delivered;
      window = flow.inFlight + sample.acknowledged;
    } else if (isRecovering(this.#priorState) && !isRecovering(flow.state)) {
      window = Math.max(window, this.#priorWindow);
      this.#conservesPackets = false;
    }
    this.#priorState = flow.state;
    flow.congestionWindow = this.#conservesPackets ? Math.max(window, flow.inFlight + sample.acknowledged) : window;
    return this.#conservesPackets;
  }

  #saveWindow(): void {
    const window = this.#flow.congestionWindow;
    const undisturbed = !isRecovering(this.#priorState) && this.#mode !== 'probe-round-trip';
    this.#priorWindow = undisturbed ? window : Math.max(this.#priorWindow, window);
  }

  /**
   * Returns the in-flight target: the bandwidth-delay product plus the budget for bursts and delayed acknowledgments.
   */
  #inFlight(bandwidth: number, gain: number): number {
    return this.#withBudget(this.#product(bandwidth, gain));
  }

  #product(bandwidth: number, gain: number): number {
    if (this.#minimum === Number.POSITIVE_INFINITY) return INITIAL_WINDOW;
    return Math.ceil(bandwidth * this.#minimum * gain);
  }

  #withBudget(segments: number): number {
    const budget = segments + 3 * burstSegmentsGoal(this.#flow, this.burstSegmentsMin);
    const even = (budget + 1) & ~1;
    return this.#mode === 'probe-bandwidth' && this.#phase === 0 ? even + 2 : even;
  }
}
