import {
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  NEVER,
  seconds,
} from '../../protocol/base/units.ts';
import { recoveryNoticePacket } from '../../protocol/rtcp/recovery-notice.ts';
import type { RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import { asSequence, type Sequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { ArrivalModel } from './arrival-model.ts';
import { LossEstimator } from './loss-estimator.ts';
import type { LossRecovery, NewestFrame, StreamView, TakenPacket } from './loss-recovery.ts';
import { PathEstimator } from './path-estimator.ts';
import { QueueMeter } from './queue-meter.ts';
import { ReorderingEstimator } from './reordering-estimator.ts';
import { type Request, RequestSchedule, type Terms } from './request-schedule.ts';

export interface DeadlineRecoveryOptions {
  readonly reportSsrc: number;
  readonly latency: Microseconds;
  /** Initial reorder wait, until reordering on the path has been observed, microseconds. */
  readonly reorderWait: Microseconds;
  /** Release policy after a loss. */
  readonly onLoss: 'freeze' | 'smear';
  /** True when all frames are recorded. */
  readonly records: boolean;
  /** True when the stream comes by several paths. */
  readonly multipath?: boolean;
}

/** Assumed round trip until it is measured. */
const ROUND_TRIP_DEFAULT: Microseconds = milliseconds(50);
/** Lower bound of the answer time's variation. */
const SPREAD_MIN: Microseconds = milliseconds(1);
const OVERTAKEN_MEMORY_PACKETS = 1_024;
/** Worth of a frame, the same as the sender uses. */
const FRAME_WORTH_PACKETS = 333;
/**
 * Share of reordered packets above which immediate requests would use up the budget for answers, even when there is no
 * time to wait.
 */
const EARLY_REQUESTS_MAX = 0.05;
/** Copies of a request. The return path carries little traffic, and a lost request costs more than its copies. */
const COPIES = 3;
const COPIES_OF_LAST = 4;
/** A request for more packets follows an outage or a forged number, and is sent once per round. */
const COPIED_SEQUENCES_MAX = 400;
/** Copies when losses are bursty: the return path is assumed to be no better than the forward path. */
const COPIES_IN_RUNS = 8;
const BURST_OF_RUNS = 2;
/** Time from a request to each of its copies: short at first, then longer to outlast a burst. */
const COPY_OFFSETS: readonly Microseconds[] = [
  microseconds(0),
  milliseconds(2),
  milliseconds(4),
  milliseconds(7),
  milliseconds(11),
  milliseconds(16),
  milliseconds(22),
  milliseconds(29),
];
/** Maximum sequence numbers per datagram, so that it fits any path: at most four bytes each. */
const SEQUENCES_MAX = 200;
const REQUESTS_MAX = 8;
const COPIES_WAITING_MAX = 512;
/** Silence detection skips frames with more missing packets than this. */
const SILENCE_MISSING_MAX = 512;
/** Maximum consecutive frames declared lost by the clock alone. */
const OVERDUE_FRAMES_MAX = 4;
const OVERDUE_PACKETS_MAX = 64;
const NOTICE_INTERVAL: Microseconds = seconds(1);
/** Notice interval during loss or queueing. */
const NOTICE_INTERVAL_BUSY: Microseconds = milliseconds(100);
const QUEUEING_NOTED: Microseconds = milliseconds(20);

interface Sending {
  readonly at: Instant;
  readonly number: number;
  readonly request: Request;
}

/**
 * Recovery by deadline. A loss is detected from the earliest sign of it, requests are made while an answer can arrive
 * in time, and the last possible request is marked so that the sender can add redundancy.
 */
export class DeadlineRecovery implements LossRecovery {
  readonly #options: DeadlineRecoveryOptions;
  readonly #schedule = new RequestSchedule();
  readonly #pace = new ArrivalModel();
  readonly #meter = new LossEstimator();
  readonly #load = new PathEstimator();
  readonly #queue: QueueMeter;
  readonly #reordering: ReorderingEstimator;
  /** Share of packets overtaken by others. */
  #overtaken = 0;
  #copies: Sending[] = [];
  #number = 0;
  #noticeAt: Instant | undefined;
  #roundTripNoted = false;
  #silenceCheckedOf: number | undefined;
  /** Number of frames after the newest that have been declared lost. */
  #overdue = { behind: Number.NEGATIVE_INFINITY, frames: 0 };

  constructor(options: DeadlineRecoveryOptions) {
    this.#options = options;
    this.#queue = new QueueMeter(options);
    this.#reordering = new ReorderingEstimator(options.reorderWait);
  }

  get requests(): number {
    return this.#schedule.requests;
  }

  roundsOf(sequence: Sequence): number {
    return this.#schedule.roundsOf(sequence);
  }

  onMissing(now: Instant, sequence: Sequence): void {
    this.#schedule.onMissing(now, sequence);
  }

  onHeld(now: Instant, sequence: Sequence): void {
    const overtakenAt = this.#schedule.onArrival(sequence);
    if (overtakenAt !== undefined) this.#reordering.observe(now, overtakenAt);
  }

  onPacket(now: Instant, packet: TakenPacket): void {
    this.#noticeAt ??= now;
    const overtakenAt = this.#schedule.onArrival(packet.sequence);
    if (packet.origin !== 'sent') return;
    const { lossless } = this.#meter;
    this.#meter.onPacket(packet.sequence);
    if (lossless && !this.#meter.lossless) this.#noticeAt = now;
    this.#pace.onPacket(now, packet);
    this.#overtaken += ((packet.ahead ? 0 : 1) - this.#overtaken) / OVERTAKEN_MEMORY_PACKETS;
    this.#load.onPacket(now, packet.sequence, packet.transit);
    this.#queue.onPacket(now, packet);
    if (overtakenAt === undefined || packet.ahead) return;
    this.#reordering.observe(now, overtakenAt);
  }

  onOriginal(now: Instant, sequence: Sequence, transit: Microseconds): void {
    this.#meter.onPacket(sequence);
    this.#load.onPacket(now, sequence, transit);
  }

  forgetThrough(sequence: Sequence): void {
    this.#schedule.forgetThrough(sequence);
  }

  poll(now: Instant, view: StreamView): readonly RtcpPacket[] | undefined {
    this.#checkSilence(now, view);
    this.#checkOverdue(now, view);
    if (view.mediaSsrc === undefined) return undefined;
    const reorderWait = this.#reordering.wait(now);
    const noticeDue = this.#isNoticeDue(now, view);
    const queue = this.#queue.poll(now);
    if (!noticeDue && !queue && now < this.#schedule.nextAt && !this.#copies.some(({ at }) => at <= now))
      return undefined;
    const terms = this.#terms(view, reorderWait);
    for (const request of this.#schedule.poll(now, terms)) this.#send(now, request);
    const requests = this.#due(now, view.mediaSsrc);
    if (requests.length === 0 && !noticeDue && !queue) return undefined;
    const busy = this.#meter.loss > 0 || this.#load.queueing > QUEUEING_NOTED;
    if (noticeDue) this.#roundTripNoted = view.roundTrip !== undefined;
    if (noticeDue) this.#noticeAt = later(now, busy ? NOTICE_INTERVAL_BUSY : NOTICE_INTERVAL);
    const { reportSsrc: ssrc, latency } = this.#options;
    // Waiting that happens in any case is part of the answer time.
    const answerTime = microseconds(
      view.roundTrip === undefined
        ? 0
        : terms.answerTime + (terms.patient ? reorderWait : 0) + this.#slowerBy(reorderWait),
    );
    const { loss, burst } = this.#meter;
    const { loss: recentLoss, queueing } = this.#load;
    const showsDamaged = this.#options.onLoss === 'smear';
    const path = recoveryNoticePacket(ssrc, {
      kind: 'path',
      latency,
      answerTime,
      loss,
      burst,
      recentLoss,
      queueing,
      showsDamaged,
      spacing: this.#pace.spacing,
      answersLate: this.#schedule.answersLate,
    });
    const notices = queue ? [path, recoveryNoticePacket(ssrc, queue)] : [path];
    return [{ kind: 'receiver-report', ssrc, reports: [] }, ...notices, ...requests];
  }

  pollTimeout(view: StreamView): Instant | undefined {
    let at = Math.min(this.#schedule.nextAt, this.#isRoundTripNews(view) ? 0 : (this.#noticeAt ?? NEVER));
    for (const copy of this.#copies) if (copy.at < at) at = copy.at;
    const silent = this.#silentFrame(view);
    if (silent) at = Math.min(at, this.#silenceEndsAt(silent));
    at = Math.min(at, this.#overdueAt(view));
    return Number.isFinite(at) ? instant(Math.ceil(at)) : undefined;
  }

  #isNoticeDue(now: Instant, view: StreamView): boolean {
    return this.#noticeAt !== undefined && (now >= this.#noticeAt || this.#isRoundTripNews(view));
  }

  /** True when the round trip is known and has not been reported: until then, the sender cannot count on requests. */
  #isRoundTripNews(view: StreamView): boolean {
    return this.#noticeAt !== undefined && !this.#roundTripNoted && view.roundTrip !== undefined;
  }

  #terms(view: StreamView, reorderWait: Microseconds): Terms {
    const spread = microseconds(Math.max(SPREAD_MIN, reorderWait, view.roundTripSpread));
    return {
      answerTime: microseconds(Math.ceil((view.roundTrip ?? ROUND_TRIP_DEFAULT) + spread)),
      answerTimeKnown: view.roundTrip !== undefined,
      spread,
      stragglersLikely: this.#stragglersLikely(),
      patient: this.#isPatient(),
      reorderWait,
      reorderWaitMin: this.#reorderWaitMin(reorderWait),
      roundTrip: view.roundTrip ?? ROUND_TRIP_DEFAULT,
      roundTripsWithin: (span) => view.roundTripsWithin(span),
      deadlineOf: (sequence) => this.#deadlineOf(sequence, view),
      referenceDeadlines: () => view.referenceDeadlines(),
    };
  }

  /** Difference of the round trips by the slower of two paths and by the faster one, which is measured: twice that of the delays. */
  #slowerBy(reorderWait: Microseconds): Microseconds {
    const { multipath, reorderWait: initial } = this.#options;
    return microseconds(multipath ? 2 * Math.max(0, reorderWait - initial) : 0);
  }

  /**
   * True when waiting is better. An early request gains an attempt, which saves a frame if both the packet and its
   * answer are lost, but costs a packet for each straggler.
   */
  #stragglersLikely(): boolean {
    const { loss } = this.#meter;
    const lossOfGap = loss / Math.max(Number.MIN_VALUE, loss + this.#overtaken);
    return lossOfGap * loss * FRAME_WORTH_PACKETS < 1 - lossOfGap;
  }

  /** The part of the reorder wait without which requests for stragglers would use up the budget, or cost more than they save. */
  #reorderWaitMin(reorderWait: Microseconds): Microseconds {
    const share = Math.min(EARLY_REQUESTS_MAX, this.#meter.loss * FRAME_WORTH_PACKETS) / this.#overtaken;
    return microseconds(Math.min(reorderWait, this.#reordering.waitForAllBut(share)));
  }

  /** True when a gap is waited for even at the cost of the only attempt. */
  #isPatient(): boolean {
    const { loss } = this.#meter;
    return this.#overtaken > EARLY_REQUESTS_MAX || loss * FRAME_WORTH_PACKETS < this.#overtaken;
  }

  #deadlineOf(sequence: Sequence, view: StreamView): Instant | undefined {
    const newest = this.#pace.newest;
    if (newest === undefined || sequence < newest.nextSequence || view.endKnown) return view.deadlineOf(sequence);
    // Part of an overdue frame of which nothing has arrived.
    const known = view.deadlineOf(sequence);
    if (known !== undefined && Number.isFinite(known)) return known;
    return instant(newest.expectedAt + this.#overdue.frames * (this.#pace.interval ?? 0) + this.#options.latency);
  }

  #send(now: Instant, request: Request): void {
    const number = this.#number;
    this.#number = (number + 1) & 0xffff;
    const inRuns = this.#meter.burst >= BURST_OF_RUNS;
    const wide = request.sequences.length > COPIED_SEQUENCES_MAX;
    const copies = wide ? 1 : inRuns ? COPIES_IN_RUNS : request.last ? COPIES_OF_LAST : COPIES;
    // A copy too late for an answer is useless; the offsets are scaled to the time left.
    const scale = Math.min(1, request.spare / Math.max(1, COPY_OFFSETS[copies - 1]!));
    for (let copy = 0; copy < copies && this.#copies.length < COPIES_WAITING_MAX; copy++) {
      this.#copies.push({ at: instant(now + Math.floor(COPY_OFFSETS[copy]! * scale)), number, request });
    }
  }

  /** Returns the requests due, up to a datagram, each as its notice and its NACK. */
  #due(now: Instant, mediaSsrc: number): RtcpPacket[] {
    const packets: RtcpPacket[] = [];
    const waiting: Sending[] = [];
    const numbers = new Set<number>();
    let room = SEQUENCES_MAX;
    const { reportSsrc: senderSsrc } = this.#options;
    for (const sending of this.#copies) {
      const { at, number, request } = sending;
      if (at > now || room <= 0 || numbers.has(number) || numbers.size === REQUESTS_MAX) {
        waiting.push(sending);
        continue;
      }
      const sequences = request.sequences.filter((sequence) => this.#schedule.isMissing(sequence)).slice(0, room);
      if (sequences.length === 0) continue;
      room -= sequences.length;
      numbers.add(number);
      const usefulFor = elapsed(now, request.deadline);
      const { last, late } = request;
      packets.push(recoveryNoticePacket(senderSsrc, { kind: 'request', number, last, late, usefulFor }), {
        kind: 'nack',
        senderSsrc,
        mediaSsrc,
        sequenceNumbers: sequences.map(wireSequence),
      });
    }
    this.#copies = waiting;
    return packets;
  }

  /** Returns the newest frame; packets missing from older ones are detected by later sequence numbers. */
  #silentFrame({ newest }: StreamView): NewestFrame | undefined {
    if (!newest || newest.complete || this.#silenceCheckedOf === newest.number) return undefined;
    return newest;
  }

  #silenceEndsAt(frame: NewestFrame): Instant {
    const { lastArrivalAt, firstSequence, lastSequence } = frame;
    return later(lastArrivalAt, this.#pace.silence(lastArrivalAt, lastSequence - firstSequence + 1));
  }

  /**
   * Declares the rest of the newest frame missing after a silence: packets announced by its mark without a gap to show
   * them. If they may have been reordered, the reorder wait has already started.
   */
  #checkSilence(now: Instant, view: StreamView): void {
    const frame = this.#silentFrame(view);
    if (!frame || now < this.#silenceEndsAt(frame)) return;
    this.#silenceCheckedOf = frame.number;
    const since = frame.lastArrivalAt;
    const reach = asSequence(frame.firstSequence + frame.receivedPackets + SILENCE_MISSING_MAX);
    for (const sequence of frame.missing(reach).slice(0, SILENCE_MISSING_MAX)) {
      this.#schedule.onOverdue(now, sequence, since);
    }
  }

  #overdueAt(view: StreamView): Instant {
    const { newest, interval } = this.#pace;
    if (!newest || interval === undefined || view.endKnown) return NEVER;
    const frames = this.#overdue.behind === newest.number ? this.#overdue.frames : 0;
    if (frames >= OVERDUE_FRAMES_MAX) return NEVER;
    return instant(newest.expectedAt + (frames + 1) * interval + this.#pace.lateness(newest.expectedAt));
  }

  /**
   * Requests the next frame when it is overdue and none of its packets has arrived. Its packet count is unknown, so as
   * many are requested as the last frames had. A sender that has not sent them yet ignores the request.
   */
  #checkOverdue(now: Instant, view: StreamView): void {
    const { newest, packetsLikely } = this.#pace;
    if (!newest || now < this.#overdueAt(view)) return;
    const frames = this.#overdue.behind === newest.number ? this.#overdue.frames : 0;
    this.#overdue = { behind: newest.number, frames: frames + 1 };
    const first = newest.nextSequence + frames * packetsLikely;
    const count = Math.min(packetsLikely, OVERDUE_PACKETS_MAX);
    for (let sequence = asSequence(first); sequence < first + count; sequence++) {
      if (!view.isHeld?.(sequence)) this.#schedule.onOverdue(now, sequence);
    }
  }
}
