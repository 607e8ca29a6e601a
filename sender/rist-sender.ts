import { writeUint32 } from '../protocol/base/big-endian.ts';
import {
  elapsed,
  type Instant,
  type Microseconds,
  microsecondsToTicks,
  milliseconds,
  type Ticks,
  ticks,
} from '../protocol/base/units.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { echoResponse, parseRistMessage, type SequenceRange } from '../protocol/rist/rist-message.ts';
import { originalSsrc, retransmissionSsrc } from '../protocol/rist/rist-ssrc.ts';
import {
  type ApplicationPacket,
  parseRtcp,
  type ReportBlock,
  type RtcpPacket,
  serializeRtcp,
} from '../protocol/rtcp/rtcp.ts';
import { compactNtp, ntpFromInstant, roundTripFromEcho } from '../protocol/rtp/ntp.ts';
import { RTP_HEADER_BYTES, serializeRtpPacket } from '../protocol/rtp/rtp-packet.ts';
import {
  asSequence,
  extend,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
  wireTimestamp,
} from '../protocol/rtp/sequence.ts';
import { FeedbackBudget } from './feedback-budget.ts';
import { HistoryBudget } from './history-budget.ts';
import { PacketHistory } from './packet-history.ts';
import { EventLimit, TokenBucket } from './repair/token-bucket.ts';
import { SenderReports } from './sender-reports.ts';
import { emptySenderStatistics, type SenderStatistics } from './sender-statistics.ts';

export interface RistSenderOptions {
  /** SSRC of the media; its least significant bit is cleared. */
  readonly ssrc: number;
  readonly initialSequence: WireSequence;
  /** RTP timestamp at the start. */
  readonly timestampBase: WireTimestamp;
  /** Canonical name in RTCP (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** RTP payload type of the media. */
  readonly payloadType: number;
}

/** Longest interval between reports (TR-06-1): receivers know by them that a sender is there. */
const REPORT_INTERVAL: Microseconds = milliseconds(100);
/** Packets, bytes and time for which a packet can be asked for again: librist's largest buffer is 30 s, its usual one 1 s. */
const HISTORY_PACKETS = 16_384;
const HISTORY_BYTES = 32_000_000;
const HISTORY_TIME: Microseconds = milliseconds(10_000);
/** Retransmitted bytes allowed per byte of media, and what is saved of it. */
const REDUNDANCY = 0.5;
const SAVED_BYTES_MAX = 1_000_000;
/** Assumed round trip before it is measured. */
const ROUND_TRIP_DEFAULT: Microseconds = milliseconds(10);
const ECHO_INTERVAL: Microseconds = milliseconds(20);

/**
 * Sends packets by RIST Simple Profile (VSF TR-06-1) to one receiver: RTP, a compound of sender report and name every
 * 100 ms, and retransmissions on request, by bit mask (RFC 4585 §6.2.1) or by range.
 */
