import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../../protocol/base/units.ts';
import { PathModel } from './path-model.ts';
import type { CongestionFeedback, PathLoad, RateController, SentPacket } from './rate-controller.ts';

/** One report for each frame of 30 frames per second, and two for one that takes longer. */
const FEEDBACK_INTERVAL: Microseconds = milliseconds(20);
const WINDOW: Microseconds = milliseconds(100);
const MEMORY: Microseconds = seconds(1);
/** Waits above this are a queue, and not the receiver's clock or the network's jitter. */
const QUEUE_MIN: Microseconds = milliseconds(10);
/**
 * Above this share of the latency, or this time, of queueing, nothing is retransmitted, so that the queue drains: on
 * ATT-LTE-driving-2016, 3 Mb/s, 150 and 300 ms, 46.3 and 52.6 % of the frames are in time otherwise, 51.6 and 59.9 %
 * with it.
 */
const FULL_OF_LATENCY = 0.5;
const FULL_MIN: Microseconds = milliseconds(250);
/** Time for which a queue that was seen explains losses. */
const QUEUE_MEMORY: Microseconds = seconds(2);

/**
 * For a source that cannot adapt: withholds no frame, and keeps the redundancy out of a queue. The reports show which
 * packets are only queued and need no retransmission, and when the queue is too long for any.
 */
export class MeasuredRate implements RateController {
  readonly #path = new PathModel({ feedbackInterval: FEEDBACK_INTERVAL, window: WINDOW, memory: MEMORY });
  readonly #fullFrom: Microseconds;
  #queuedAt: Instant = instant(Number.NEGATIVE_INFINITY);

  /** @param latency play-out delay above the fastest observed transit. */
  constructor(latency: Microseconds) {
    this.#fullFrom = microseconds(Math.min(latency * FULL_OF_LATENCY, FULL_MIN));
  }

  get target(): undefined {
    return undefined;
  }

  get pacingRate(): undefined {
    return undefined;
  }

  get standingQueue(): Microseconds | undefined {
    return this.#path.waited;
  }

  get feedbackInterval(): Microseconds {
    return FEEDBACK_INTERVAL;
  }

  loadAt(now: Instant): PathLoad {
    const waited = this.#path.waited ?? 0;
    if (waited > QUEUE_MIN || this.#path.silence(now) > 0) this.#queuedAt = now;
    if (now !== this.#queuedAt) return now - this.#queuedAt < QUEUE_MEMORY ? 'recovering' : 'free';
    return waited > this.#fullFrom ? 'full' : 'queued';
  }

  onOffered(): void {}

  onPaced(): void {}

  onSent(now: Instant, packet: SentPacket): void {
    this.#path.onSent(now, packet);
  }

  onPath(): void {}

  onFeedback(now: Instant, feedback: CongestionFeedback): void {
    this.#path.onFeedback(now, feedback);
  }

  pollTimeout(): Instant | undefined {
    return this.#path.pollTimeout();
  }

  onTimeout(now: Instant): void {
    this.#path.onTimeout(now);
  }
}
