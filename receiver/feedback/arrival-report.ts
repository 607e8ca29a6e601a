import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import {
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  seconds,
} from '../../protocol/base/units.ts';
import { ECN, NOT_RECEIVED, packetMetricBlock } from '../../protocol/rtcp/congestion-control-feedback.ts';
import type { CongestionControlFeedback, StreamArrivals } from '../../protocol/rtcp/rtcp.ts';
import { compactNtp, ntpFromInstant } from '../../protocol/rtp/ntp.ts';
import { asSequence, extend, type Sequence, type WireSequence, wireSequence } from '../../protocol/rtp/sequence.ts';

/** Packets remembered per stream: 0.4 s of 200 Mb/s. A power of two. */
const PACKETS = 8_192;
/** Packets per report, so that it fits any path with 1,200 bytes; the newest ones, when more have arrived. */
const REPORTS_MAX = 512;
/** Packets reported a second time, so that a lost report costs nothing. */
const REPEATED_MAX = 128;
/** Share of the received bytes that reports may take, and bound of savings, for the time after an outage, and of debts. */
const BYTES_SHARE = 0.02;
const SAVED_BYTES_MAX = 2_000;
/**
 * Bytes per second that reports may take in any case: the share of 300 kb/s, at which a sender begins. A still scene takes a few
 * kilobits per second, and a sender without reports cannot tell it from a path that has failed.
 */
const BYTES_PER_SECOND_MIN = 750;
/** The sender repeats its request every second; after this time without one, reports stop. */
const WANTED_FOR: Microseconds = seconds(5);
/** RTP streams that are reported: media, retransmission and repair. */
const STREAMS_MAX = 3;
/** M bit of the second byte (RFC 3550 §5.1). */
const MARKER = 0x80;
/** Report without any packet: header, SSRC of the receiver and timestamp. */
const REPORT_BYTES_MIN = 12;

/** Arrivals of one RTP stream. */
class StreamLog {
  readonly ssrc: number;
  readonly #arrivedAt = new Float64Array(PACKETS);
  readonly #sequence = new Float64Array(PACKETS).fill(Number.NEGATIVE_INFINITY);
  readonly #ecn = new Uint8Array(PACKETS);
  #highest: Sequence;
  /** First packet of the next report that is new, and first that the last report repeated. */
  #newFrom: Sequence;
  #repeatFrom: Sequence;

  constructor(ssrc: number, first: WireSequence) {
    this.ssrc = ssrc;
    this.#highest = asSequence(first);
    this.#newFrom = this.#highest;
    this.#repeatFrom = this.#highest;
  }