export class RistSender implements Endpoint<undefined> {
  readonly #options: RistSenderOptions;
  readonly #statistics: SenderStatistics = emptySenderStatistics();
  readonly #reports: SenderReports;
  readonly #work = new FeedbackBudget();
  readonly #budget = new TokenBucket({ share: REDUNDANCY, bytesMax: SAVED_BYTES_MAX });
  readonly #history = new PacketHistory({
    packetsMax: HISTORY_PACKETS,
    keptFor: HISTORY_TIME,
    budget: new HistoryBudget(HISTORY_BYTES),
  });
  readonly #echoLimit = new EventLimit(ECHO_INTERVAL);
  readonly #queue: Uint8Array[] = [];
  #next: Sequence;
  #startedAt: Instant | undefined;
  #heardAt: Instant | undefined;

  constructor(options: RistSenderOptions) {
    this.#options = { ...options, ssrc: originalSsrc(options.ssrc) };
    this.#next = asSequence(options.initialSequence);
    this.#reports = new SenderReports(
      { ssrc: this.#options.ssrc, cname: options.cname, interval: REPORT_INTERVAL, startsWithReport: true },
      { statistics: this.#statistics, wireTimestamp: (time) => wireTimestamp(time + options.timestampBase) },
    );
  }

  get statistics(): Readonly<SenderStatistics> {
    return this.#statistics;
  }

  /** Arrival time of the last RTCP of a receiver; `undefined` before the first. */
  get heardAt(): Instant | undefined {
    return this.#heardAt;
  }

  /** Begins to send reports, by which a receiver knows of this sender before the first packet. */
  start(now: Instant): void {
    this.#startedAt ??= now;
    this.#reports.onFrame(now, this.#timeAt(now));
  }

  /** Sends payloads at once; their RTP timestamp is the time of departure (RFC 2250 §2). */
  send(now: Instant, payloads: readonly Uint8Array[]): void {
    this.start(now);
    const { ssrc, payloadType, timestampBase } = this.#options;
    const timestamp = wireTimestamp(this.#timeAt(now) + timestampBase);
    for (const payload of payloads) {
      const sequence = this.#next;
      const datagram = serializeRtpPacket({
        ...{ marker: false, payloadType, sequenceNumber: wireSequence(sequence), timestamp, ssrc },
        ...{ csrcs: [], payload },
      });
      this.#next = asSequence(sequence + 1);
      this.#history.keep(sequence, datagram, now);
      this.#budget.earn(datagram.length);
      this.#work.earn(datagram.length);
      this.#reports.onPacket(datagram.length - RTP_HEADER_BYTES);
      this.#statistics.packets++;
      this.#statistics.bytes += datagram.length;
      this.#queue.push(datagram);
    }
  }

  /** Ends the stream, with RTCP BYE. */
  finish(now: Instant): void {
    this.#queue.push(serializeRtcp(this.#reports.end(now)));
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    if (!this.#work.allows(now, datagram.length)) {
      this.#statistics.feedbackRefused++;
      return;
    }
    const packets = parseRtcp(datagram);
    if (!packets.ok) {
      this.#statistics.malformed++;
      return;
    }
    this.#heardAt = now;
    for (const packet of packets.value) this.#handleRtcp(now, packet);
  }

  handleTimeout(now: Instant): void {
    const report = this.#reports.poll(now);
    if (report) this.#queue.push(serializeRtcp(report));
  }

  pollTransmit(): Uint8Array | undefined {
    return this.#queue.shift();
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    return this.#reports.dueAt;
  }

  #timeAt(now: Instant): Ticks {
    return ticks(Math.round(microsecondsToTicks(elapsed(this.#startedAt ?? now, now))));
  }

  #handleRtcp(now: Instant, packet: RtcpPacket): void {
    switch (packet.kind) {
      case 'nack':
        if (this.#isOwn(packet.mediaSsrc)) this.#answer(now, packet.sequenceNumbers);
        return;
      case 'application':
        return this.#handleMessage(now, packet);
      case 'sender-report':
      case 'receiver-report':
        for (const report of packet.reports) this.#handleReport(now, report);
        return;
      case 'extended-report':
        for (const block of packet.blocks) {
          if (block.kind !== 'receiver-reference-time' || !this.#echoLimit.allow(now)) continue;
          this.#queue.push(serializeRtcp(this.#reports.probeAnswer(now, packet.ssrc, compactNtp(block.ntp))));
        }
        return;
      default:
        return;
    }
  }

  /** Receivers name the stream by the SSRC of its packets, or of its retransmissions. */
  #isOwn(ssrc: number): boolean {
    return originalSsrc(ssrc) === this.#options.ssrc;
  }

  #handleMessage(now: Instant, packet: ApplicationPacket): void {
    const message = parseRistMessage(packet);
    if (!message) return;
    if (!message.ok) {
      this.#statistics.malformed++;
      return;
    }
    const { value } = message;
    if (value.kind === 'range-request' && this.#isOwn(packet.ssrc)) this.#answer(now, sequencesOf(value.ranges));
    else if (value.kind === 'echo-request' && this.#echoLimit.allow(now)) {
      this.#queue.push(serializeRtcp([...this.#reports.report(now), echoResponse(packet.ssrc, value.time)]));
    }
  }

  #handleReport(now: Instant, report: ReportBlock): void {
    this.#statistics.reportedLoss = report.fractionLost / 256;
    this.#statistics.roundTrip =
      roundTripFromEcho({
        arrival: compactNtp(ntpFromInstant(now)),
        lastReport: report.lastSenderReport,
        delay: report.delaySinceLastSenderReport,
      }) ?? this.#statistics.roundTrip;
  }

  #answer(now: Instant, requested: Iterable<WireSequence>): void {
    const guard = this.#statistics.roundTrip ?? ROUND_TRIP_DEFAULT;
    for (const wire of requested) {
      if (this.#work.takeRequests(now, 1) === 0) {
        this.#statistics.requestsRefused++;
        return;
      }
      const kept = this.#history.find(extend(wire, this.#next));
      // A second request within the round trip crossed the first answer; an eighth is tolerance.
      const isRecent = kept?.resentAt !== undefined && now - kept.resentAt < (guard * 7) / 8;
      if (!kept || isRecent || !this.#budget.spend(kept.bytes)) {
        this.#statistics.requestsRefused++;
        continue;
      }
      kept.resentAt = now;
      const datagram = kept.datagram.slice();
      writeUint32(datagram, 8, retransmissionSsrc(this.#options.ssrc));
      this.#statistics.retransmissions++;
      this.#statistics.retransmissionBytes += datagram.length;
      this.#queue.push(datagram);
    }
  }
}

function* sequencesOf(ranges: readonly SequenceRange[]): Generator<WireSequence> {
  for (const { first, count } of ranges) {
    for (let index = 0; index < count; index++) yield wireSequence(first + index);
  }
}
