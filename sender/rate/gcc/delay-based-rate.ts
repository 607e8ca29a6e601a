import { elapsed, type Instant, type Microseconds, SECOND } from '../../../protocol/base/units.ts';
import type { GccOptions } from './gcc-options.ts';
import type { PathUse } from './overuse-detector.ts';

/** State of the rate control (§5.5). */
export type RateState = 'increase' | 'hold' | 'decrease';

/** Assumed frame rate and packet size of the additive increase (§5.5). */
const FRAMES_PER_SECOND = 30;
const PACKET_BITS = 1_200 * 8;
/** Least additive increase, bits per second (§5.5). */
const ADDITIVE_MIN = 1_000;
/** Part of a packet added in one response time (§5.5). */
const ADDITIVE_PACKETS = 0.5;

/** State transitions (draft-ietf-rmcat-gcc-02 §5.5). */
export function nextState(state: RateState, use: PathUse): RateState {
  switch (use) {
    case 'overuse':
      return 'decrease';
    case 'underuse':
      return 'hold';
    case 'normal':
      if (state === 'decrease') return 'hold';
      return 'increase';
  }
}

/** Delay-based estimate of the available bandwidth, A_hat: AIMD rate control (draft-ietf-rmcat-gcc-02 §5.5). */
export class DelayBasedRate {
  readonly #options: GccOptions;
  #estimate: number;
  #state: RateState = 'increase';
  #updatedAt: Instant | undefined;
  readonly #full: RateAtDecreases;

  constructor(options: GccOptions) {
    this.#options = options;
    this.#estimate = options.bitrateStart;
    this.#full = new RateAtDecreases(options);
  }

  /** Bits per second. */
  get estimate(): number {
    return this.#estimate;
  }

  get state(): RateState {
    return this.#state;
  }

  /** @param incoming incoming bit rate; `undefined` while unknown. */
  update(now: Instant, use: PathUse, incoming: number | undefined, roundTrip: Microseconds): void {
    this.#state = nextState(this.#state, use);
    const passed = elapsed(this.#updatedAt ?? now, now);
    this.#updatedAt = now;
    if (this.#state === 'decrease') this.#decrease(incoming);
    else if (this.#state === 'increase') this.#increase(passed, incoming, roundTrip);
    const { bitrateMin, bitrateMax } = this.#options;
    this.#estimate = Math.min(bitrateMax, Math.max(bitrateMin, this.#estimate));
  }

  #decrease(incoming: number | undefined): void {
    const { decrease } = this.#options;
    if (incoming === undefined) {
      this.#estimate *= decrease;
      return;
    }
    this.#full.onDecrease(incoming);
    // Over-use never raises the estimate, however much arrives of what had been queued.
    this.#estimate = Math.min(this.#estimate, decrease * incoming);
  }

  #increase(passed: Microseconds, incoming: number | undefined, roundTrip: Microseconds): void {
    const { increase, incomingRateFactor, reactionTime } = this.#options;
    if (incoming !== undefined) this.#full.onIncoming(incoming);
    const before = this.#estimate;
    if (incoming !== undefined && this.#full.isNear(incoming)) {
      const share = ADDITIVE_PACKETS * Math.min(passed / (reactionTime + roundTrip), 1);
      const added = share * packetBits(before);
      // The least increase is that of one response time: reports are more frequent here.
      this.#estimate += Math.max(ADDITIVE_MIN * Math.min(passed / (reactionTime + roundTrip), 1), added);
    } else this.#estimate *= increase ** Math.min(passed / SECOND, 1);
    // A source that sends less than the estimate does not verify it.
    if (incoming !== undefined)
      this.#estimate = Math.min(this.#estimate, Math.max(before, incomingRateFactor * incoming));
  }
}

/** Mean size of a packet at this bit rate, bits. */
function packetBits(bitrate: number): number {
  const frameBits = bitrate / FRAMES_PER_SECOND;
  return frameBits / Math.ceil(frameBits / PACKET_BITS);
}

/** Average and deviation of the incoming rates at which the path was full. */
class RateAtDecreases {
  readonly #options: GccOptions;
  /** Kilobits per second. */
  #average: number | undefined;
  /** Variance relative to the average, kb/s. */
  #variance: number;

  constructor(options: GccOptions) {
    this.#options = options;
    this.#variance = options.varianceMin;
  }

  onDecrease(incoming: number): void {
    const { averageFactor, varianceMin, varianceMax } = this.#options;
    const sample = incoming / 1_000;
    // The capacity of the path has fallen: earlier estimates are void.
    if (this.#average !== undefined && sample < this.#average - this.#width) this.#average = undefined;
    this.#average = this.#average === undefined ? sample : mix(this.#average, sample, averageFactor);
    const relative = (this.#average - sample) ** 2 / Math.max(1, this.#average);
    this.#variance = Math.min(varianceMax, Math.max(varianceMin, mix(this.#variance, relative, averageFactor)));
  }

  /** Forgets the average when more arrives than it can explain. */
  onIncoming(incoming: number): void {
    if (this.#average !== undefined && incoming / 1_000 > this.#average + this.#width) this.#average = undefined;
  }

  isNear(incoming: number): boolean {
    return this.#average !== undefined && Math.abs(incoming / 1_000 - this.#average) <= this.#width;
  }

  get #width(): number {
    return this.#options.nearDeviations * Math.sqrt(this.#variance * this.#average!);
  }
}

const mix = (before: number, sample: number, factor: number): number => factor * before + (1 - factor) * sample;
