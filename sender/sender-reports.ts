import {
  CLOCK_RATE,
  type Instant,
  later,
  type Microseconds,
  SECOND,
  seconds,
  type Ticks,
  ticks,
} from '../protocol/base/units.ts';
import { recoveryNoticePacket } from '../protocol/rtcp/recovery-notice.ts';
import type { RtcpPacket } from '../protocol/rtcp/rtcp.ts';
import { ntpFromInstant } from '../protocol/rtp/ntp.ts';
import type { WireTimestamp } from '../protocol/rtp/sequence.ts';
import type { SenderStatistics } from './sender-statistics.ts';

export interface SenderReportsOptions {
  readonly ssrc: number;
  /** Canonical name in RTCP (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** Time between two reports; 1 s by default. */
  readonly interval?: Microseconds;
  /** True to report before the first packet, so that the receiver learns of the sender; false by default. */
  readonly startsWithReport?: boolean;
}

const REPORT_INTERVAL: Microseconds = seconds(1);

/** Reports of a sender (RFC 3550 §6.4.1): when the next one is due, and what it says. */
export class SenderReports {
  readonly #options: Required<SenderReportsOptions>;
  readonly #statistics: Readonly<SenderStatistics>;
  readonly #wireTimestamp: (mediaTime: Ticks) => WireTimestamp;
  /** A media time and the instant at which its frame was due. */
  #anchor: { readonly at: Instant; readonly mediaTime: Ticks } | undefined;
  /** Payload octets as counted by RFC 3550 §6.4.1: without headers. */
  #octets = 0;
  #dueAt: Instant | undefined;

  constructor(
    { ssrc, cname, interval, startsWithReport }: SenderReportsOptions,
    parts: { readonly statistics: Readonly<SenderStatistics>; readonly wireTimestamp: (time: Ticks) => WireTimestamp },
  ) {
    this.#options = { ssrc, cname, interval: interval ?? REPORT_INTERVAL, startsWithReport: startsWithReport ?? false };
    this.#statistics = parts.statistics;
    this.#wireTimestamp = parts.wireTimestamp;
  }

  /** Time of the next report; `undefined` before the first packet and after the end. */
  get dueAt(): Instant | undefined {
    return this.#hasBegun ? this.#dueAt : undefined;
  }

  get #hasBegun(): boolean {
    return this.#statistics.packets > 0 || this.#options.startsWithReport;
  }

  /** A frame was handed over that was due at this instant. */
  onFrame(at: Instant, mediaTime: Ticks): void {
    this.#anchor = { at, mediaTime };
    this.#dueAt ??= at;
  }

  /** A media packet with this many bytes of payload was sent. */
  onPacket(payloadBytes: number): void {
    this.#octets += payloadBytes;
  }

  /** @returns the report, when it is due. */
  poll(now: Instant): RtcpPacket[] | undefined {
    const { dueAt } = this;
    if (dueAt === undefined || now < dueAt) return undefined;
    this.#dueAt = later(now, this.#options.interval);
    return this.report(now);
  }

  /** Ends the reports. @returns the last one, with RTCP BYE. */
  end(now: Instant): RtcpPacket[] {
    this.#dueAt = undefined;
    return [...this.report(now), { kind: 'goodbye', ssrcs: [this.#options.ssrc], reason: '' }];
  }

  report(now: Instant): RtcpPacket[] {
    const { ssrc, cname } = this.#options;
    const description: RtcpPacket = { kind: 'source-description', chunks: [{ ssrc, cname }] };
    if (!this.#anchor || !this.#hasBegun) {
      return [{ kind: 'receiver-report', ssrc, reports: [] }, description];
    }
    const passed = Math.round(((now - this.#anchor.at) * CLOCK_RATE) / SECOND);
    return [
      {
        kind: 'sender-report',
        ssrc,
        ntp: ntpFromInstant(now),
        rtpTimestamp: this.#wireTimestamp(ticks(this.#anchor.mediaTime + passed)),
        packetCount: this.#statistics.packets >>> 0,
        octetCount: this.#octets % 0x1_0000_0000,
        reports: [],
      },
      description,
      ...this.#withheld(),
    ];
  }

  /** Returns a report with the answer to a round-trip probe (RFC 3611 §4.5), whose delay since its arrival is 0. */
  probeAnswer(now: Instant, ssrc: number, lastReceiverReport: number): RtcpPacket[] {
    const answer: RtcpPacket = {
      kind: 'extended-report',
      ssrc: this.#options.ssrc,
      blocks: [{ kind: 'delay-since-last-receiver-report', reports: [{ ssrc, lastReceiverReport, delay: 0 }] }],
    };
    return [...this.report(now), answer];
  }

  #withheld(): RtcpPacket[] {
    const { framesWithheld: frames } = this.#statistics;
    return frames === 0 ? [] : [recoveryNoticePacket(this.#options.ssrc, { kind: 'withheld', frames })];
  }
}
