import { integerCubeRoot } from '../../protocol/base/cube-root.ts';
import {
  type Instant,
  instant,
  MILLISECOND,
  type Microseconds,
  microseconds,
  SECOND,
} from '../../protocol/base/units.ts';
import { additiveIncrease, type CongestionControl, slowStart } from './congestion-control.ts';
import type { Flow, RecoveryState } from './flow.ts';
import { HyStart } from './hystart.ts';

/** β in units of 1/1024: 0.7 (RFC 9438 §4.6). */
const BETA = 717;
/** Acknowledged segments per window increment of the Reno-friendly window, in eighths of the window (§4.3). */
const FRIENDLY_EIGHTHS = Math.floor((8 * (1024 + BETA)) / 3 / (1024 - BETA));
/** C = 0.4 (§5.1) as in Linux: 410 / 2^10, with times in units of 1/1024 s. */
const C_SCALED = 410;
const ROOT_FACTOR = 2 ** 40 / C_SCALED;
/** Longest time between evaluations of the cubic function while the window is unchanged. */
const UPDATE_INTERVAL: Microseconds = microseconds(31_250);
/** Linux evaluates at most once per jiffy. */
const TICK = MILLISECOND;

/**
 * CUBIC (RFC 9438) in the integer arithmetic of Linux' tcp_cubic.c, with fast convergence, Reno-friendly region and
 * HyStart.
 */
export class Cubic implements CongestionControl {
  readonly ownsWindow = false;
  readonly burstSegmentsMin = 2;
  readonly #flow: Flow;
  readonly #hystart: HyStart;
  /** W_max: the window before the last reduction. */
  #windowMax = 0;
  /** Start of the epoch; `undefined`: the next acknowledgment starts one. */
  #epochStartAt: Instant | undefined;
  #origin = 0;
  /** K, units of 1/1024 s. */
  #rootTime = 0;
  #smallestRoundTrip: Microseconds = microseconds(0);
  #lastWindow = 0;
  #lastAt: Instant = instant(Number.NEGATIVE_INFINITY);
  /** Acknowledged segments per window increment. */
  #per = 0;
  #friendlyWindow = 0;
  #friendlyCount = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
    this.#hystart = new HyStart(flow);
  }

  grow(now: Instant, acknowledged: number): void {
    const flow = this.#flow;
    if (!flow.mayGrow) return;
    const left = flow.inSlowStart ? slowStart(flow, acknowledged) : acknowledged;
    if (left === 0) return;
    this.#update(now, left);
    additiveIncrease(flow, this.#per, left);
  }

  thresholdAfterLoss(): number {
    const window = this.#flow.congestionWindow;
    this.#epochStartAt = undefined;
    // Fast convergence (§4.7): a flow that loses below its previous maximum releases bandwidth.
    this.#windowMax = window < this.#windowMax ? Math.floor((window * (1024 + BETA)) / 2048) : window;
    return Math.max(Math.floor((window * BETA) / 1024), 2);
  }

  windowBeforeLoss(): number {
    return Math.max(this.#flow.congestionWindow, this.#flow.priorWindow);
  }

  noteRoundTrip(now: Instant, sample: Microseconds): void {
    // Samples right after fast recovery are distorted by retransmissions.
    if (this.#epochStartAt !== undefined && now - this.#epochStartAt < SECOND) return;
    if (this.#smallestRoundTrip === 0 || sample < this.#smallestRoundTrip)
      this.#smallestRoundTrip = microseconds(Math.max(sample, 1));
    this.#hystart.note(now, sample, this.#smallestRoundTrip);
  }

  noteState(now: Instant, state: RecoveryState): void {
    if (state !== 'loss') return;
    this.#windowMax = 0;
    this.#epochStartAt = undefined;
    this.#smallestRoundTrip = microseconds(0);
    this.#lastWindow = 0;
    this.#lastAt = instant(Number.NEGATIVE_INFINITY);
    this.#per = 0;
    this.#friendlyWindow = 0;
    this.#friendlyCount = 0;
    this.#hystart.reset(now);
  }

  /** Excludes idle time from the epoch (§5.8). */
  noteTransmissionStart(now: Instant): void {
    if (this.#epochStartAt === undefined) return;
    const idle = now - this.#flow.lastSentAt;
    if (idle > 0) this.#epochStartAt = instant(Math.min(this.#epochStartAt + idle, now));
  }

  control(): void {}

  noteEstablished(): void {}

  #update(now: Instant, acknowledged: number): void {
    const window = this.#flow.congestionWindow;
    this.#friendlyCount += acknowledged;
    if (this.#lastWindow === window && now - this.#lastAt <= UPDATE_INTERVAL) return;
    if (this.#epochStartAt === undefined || now - this.#lastAt >= TICK) {
      this.#lastWindow = window;
      this.#lastAt = now;
      this.#per = this.#perSegment(now, window, acknowledged);
    }
    this.#followReno(window);
    // At most 1.5-fold growth per round trip.
    this.#per = Math.max(this.#per, 2);
  }

  #perSegment(now: Instant, window: number, acknowledged: number): number {
    if (this.#epochStartAt === undefined) this.#startEpoch(now, window, acknowledged);
    // W_cubic one round trip ahead (§4.2).
    const elapsed = now - this.#epochStartAt! + this.#smallestRoundTrip;
    const offset = Math.floor((elapsed * 1024) / SECOND) - this.#rootTime;
    const distance = Math.abs(offset);
    const change = Math.floor((C_SCALED * distance * distance * distance) / 2 ** 40);
    const target = offset < 0 ? this.#origin - change : this.#origin + change;
    const per = target > window ? Math.floor(window / (target - window)) : 100 * window;
    // Before the first loss W_max is unknown, so growth is limited only upwards.
    return this.#windowMax === 0 ? Math.min(per, 20) : per;
  }

  #startEpoch(now: Instant, window: number, acknowledged: number): void {
    this.#epochStartAt = now;
    this.#friendlyCount = acknowledged;
    this.#friendlyWindow = window;
    const below = this.#windowMax - window;
    this.#rootTime = below > 0 ? integerCubeRoot(Math.floor(ROOT_FACTOR * below)) : 0;
    this.#origin = below > 0 ? this.#windowMax : window;
  }

  /** Follows the Reno estimate where it is larger (§4.3). */
  #followReno(window: number): void {
    const perSegment = Math.max((window * FRIENDLY_EIGHTHS) >> 3, 1);
    const more = Math.floor((this.#friendlyCount - 1) / perSegment);
    if (more > 0) {
      this.#friendlyCount -= more * perSegment;
      this.#friendlyWindow += more;
    }
    if (this.#friendlyWindow > window) {
      this.#per = Math.min(this.#per, Math.floor(window / (this.#friendlyWindow - window)));
    }
  }
}