  onPacket(now: Instant, wire: WireSequence, ecn: number): void {
    const sequence = extend(wire, this.#highest);
    const place = sequence & (PACKETS - 1);
    // The first of several copies counts (RFC 8888 §3.1).
    if (this.#sequence[place]! >= sequence) return;
    this.#sequence[place] = sequence;
    this.#arrivedAt[place] = now;
    this.#ecn[place] = ecn;
    if (sequence > this.#highest) this.#highest = sequence;
    else if (sequence < this.#newFrom) this.#newFrom = sequence;
  }

  /** Reports on packets since the one before the last report; `undefined` when none is new. */
  report(now: Instant): StreamArrivals | undefined {
    const highest = this.#highest;
    if (this.#newFrom > highest) return undefined;
    const repeatFrom = Math.max(this.#repeatFrom, this.#newFrom - REPEATED_MAX);
    const from = Math.max(Math.min(repeatFrom, this.#newFrom), highest - REPORTS_MAX + 1);
    const reports = new Uint16Array(highest - from + 1);
    for (let sequence = from; sequence <= highest; sequence++) {
      const place = sequence & (PACKETS - 1);
      if (this.#sequence[place] !== sequence) reports[sequence - from] = NOT_RECEIVED;
      else {
        const before = elapsed(instant(this.#arrivedAt[place]!), now);
        reports[sequence - from] = packetMetricBlock({ before, ecn: this.#ecn[place]! });
      }
    }
    this.#repeatFrom = this.#newFrom;
    this.#newFrom = asSequence(highest + 1);
    return { ssrc: this.ssrc, beginSequence: wireSequence(from), reports };
  }
}

/**
 * Reports on single packets (RFC 8888), while the sender requests them: at the end of a frame or after the interval,
 * within a share of the bytes received. Without new arrivals nothing is reported.
 */
export class ArrivalReport {
  readonly #reportSsrc: number;
  #logs: StreamLog[] = [];
  #interval: Microseconds = microseconds(0);
  #wantedUntil: Instant = instant(Number.NEGATIVE_INFINITY);
  #reportedAt: Instant = instant(Number.NEGATIVE_INFINITY);
  /** Earliest time of the next report; `undefined` when nothing is new. */
  #dueAt: Instant | undefined;
  /** Bytes for reports: earned by those received, and by time. What both allow is the greater of the two. */
  #savedBytes = SAVED_BYTES_MAX;
  #savedByTime = SAVED_BYTES_MAX;
  #heardAt: Instant | undefined;

  constructor(reportSsrc: number) {
    this.#reportSsrc = reportSsrc;
  }

  /** The sender wants reports at this interval; 0: none. */
  onWanted(now: Instant, interval: Microseconds): void {
    this.#interval = interval;
    this.#wantedUntil = interval > 0 ? later(now, WANTED_FOR) : instant(Number.NEGATIVE_INFINITY);
    if (interval > 0) return;
    this.#logs = [];
    this.#dueAt = undefined;
  }

  /** Records an RTP datagram. @param ecn ECN bits of its IP header (RFC 3168 §5). */
  onPacket(now: Instant, datagram: Uint8Array, ecn: number = ECN.notCapable): void {
    if (now >= this.#wantedUntil) return;
    const ssrc = readUint32(datagram, 8);
    const sequence = wireSequence(readUint16(datagram, 2));
    const endsFrame = datagram[1]! >= MARKER;
    this.#savedBytes = Math.min(SAVED_BYTES_MAX, this.#savedBytes + datagram.length * BYTES_SHARE);
    const since = elapsed(this.#heardAt ?? now, now) / seconds(1);
    this.#heardAt = now;
    this.#savedByTime = Math.min(SAVED_BYTES_MAX, this.#savedByTime + since * BYTES_PER_SECOND_MIN);
    let log = this.#logs.find((one) => one.ssrc === ssrc);
    if (!log) {
      if (this.#logs.length === STREAMS_MAX) return;
      log = new StreamLog(ssrc, sequence);
      this.#logs.push(log);
    }
    log.onPacket(now, sequence, ecn);
    const wait = endsFrame ? this.#interval / 2 : this.#interval;
    const dueAt = instant(Math.max(now, this.#reportedAt + wait));
    this.#dueAt = instant(Math.min(this.#dueAt ?? Number.POSITIVE_INFINITY, dueAt));
  }

  /** Returns the report when it is due and the bytes for it have been earned. */
  poll(now: Instant): CongestionControlFeedback | undefined {
    if (this.#dueAt === undefined || now < this.#dueAt) return undefined;
    this.#dueAt = undefined;
    if (Math.max(this.#savedBytes, this.#savedByTime) < REPORT_BYTES_MIN) return undefined;
    const streams: StreamArrivals[] = [];
    for (const log of this.#logs) {
      const arrivals = log.report(now);
      if (arrivals) streams.push(arrivals);
    }
    if (streams.length === 0) return undefined;
    this.#reportedAt = now;
    const reportTimestamp = compactNtp(ntpFromInstant(now));
    return { kind: 'congestion-control-feedback', senderSsrc: this.#reportSsrc, streams, reportTimestamp };
  }

  /** Accounts for the bytes of a report that was sent. */
  onSent(bytes: number): void {
    this.#savedBytes = Math.max(-SAVED_BYTES_MAX, this.#savedBytes - bytes);
    this.#savedByTime = Math.max(-SAVED_BYTES_MAX, this.#savedByTime - bytes);
  }

  pollTimeout(): Instant | undefined {
    return this.#dueAt;
  }
}
