import { type Instant, instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { Flow } from './flow.ts';

/** `hystart_low_window`, segments. */
const WINDOW_MIN = 16;
/** `hystart_ack_delta_us`: maximum gap between acknowledgments of one train, microseconds. */
const TRAIN_GAP: Microseconds = milliseconds(2);
const SAMPLES_MIN = 8;
const DELAY_RISE_MIN: Microseconds = milliseconds(4);
const DELAY_RISE_MAX: Microseconds = milliseconds(16);

/**
 * HyStart of Linux' CUBIC (Ha and Rhee 2008): ends slow start when the queue starts to grow rather than when it
 * overflows.
 */
export class HyStart {
  readonly #flow: Flow;
  #found = false;
  #roundEnd: ByteSequence = 0;
  #roundStartAt: Instant = instant(0);
  #lastAt: Instant = instant(0);
  #samples = 0;
  #smallest: Microseconds = microseconds(Number.POSITIVE_INFINITY);

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  reset(now: Instant): void {
    this.#found = false;
    this.#startRound(now);
  }

  /** @param minimum smallest round-trip time so far, microseconds. */
  note(now: Instant, sample: Microseconds, minimum: Microseconds): void {
    const flow = this.#flow;
    if (this.#found || !flow.inSlowStart || flow.congestionWindow < WINDOW_MIN) return;
    if (flow.unacknowledged > this.#roundEnd) this.#startRound(now);
    if (now - this.#lastAt <= TRAIN_GAP) {
      this.#lastAt = now;
      if (now - this.#roundStartAt > minimum >> 1) this.#end();
    }
    this.#smallest = microseconds(Math.min(this.#smallest, sample));
    if (this.#samples < SAMPLES_MIN) this.#samples++;
    else if (this.#smallest > minimum + Math.min(Math.max(minimum >> 3, DELAY_RISE_MIN), DELAY_RISE_MAX)) this.#end();
  }

  #end(): void {
    this.#found = true;
    this.#flow.slowStartThreshold = this.#flow.congestionWindow;
  }

  #startRound(now: Instant): void {
    this.#roundEnd = this.#flow.next;
    this.#roundStartAt = now;
    this.#lastAt = now;
    this.#samples = 0;
    this.#smallest = microseconds(Number.POSITIVE_INFINITY);
  }
}
