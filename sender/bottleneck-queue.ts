import { type Instant, later, type Microseconds, microseconds, milliseconds } from '../protocol/base/units.ts';
import { UDP_IP_HEADER_BYTES } from '../protocol/ip-packet.ts';
import type { QueueNotice } from '../protocol/rtcp/recovery-notice.ts';
import { extend, type Sequence } from '../protocol/rtp/sequence.ts';

/** Packets whose departure is remembered: a second of 10 Mb/s. A power of two. */
const PACKETS_MAX = 1_024;
/** Notices further apart, or after more than this, describe a queue that has been empty in between. */
const NOTICE_AGE_MAX: Microseconds = milliseconds(500);
/** Shortest time over which the rate of the bottleneck is measured. */
const MEASURED_OVER_MIN: Microseconds = milliseconds(50);

interface Departure {
  readonly sequence: Sequence;
  /** Time at which the packet's frame was handed over, from which the receiver measures. */
  readonly frameAt: Instant;
  /** Bytes sent up to and including this packet, of any kind. */
  readonly bytes: number;
}

/**
 * The queue in front of a bottleneck, as reported by the receiver: the passage of the newest packet and, from two
 * reports, the rate of the bottleneck. Predicts which frames would leave it too late.
 */
export class BottleneckQueue {
  readonly #departures: (Departure | undefined)[] = new Array(PACKETS_MAX).fill(undefined);
  #bytes = 0;
  #latency: Microseconds = microseconds(0);
  #records = false;
  /** The packet of the last report: when it had passed, on our clock and without the delay of an empty path. */
  #passed: { readonly at: Instant; readonly bytes: number; readonly noticedAt: Instant } | undefined;
  /** Bytes per microsecond, as measured last and before; 0 while unknown. */
  #rate = 0;
  #rateBefore = 0;

  /** Records a datagram of any kind as it leaves. */
  onSent(bytes: number): void {
    this.#bytes += bytes + UDP_IP_HEADER_BYTES;
  }

  /** Records a media packet after `onSent`. */
  onMedia(sequence: Sequence, frameAt: Instant): void {
    this.#departures[sequence & (PACKETS_MAX - 1)] = { sequence, frameAt, bytes: this.#bytes };
  }

  /** @param highest the newest sequence number sent. */
  onNotice(now: Instant, notice: QueueNotice, highest: Sequence): void {
    const sequence = extend(notice.sequence, highest);
    const departure = this.#departures[sequence & (PACKETS_MAX - 1)];
    if (departure?.sequence !== sequence) return;
    this.#latency = notice.latency;
    this.#records = notice.records;
    const at = later(departure.frameAt, notice.queueing);
    const before = this.#passed;
    this.#passed = { at, bytes: departure.bytes, noticedAt: now };
    if (!before || now - before.noticedAt > NOTICE_AGE_MAX) {
      this.#rate = 0;
      this.#rateBefore = 0;
    } else if (at - before.at >= MEASURED_OVER_MIN && departure.bytes > before.bytes) {
      this.#rateBefore = this.#rate;
      this.#rate = (departure.bytes - before.bytes) / (at - before.at);
    }
  }

  /**
   * True when so many more bytes cannot pass the bottleneck within the latency. False while no queue is reported, while
   * the rate of the bottleneck is unknown, and for a receiver that records every frame.
   * @param bytes of the frame, and of those before it that have not left yet.
   */
  isTooLong(now: Instant, bytes: number): boolean {
    const passed = this.#passed;
    if (this.#records || !passed || this.#rate === 0 || now - passed.noticedAt > NOTICE_AGE_MAX) return false;
    const waiting = this.#bytes - passed.bytes + bytes + UDP_IP_HEADER_BYTES;
    return passed.at + waiting / Math.max(this.#rate, this.#rateBefore) > now + this.#latency;
  }
}
