import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import type { QueueNotice } from '../../protocol/rtcp/recovery-notice.ts';
import { type Sequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { FastestTransit } from './fastest-transit.ts';
import type { TakenPacket } from './loss-recovery.ts';

/** A shorter queue, also as a share of the latency, delays nothing beyond its deadline soon. */
const QUEUEING_NOTED: Microseconds = milliseconds(20);
const QUEUEING_OF_LATENCY = 0.25;
const NOTICE_INTERVAL: Microseconds = milliseconds(100);

interface QueueMeterOptions {
  readonly latency: Microseconds;
  /** True when all frames are recorded. */
  readonly records: boolean;
}

/** Measures the queueing delay of the newest packet, and reports it to the sender while there is any. */
export class QueueMeter {
  readonly #options: QueueMeterOptions;
  readonly #fastest = new FastestTransit();
  #newest: { readonly sequence: Sequence; readonly queueing: Microseconds } | undefined;
  /** Shortest queueing delay in the current interval and in the one before, which jitter alone leaves short. */
  #least: Microseconds = microseconds(0);
  #leastBefore: Microseconds = microseconds(0);
  #intervalEndsAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #noticeAt: Instant = instant(Number.NEGATIVE_INFINITY);

  constructor(options: QueueMeterOptions) {
    this.#options = options;
  }

  /** Records a packet that was sent once. */
  onPacket(now: Instant, { sequence, transit, ahead }: TakenPacket): void {
    const fastest = this.#fastest.observe(now, transit);
    const queueing = microseconds(transit - fastest);
    if (ahead) this.#newest = { sequence, queueing };
    if (now >= this.#intervalEndsAt) {
      this.#leastBefore = this.#least;
      this.#least = queueing;
      this.#intervalEndsAt = later(now, NOTICE_INTERVAL);
    } else if (queueing < this.#least) this.#least = queueing;
  }

  /** True when `poll` returns a notice. */
  isDue(now: Instant): boolean {
    const noted = Math.max(QUEUEING_NOTED, this.#options.latency * QUEUEING_OF_LATENCY);
    return now >= this.#noticeAt && this.#newest !== undefined && Math.min(this.#least, this.#leastBefore) > noted;
  }

  /** Returns the notice that is due, if one is. */
  poll(now: Instant): QueueNotice | undefined {
    if (!this.isDue(now)) return undefined;
    this.#noticeAt = later(now, NOTICE_INTERVAL);
    const { sequence, queueing } = this.#newest!;
    const { records, latency } = this.#options;
    return { kind: 'queue', sequence: wireSequence(sequence), queueing, records, latency };
  }
}
