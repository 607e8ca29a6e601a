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

/** Shorter queueing is reported as none. */
const QUEUEING_NOTED: Microseconds = milliseconds(20);
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
  #noticeAt: Instant = instant(Number.NEGATIVE_INFINITY);

  constructor(options: QueueMeterOptions) {
    this.#options = options;
  }

  /** Records a packet that was sent once. */
  onPacket(now: Instant, { sequence, transit, ahead }: TakenPacket): void {
    const fastest = this.#fastest.observe(now, transit);
    if (ahead) this.#newest = { sequence, queueing: microseconds(transit - fastest) };
  }

  /** True when `poll` returns a notice. */
  isDue(now: Instant): boolean {
    return now >= this.#noticeAt && this.#newest !== undefined && this.#newest.queueing > QUEUEING_NOTED;
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
