import { type Instant, type Microseconds, microseconds, milliseconds } from '../../../protocol/base/units.ts';

/** Interval of samples, and their number (RFC 8298 §4.1.2.1). */
const INTERVAL: Microseconds = milliseconds(50);
const SAMPLES = 20;
/** Decay of the remembered peak with each sample (§4.1.2.1). */
const MEMORY_FACTOR = 0.99;

/**
 * Trend of the queueing delay (RFC 8298 §4.1.2.1): its average as a fraction of the target, times the autocorrelation of
 * the last second, so that a delay that only jitters counts less than one that grows. 0 … 1.
 */
export class QueueingTrend {
  readonly #weight: number;
  readonly #samples: number[] = [];
  #average = 0;
  #trend = 0;
  #peak = 0;
  #sampledAt: Instant | undefined;

  constructor(weight: number) {
    this.#weight = weight;
  }

  get value(): number {
    return this.#trend;
  }

  /** Slowly decaying peak of the trend, a memory of congestion. */
  get peak(): number {
    return this.#peak;
  }

  update(now: Instant, delay: Microseconds, target: Microseconds): void {
    if (this.#sampledAt !== undefined && now - this.#sampledAt < INTERVAL) return;
    this.#sampledAt = now;
    const fraction = delay / target;
    this.#average = (1 - this.#weight) * this.#average + this.#weight * fraction;
    this.#samples.push(fraction);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#trend = Math.min(1, Math.max(0, autocorrelation(this.#samples) * this.#average));
    this.#peak = Math.max(MEMORY_FACTOR * this.#peak, this.#trend);
  }
}

/** Normalized autocorrelation at lag 1 of values without their mean; 0 when they do not vary. */
function autocorrelation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let power = 0;
  let lagged = 0;
  for (const [index, value] of values.entries()) {
    power += (value - mean) ** 2;
    if (index > 0) lagged += (value - mean) * (values[index - 1]! - mean);
  }
  return power === 0 ? 0 : lagged / power;
}

/** Samples of the long and of the short history (RFC 8298 §4.1.2.3). */
const LONG = 200;
const SHORT = 50;
/** Loss event rate above which a competing flow is assumed, and variance below which the delay is steady (§4.1.2.3). */
const LOSS_EVENTS_MAX = 0.002;
const VARIANCE_MAX = 0.2;

/**
 * Target of the queueing delay (RFC 8298 §4.1.2.3): raised while a loss-based flow seems to hold the queue, so that it
 * does not starve this one.
 */
export class QueueingDelayTarget {
  readonly #min: Microseconds;
  readonly #max: Microseconds;
  readonly #history: number[] = [];
  #target: Microseconds;

  constructor(min: Microseconds, max: Microseconds) {
    this.#min = min;
    this.#max = max;
    this.#target = min;
  }

  get value(): Microseconds {
    return this.#target;
  }

  /** @param lossEventRate share of round trips with a loss. */
  update(delay: Microseconds, lossEventRate: number): void {
    this.#history.push(delay / this.#min);
    if (this.#history.length > LONG) this.#history.shift();
    const variance = varianceOf(this.#history);
    const wanted = (meanOf(this.#history.slice(-SHORT)) + Math.sqrt(variance)) * this.#min;
    let target: number = this.#target;
    if (lossEventRate > LOSS_EVENTS_MAX) target = 1.5 * wanted;
    else if (variance < VARIANCE_MAX) target = wanted;
    else target = wanted < this.#min ? Math.max(target * 0.5, wanted) : target * 0.9;
    this.#target = microseconds(Math.min(this.#max, Math.max(this.#min, target)));
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return meanOf(values.map((value) => (value - mean) ** 2));
}
