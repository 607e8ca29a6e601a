import {
  earliestOf,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
  type Ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import { type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { compactNtp, ntpFromInstant, roundTripFromEcho } from '../../protocol/rtp/ntp.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import type { ForeignSender } from '../receiver-options.ts';
import { ArrivalReport } from './arrival-report.ts';
import { ReceptionReport } from './reception-report.ts';
import { RoundTrip } from './round-trip.ts';

export interface FeedbackOptions {
  /** RTP clock rate of the media, ticks per second. */
  readonly clockRate: number;
  readonly reportSsrc: number;
  readonly cname: string;
  readonly reports: boolean;
  /** `undefined` for one of our senders. */
  readonly foreign?: ForeignSender;
}

const REPORT_INTERVAL: Microseconds = seconds(1);
/** Probe interval until the round trip is known, because recovery needs it before the first loss. */
const PROBE_INTERVAL: Microseconds = milliseconds(50);
const PROBES_MAX = 20;
/**
 * Report interval while packets are requested: the reported round trip decides which requests are worthwhile, so it
 * must be current.
 */
const REPORT_INTERVAL_ASKING: Microseconds = milliseconds(250);
const ASKING_FOR: Microseconds = seconds(2);
/** Shortest time between two requests for a key frame: the answer to the first may be on the way. */
const KEY_FRAME_REQUEST_INTERVAL: Microseconds = milliseconds(200);
const QUEUE_MAX = 256;
const IN_FLIGHT_DEFAULT = milliseconds(1_000);

/** Feedback to the sender: reports, round-trip probes, and requests for packets and key frames. */
export class Feedback {
  readonly #options: FeedbackOptions;
  readonly #report: ReceptionReport;
  readonly #arrivals: ArrivalReport;
  #queue: Uint8Array[] = [];
  #reportAt: Instant | undefined;
  #probes = 0;
  #askedAt: Instant = instant(Number.NEGATIVE_INFINITY);
  readonly #roundTrip = new RoundTrip();
  #keyFrameRequestedAt: Instant | undefined;
  #keyFrameRequests = 0;

  constructor(options: FeedbackOptions) {
    this.#options = options;
    this.#report = new ReceptionReport(options.clockRate);
    this.#arrivals = new ArrivalReport(options.reportSsrc);
  }

  get roundTrip(): Microseconds | undefined {
    return this.#roundTrip.typical;
  }

  /** How long a packet may still be on its way, an answer included; a second while the round trip is not known. */
  get inFlight(): Microseconds {
    return this.#roundTrip.typical ?? IN_FLIGHT_DEFAULT;
  }

  get roundTripSpread(): Microseconds {
    return this.#roundTrip.spread;
  }

  roundTripsWithin(span: Microseconds): number {
    return this.#roundTrip.shareWithin(span);
  }

  get jitter(): Microseconds {
    return ticksToMicroseconds(this.#report.jitter);
  }

  get keyFrameRequests(): number {
    return this.#keyFrameRequests;
  }

  onPacket(now: Instant, sequence: Sequence, timestamp: Ticks): void {
    this.#report.onPacket(now, sequence, timestamp);
    if (this.#options.reports) this.#reportAt ??= now;
  }

  handleRtcp(now: Instant, packet: RtcpPacket, mediaSsrc: number | undefined): void {
    if (packet.kind === 'sender-report' && packet.ssrc === mediaSsrc) this.#report.onSenderReport(now, packet.ntp);
    if (packet.kind !== 'extended-report') return;
    for (const block of packet.blocks) {
      if (block.kind !== 'delay-since-last-receiver-report') continue;
      const own = block.reports.find((report) => report.ssrc === this.#options.reportSsrc);
      if (!own) continue;
      const arrival = compactNtp(ntpFromInstant(now));
      const sample = roundTripFromEcho({ arrival, lastReport: own.lastReceiverReport, delay: own.delay });
      if (sample !== undefined) this.#roundTrip.observe(sample);
    }
  }

  /** A datagram of the stream has arrived: media, retransmission or repair. */
  onArrival(now: Instant, datagram: Uint8Array, ecn: Ecn | undefined): void {
    this.#arrivals.onPacket(now, datagram, ecn);
  }

  /** The sender wants reports on single packets at this interval; 0: none. */
  onReportsWanted(now: Instant, interval: Microseconds): void {
    if (this.#options.reports) this.#arrivals.onWanted(now, interval);
  }

  requestKeyFrame(now: Instant, mediaSsrc: number): void {
    const { reports, foreign } = this.#options;
    if (!reports || foreign?.keyFrames === false) return;
    if (this.#keyFrameRequestedAt !== undefined && now < this.#keyFrameRequestedAt + KEY_FRAME_REQUEST_INTERVAL) return;
    this.#keyFrameRequestedAt = now;
    this.#keyFrameRequests++;
    this.send(now, [{ kind: 'picture-loss-indication', senderSsrc: this.#options.reportSsrc, mediaSsrc }]);
  }

  handleTimeout(now: Instant, mediaSsrc: number | undefined): void {
    const arrivals = this.#arrivals.poll(now);
    if (arrivals) this.#arrivals.onSent(this.send(now, [arrivals]));
    if (this.#reportAt === undefined || now < this.#reportAt || mediaSsrc === undefined) return;
    const probing = this.#roundTrip.typical === undefined && ++this.#probes < PROBES_MAX;
    this.#reportAt = later(now, probing ? PROBE_INTERVAL : this.#reportInterval(now));
    const ssrc = this.#options.reportSsrc;
    this.send(now, [
      { kind: 'receiver-report', ssrc, reports: [this.#report.block(now, mediaSsrc)] },
      { kind: 'source-description', chunks: [{ ssrc, cname: this.#options.cname }] },
      {
        kind: 'extended-report',
        ssrc,
        blocks: [{ kind: 'receiver-reference-time', ntp: ntpFromInstant(now) }],
      },
    ]);
  }

  #reportInterval(now: Instant): Microseconds {
    const { reportInterval: longest = REPORT_INTERVAL } = this.#options.foreign ?? {};
    const isAsking = now - this.#askedAt < ASKING_FOR;
    return isAsking ? microseconds(Math.min(longest, REPORT_INTERVAL_ASKING)) : longest;
  }

  /** Tells the sender that this receiver leaves (RFC 3550 §6.6). */
  leave(now: Instant): void {
    if (!this.#options.reports || this.#reportAt === undefined) return;
    const { reportSsrc: ssrc } = this.#options;
    this.send(now, [{ kind: 'goodbye', ssrcs: [ssrc], reason: '' }]);
    this.#reportAt = undefined;
  }

  pollTransmit(): Uint8Array | undefined {
    return this.#queue.shift();
  }

  pollTimeout(): Instant | undefined {
    return earliestOf(this.#reportAt, this.#arrivals.pollTimeout());
  }

  /** Queues a datagram of these packets, unless the queue is full. @returns its size, bytes. */
  send(now: Instant, packets: readonly RtcpPacket[]): number {
    if (this.#queue.length >= QUEUE_MAX) return 0;
    const datagram = serializeRtcp(this.#compound(packets));
    this.#queue.push(datagram);
    if (packets.some(({ kind }) => kind === 'nack')) this.#onAsked(now);
    return datagram.length;
  }

  /**
   * Others get compound packets only, which begin with a report and our name (RFC 3550 §6.1, RFC 4585 §3.1); ours take
   * reduced-size ones (RFC 5506).
   */
  #compound(packets: readonly RtcpPacket[]): readonly RtcpPacket[] {
    const { foreign, reportSsrc: ssrc, cname } = this.#options;
    if (!foreign || packets[0]?.kind === 'receiver-report') return packets;
    return [
      { kind: 'receiver-report', ssrc, reports: [] },
      { kind: 'source-description', chunks: [{ ssrc, cname }] },
      ...packets,
    ];
  }

  #onAsked(now: Instant): void {
    this.#askedAt = now;
    if (this.#reportAt !== undefined) this.#reportAt = instant(Math.min(this.#reportAt, now + REPORT_INTERVAL_ASKING));
  }
}
