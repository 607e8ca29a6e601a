import {
  earlier,
  earliestOf,
  elapsed,
  type Instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import {
  type PathNotice,
  type ReportsWantedNotice,
  recoveryNoticePacket,
} from '../../protocol/rtcp/recovery-notice.ts';
import type { ApplicationPacket, CongestionControlFeedback, ReportBlock } from '../../protocol/rtcp/rtcp.ts';
import { compactNtpToMicroseconds } from '../../protocol/rtp/ntp.ts';
import type { WireSequence } from '../../protocol/rtp/sequence.ts';
import { EcnValidation } from './ecn-validation.ts';
import type { PacketReport, RateController } from './rate-controller.ts';
import { SentPacketHistory, type SentStreams } from './sent-packet-history.ts';
import { SourceShare } from './source-share.ts';

/** Interval of the notice that requests reports; the receiver's memory of it is longer (`WANTED_FOR`). */
const NOTICE_INTERVAL: Microseconds = seconds(1);
/** The same until the first report has arrived, and how often. */
const NOTICE_INTERVAL_UNANSWERED: Microseconds = milliseconds(100);
const UNANSWERED_MAX = 20;
/**
 * A loss reported up to this long before a request may be its cause: the request comes a latency after the picture was
 * sent. Latency and 300 ms in its place: 0.1 points more frames missed, in the mean of four paths with 2 % loss.
 */
const LOSS_MEMORY: Microseconds = seconds(1);
/** Weight of a sample in the smoothed round trip (RFC 6298 §2.3). */
const ROUND_TRIP_WEIGHT = 1 / 8;

/** The control loop of one stream: the departures, the receiver's reports on them, and the controller in between. */
export class RateLoop {
  readonly controller: RateController;
  readonly #ssrc: number;
  readonly #departures: SentPacketHistory;
  readonly #share = new SourceShare();
  readonly #validation = new EcnValidation();
  #roundTrip: Microseconds | undefined;
  /** Time of the last report that showed a loss, unless a key frame was made since. */
  #lostAt: Instant | undefined;
  /** A key frame was requested while the path was silent. */
  #holdsKeyFrame = false;
  /** A loss that may be its cause had been reported before it came, so that no later report shows it. */
  #holdsForLoss = false;
  #wasBlind = false;
  /** Interval of the last notice to the receiver, and the time of the next notice. */
  #announcedInterval: Microseconds | undefined;
  #noticeAt: Instant | undefined;
  #unanswered = 0;
  #notice: ReportsWantedNotice | undefined;

  constructor(controller: RateController, streams: SentStreams) {
    this.controller = controller;
    this.#ssrc = streams.ssrc;
    this.#departures = new SentPacketHistory(streams);
  }

  /** Bit rate of access units that the path carries, excluding headers and redundancy; `undefined` while unlimited. */
  get sourceBitrate(): number | undefined {
    const { target } = this.controller;
    return target === undefined ? undefined : target * 8 * this.#share.value;
  }

  /** ECN bits of the datagrams that leave now. */
  get ecn(): Ecn {
    return this.#validation.allowed(this.controller.ecn ?? NOT_ECT);
  }

  /** A datagram leaves, of which `sourceBytes` came from the source. */
  onSent(now: Instant, datagram: Uint8Array, sourceBytes: number): void {
    this.#share.onSent(now, datagram.length, sourceBytes);
    this.controller.onSent(now, this.#departures.onSent(now, datagram));
    this.#noticeAt ??= now;
  }

  /** Returns the requested packets that are worth an answer. */
  answerable(now: Instant, wires: readonly WireSequence[]): readonly WireSequence[] {
    switch (this.controller.loadAt?.(now)) {
      case 'full':
        return [];
      case 'queued':
        return wires.filter((wire) => !this.#departures.isUnderway(wire));
      default:
        return wires;
    }
  }

  /**
   * The receiver misses a picture. Returns true when a key frame mends that. While the path is silent, the picture may be
   * under way still, and a key frame would only queue behind it, as small as the rate then is: the next report decides.
   */
  allowsKeyFrame(now: Instant): boolean {
    // A receiver repeats a request that is not answered: the first of them decides which losses may be its cause.
    const holdsForLoss = this.#holdsKeyFrame && this.#holdsForLoss;
    const hasLost = this.#lostAt !== undefined && elapsed(this.#lostAt, now) <= LOSS_MEMORY;
    this.#holdsKeyFrame = this.controller.isSilent?.(now) ?? false;
    this.#holdsForLoss = this.#holdsKeyFrame && (holdsForLoss || hasLost);
    if (!this.#holdsKeyFrame) this.#lostAt = undefined;
    return !this.#holdsKeyFrame;
  }

  /**
   * Takes the results of each report. Returns true once when a key frame was requested within a silence, and the report
   * that ends it shows losses, or one before the request did.
   */
  takeHeldKeyFrame(now: Instant, packets: readonly PacketReport[]): boolean {
    const hasLost = packets.some(({ arrivedAt }) => arrivedAt === undefined);
    if (hasLost) this.#lostAt = now;
    if (!this.#holdsKeyFrame || packets.length === 0) return false;
    const mends = hasLost || this.#holdsForLoss;
    this.#holdsKeyFrame = !mends && (this.controller.isSilent?.(now) ?? false);
    if (mends) this.#lostAt = undefined;
    return mends;
  }

  /** Returns a change of the reports on single datagrams once: they cannot be used any more, or again. */
  pollReports(): 'missing' | 'back' | undefined {
    const { isBlind = false } = this.controller;
    if (isBlind === this.#wasBlind) return undefined;
    this.#wasBlind = isBlind;
    return isBlind ? 'missing' : 'back';
  }

  onPath(now: Instant, path: PathNotice): void {
    this.controller.onPath(now, path);
  }

  /** @returns results that earlier reports did not have. */
  onFeedback(now: Instant, feedback: CongestionControlFeedback): readonly PacketReport[] {
    const matched = this.#departures.match(now, feedback);
    if (!matched) return [];
    this.#unanswered = UNANSWERED_MAX;
    const { packets, bytesInFlight, roundTrip: latest } = matched;
    if (this.ecn !== NOT_ECT) this.#validation.onReports(packets);
    const before = this.#roundTrip;
    if (latest !== undefined) {
      this.#roundTrip = before === undefined ? latest : microseconds(before + (latest - before) * ROUND_TRIP_WEIGHT);
    }
    const roundTrip = this.#roundTrip;
    // The first report has to show a round trip before anything can be concluded from it.
    if (roundTrip !== undefined) {
      this.controller.onFeedback(now, { packets, bytesInFlight, roundTrip, roundTripLatest: latest ?? roundTrip });
    }
    return packets;
  }

  /** A report block on the media. @param roundTrip that the report shows. */
  onReport(now: Instant, report: ReportBlock, roundTrip: Microseconds | undefined): void {
    const { highestSequence, cumulativeLost, delaySinceLastSenderReport: delay } = report;
    const echoesSince =
      roundTrip === undefined ? undefined : earlier(now, microseconds(roundTrip + compactNtpToMicroseconds(delay)));
    this.controller.onReport?.(now, { highestSequence, cumulativeLost, roundTrip }, echoesSince);
  }

  handleTimeout(now: Instant): void {
    const timeout = this.controller.pollTimeout();
    if (timeout !== undefined && now >= timeout) this.controller.onTimeout(now);
    if (this.#noticeAt === undefined || now < this.#noticeAt) return;
    const { feedbackInterval } = this.controller;
    const isNews = feedbackInterval !== this.#announcedInterval;
    if (isNews) this.#unanswered = 0;
    if (isNews || feedbackInterval !== undefined) {
      this.#notice = { kind: 'reports-wanted', interval: feedbackInterval ?? microseconds(0) };
    }
    this.#announcedInterval = feedbackInterval;
    const unanswered = feedbackInterval !== undefined && this.#unanswered++ < UNANSWERED_MAX;
    this.#noticeAt = later(now, unanswered ? NOTICE_INTERVAL_UNANSWERED : NOTICE_INTERVAL);
  }

  pollTimeout(): Instant | undefined {
    const { controller } = this;
    const wantsNotice = controller.feedbackInterval !== undefined || this.#announcedInterval !== undefined;
    return earliestOf(controller.pollTimeout(), wantsNotice ? this.#noticeAt : undefined);
  }

  /** Returns a notice to the receiver when there is one. */
  pollNotice(): ApplicationPacket | undefined {
    const notice = this.#notice;
    this.#notice = undefined;
    return notice && recoveryNoticePacket(this.#ssrc, notice);
  }
}
