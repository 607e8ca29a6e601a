import type { AccessUnit, Importance } from '../protocol/access-unit.ts';
import {
  earliestOf,
  elapsed,
  type Instant,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../protocol/base/units.ts';
import type { Ecn } from '../protocol/ecn.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { type PathNotice, parseRecoveryNotice, type RequestNotice } from '../protocol/rtcp/recovery-notice.ts';
import { type ApplicationPacket, type ReportBlock, type RtcpPacket, serializeRtcp } from '../protocol/rtcp/rtcp.ts';
import { compactNtp, ntpFromInstant, roundTripFromEcho } from '../protocol/rtp/ntp.ts';
import { RETRANSMISSION_OVERHEAD_BYTES } from '../protocol/rtp/retransmission.ts';
import { rtpHeaderBytesOf } from '../protocol/rtp/rtp-packet.ts';
import { asSequence, type Sequence, type WireSequence, wireSequence } from '../protocol/rtp/sequence.ts';
import { BottleneckQueue } from './bottleneck-queue.ts';
import { FeedbackIntake } from './feedback-intake.ts';
import { FrameInterval } from './frame-interval.ts';
import { FullIntraCommands } from './full-intra-commands.ts';
import { HistoryBudget } from './history-budget.ts';
import { Pacer } from './pacer.ts';
import { Packetizer } from './packetizer.ts';
import { FrameAdmission } from './rate/frame-admission.ts';
import type { PacketReport, RateController } from './rate/rate-controller.ts';
import { RateLoop } from './rate/rate-loop.ts';
import { ForwardRepair, REPAIR_OVERHEAD_BYTES, type SentFrame } from './repair/forward-repair.ts';
import { FrameWorth } from './repair/frame-worth.ts';
import { redundancyBudget } from './repair/redundancy-budget.ts';
import { EventLimit, type TokenBucket } from './repair/token-bucket.ts';
import { type AnswerableRequest, Retransmissions } from './retransmissions.ts';
import { type SenderEvent, SenderEventQueue } from './sender-event.ts';
import { HISTORY_BYTES, type SenderOptions } from './sender-options.ts';
import { SenderReports } from './sender-reports.ts';
import { emptySenderStatistics, type SenderStatistics } from './sender-statistics.ts';

export type { SenderEvent } from './sender-event.ts';

/** Shortest interval between answers to round-trip probes. */
const PROBE_INTERVAL: Microseconds = milliseconds(20);
/** Share of the latency available to a frame for passing a bottleneck; the rest is a safety margin. */
const PATIENCE_OF_LATENCY = 0.85;

/** Sends one stream to one receiver: takes access units, returns paced RTP datagrams, reports and retransmissions. */
export class Sender implements Endpoint<SenderEvent> {
  readonly #options: SenderOptions;
  readonly #packetizer: Packetizer;
  readonly #answers: Retransmissions;
  readonly #repair: ForwardRepair | undefined;
  readonly #pacer: Pacer<Uint8Array>;
  /** Frames in departure order; the first one is being sent. */
  readonly #queuedFrames: SentFrame[] = [];
  readonly #budget: TokenBucket;
  readonly #feedback: FeedbackIntake;
  readonly #probeLimit = new EventLimit(PROBE_INTERVAL);
  readonly #rate: RateController;
  readonly #loop: RateLoop;
  readonly #admission = new FrameAdmission();
  readonly #bottleneck = new BottleneckQueue();
  readonly #worth: FrameWorth;
  readonly #control: Uint8Array[] = [];
  /** Retransmissions and repair packets, which are sent before media. */
  readonly #urgent: Uint8Array[] = [];
  readonly #events = new SenderEventQueue();
  readonly #statistics: SenderStatistics = emptySenderStatistics();
  readonly #reports: SenderReports;
  /** Bytes that repair packets need beyond a retransmission. */
  readonly #reserveBytes: number;
  #path: PathNotice | undefined;
  readonly #fullIntraCommands: FullIntraCommands;
  #highestSent: Sequence;
  readonly #frameInterval: FrameInterval;
  #finishing = false;
  #finished = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#fullIntraCommands = new FullIntraCommands(options.ssrc);
    const { recovery, redundancy, repairSsrc, repairPayloadType } = options;
    const strategy = recovery === 'fec' || recovery === 'hybrid' ? recovery : undefined;
    const repairing = strategy !== undefined && repairSsrc !== undefined && repairPayloadType !== undefined;
    // A repair packet is the longest media packet plus its own headers, within the datagram limit.
    this.#reserveBytes = repairing ? REPAIR_OVERHEAD_BYTES - RETRANSMISSION_OVERHEAD_BYTES : 0;
    this.#packetizer = new Packetizer({ ...options, datagramBytesMax: options.datagramBytesMax - this.#reserveBytes });
    this.#reports = new SenderReports(options, {
      statistics: this.#statistics,
      wireTimestamp: (mediaTime) => this.#packetizer.wireTimestamp(mediaTime),
    });
    this.#feedback = new FeedbackIntake(options.ssrc, this.#statistics);
    this.#pacer = new Pacer(options);
    this.#frameInterval = new FrameInterval(options.spreadMax);
    this.#rate = options.createRateController();
    this.#loop = new RateLoop(this.#rate, options);
    this.#worth = new FrameWorth(options.mend > 0);
    this.#budget = redundancyBudget(strategy, redundancy);
    const parts = { budget: this.#budget, statistics: this.#statistics };
    if (repairing) {
      const isSound = options.codec.mediaType === 'audio';
      const { ssrc: mediaSsrc, datagramBytesMax, latency, pathRepair } = options;
      const stream = { mediaSsrc, datagramBytesMax, latency, pathRepair, groupsFrames: isSound };
      const wire = { ssrc: repairSsrc, payloadType: repairPayloadType };
      this.#repair = new ForwardRepair({ ...wire, ...stream, strategy, ratio: redundancy }, parts);
    }
    const history = options.historyBudget ?? new HistoryBudget(HISTORY_BYTES);
    const worthOf = (importance: Importance) => this.#worthOf(importance);
    this.#answers = new Retransmissions(options, { ...parts, history, repair: this.#repair, worthOf });
    this.#highestSent = asSequence(options.initialSequence - 1);
  }

  #worthOf(importance: Importance): number {
    return this.#worth.of(importance, this.#path, this.#frameInterval.value);
  }

  get statistics(): Readonly<SenderStatistics> {
    return this.#statistics;
  }

  /** Last sequence number sent, as on the wire; `undefined` before the first packet. */
  get lastSequence(): WireSequence | undefined {
    return this.#statistics.packets === 0 ? undefined : wireSequence(this.#highestSent);
  }

  /**
   * Sets the SSRC of the receiver's reports and requests; others are ignored from now on. Until then, path notices are
   * accepted from the first SSRC whose report or request names the media.
   */
  expectReportsFrom(reportSsrc: number): void {
    this.#feedback.source.expect(reportSsrc);
  }

  /** Arrival time of the receiver's last report or request that named the media. */
  get heardAt(): Instant | undefined {
    return this.#feedback.source.heardAt;
  }

  /**
   * Bit rate of access units that the path carries at present, excluding headers and redundancy, bits per second;
   * `undefined` while unlimited. A source that can follow it asks before each frame.
   */
  get targetBitrate(): number | undefined {
    return this.#loop.sourceBitrate;
  }

  /** True when the stream was finished and its last datagram has been polled. */
  get finished(): boolean {
    return this.#finished;
  }

  /**
   * Takes a frame.
   * @returns `withheld` when the path cannot carry it; `refused` when there is no room in the queue, or when a
   * part of it is longer than its payload format can carry.
   */
  send(now: Instant, unit: AccessUnit, dueAt: Instant = now): 'queued' | 'withheld' | 'refused' {
    this.#frameInterval.onFrame(unit.decodeTimestamp);
    let payloadBytes = 0;
    for (const part of unit.parts) payloadBytes += part.length;
    if (!this.#admits(now, unit, payloadBytes)) {
      this.#statistics.framesWithheld++;
      return 'withheld';
    }
    if (!this.#packetizer.carries(unit) || !this.#pacer.accepts(payloadBytes)) {
      this.#statistics.framesRefused++;
      return 'refused';
    }
    const { datagrams, firstSequence, own } = this.#packetizer.packetize(unit);
    this.#worth.onFrame(unit.importance);
    const frame = {
      firstSequence,
      lastSequence: asSequence(firstSequence + datagrams.length - 1),
      at: now,
      timestamp: this.#packetizer.wireTimestamp(unit.timestamp),
      importance: unit.importance,
      worth: this.#worthOf(unit.importance),
      referenceWorth: this.#worthOf('reference'),
      own,
    };
    if (datagrams.length > 0) this.#queuedFrames.push(frame);
    this.#pacer.enqueue(now, datagrams, this.#frameInterval.value, this.#rate.pacingRate);
    this.#reports.onFrame(dueAt, unit.decodeTimestamp);
    this.#statistics.frames++;
    this.#statistics.payloadBytes += payloadBytes;
    return 'queued';
  }

  /** Length of a full media packet, UDP payload bytes; longer ones are retransmissions or repair packets. */
  get fullDatagramBytes(): number {
    return this.#packetizer.fullDatagramBytes;
  }

  /** The largest datagram from the next frame on, UDP payload bytes, at most that of the options: what the path carries. */
  limitDatagrams(bytes: number): void {
    this.#packetizer.datagramBytesMax = Math.min(bytes, this.#options.datagramBytesMax) - this.#reserveBytes;
  }

  /** Ends the stream: after the queued packets follow a report and RTCP BYE. */
  finish(): void {
    this.#finishing = true;
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    const packets = this.#feedback.read(now, datagram);
    if (!packets) return;
    if (!packets.ok) return this.#malformed(packets.malformed);
    const requests: AnswerableRequest[] = [];
    let notice: RequestNotice | undefined;
    for (const packet of packets.value) {
      if (packet.kind === 'nack' && packet.mediaSsrc === this.#options.ssrc) {
        const wires = this.#loop.answerable(now, packet.sequenceNumbers);
        this.#statistics.requestsRefused += packet.sequenceNumbers.length - wires.length;
        if (wires.length > 0) requests.push({ wires, notice });
        notice = undefined;
      } else if (packet.kind === 'application') notice = this.#handleNotice(now, packet);
      else this.#handleRtcp(now, packet);
    }
    if (requests.length > 0) this.#urgent.push(...this.#answers.answer(now, requests, this.#highestSent));
  }

  handleTimeout(now: Instant): void {
    const report = this.#reports.poll(now);
    if (report) this.#control.push(serializeRtcp(report));
    this.#loop.handleTimeout(now);
    this.#announceChanges();
    const notice = this.#loop.pollNotice();
    if (notice) this.#control.push(serializeRtcp([...this.#reports.report(now), notice]));
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    const control = this.#control.shift();
    if (control) return control;
    const urgent = this.#urgent.shift();
    if (urgent) return this.#count(now, urgent, 0);
    const media = this.#windowIsOpen ? this.#pacer.poll(now) : undefined;
    if (media) return this.#sendMedia(now, media);
    if (this.#finishing && !this.#finished && this.#pacer.queuedDatagrams === 0) {
      this.#finished = true;
      return serializeRtcp(this.#reports.end(now));
    }
    return undefined;
  }

  get transmitEcn(): Ecn {
    return this.#loop.ecn;
  }

  pollEvent(): SenderEvent | undefined {
    return this.#events.poll();
  }

  pollTimeout(): Instant | undefined {
    if (this.#finished) return undefined;
    const media = this.#windowIsOpen ? this.#pacer.pollTimeout() : undefined;
    return earliestOf(earliestOf(media, this.#reports.dueAt), this.#loop.pollTimeout());
  }

  /** False while a congestion window has no room for another media packet. */
  get #windowIsOpen(): boolean {
    const { windowBytes } = this.#rate;
    return windowBytes === undefined || windowBytes > 0;
  }

  #sendMedia(now: Instant, polled: Uint8Array): Uint8Array {
    const sequence = asSequence(this.#highestSent + 1);
    const frame = this.#queuedFrames[0]!;
    const datagram = frame.own?.packet(sequence) ?? polled;
    if (sequence === frame.lastSequence) this.#queuedFrames.shift();
    this.#rate.onPaced(now, elapsed(frame.at, now));
    this.#answers.keep(now, { sequence, datagram, importance: frame.importance, source: frame.own });
    this.#budget.earn(datagram.length);
    this.#feedback.earn(datagram.length);
    if (this.#repair) {
      this.#urgent.push(...this.#repair.add(now, { sequence, datagram, frame }));
      this.#control.push(...this.#repair.takeNotices());
    }
    this.#highestSent = sequence;
    this.#statistics.packets++;
    this.#statistics.bytes += datagram.length;
    const sourceBytes = datagram.length - rtpHeaderBytesOf(datagram);
    this.#reports.onPacket(sourceBytes);
    this.#count(now, datagram, sourceBytes);
    this.#bottleneck.onMedia(sequence, frame.at);
    return datagram;
  }

  #count(now: Instant, datagram: Uint8Array, sourceBytes: number): Uint8Array {
    this.#loop.onSent(now, datagram, sourceBytes);
    this.#admission.spend(datagram.length);
    this.#bottleneck.onSent(datagram.length);
    return datagram;
  }

  #handleRtcp(now: Instant, packet: RtcpPacket): void {
    switch (packet.kind) {
      case 'sender-report':
      case 'receiver-report':
        for (const report of packet.reports) this.#handleReport(now, report);
        return;
      case 'picture-loss-indication':
        if (packet.mediaSsrc === this.#options.ssrc) this.#onKeyFrameRequest(this.#loop.allowsKeyFrame(now));
        return;
      case 'full-intra-request':
        if (this.#fullIntraCommands.take(packet)) this.#onKeyFrameRequest(true);
        return;
      case 'extended-report':
        for (const block of packet.blocks) {
          if (block.kind !== 'receiver-reference-time' || !this.#probeLimit.allow(now)) continue;
          const answer = this.#reports.probeAnswer(now, packet.ssrc, compactNtp(block.ntp));
          this.#control.push(serializeRtcp(answer));
        }
        return;
      case 'goodbye':
        this.#events.push({ kind: 'receiver-left' });
        return;
      case 'congestion-control-feedback':
        this.#onFeedback(now, this.#loop.onFeedback(now, packet));
        return;
      case 'nack':
      case 'source-description':
      case 'application':
      case 'unknown':
        return;
      default:
        packet satisfies never;
    }
  }

  #onKeyFrameRequest(isAllowed: boolean): void {
    this.#statistics.keyFrameRequests++;
    if (isAllowed) this.#events.push({ kind: 'keyframe-requested' });
  }

  #onFeedback(now: Instant, packets: readonly PacketReport[]): void {
    for (const { arrivedAt, bytes } of packets) if (arrivedAt !== undefined) this.#statistics.deliveredBytes += bytes;
    if (this.#loop.takeHeldKeyFrame(now, packets)) this.#events.push({ kind: 'keyframe-requested' });
    this.#announceChanges();
  }

  #handleReport(now: Instant, report: ReportBlock): void {
    if (report.ssrc !== this.#options.ssrc) return;
    this.#statistics.reportedLoss = report.fractionLost / 256;
    const { lastSenderReport: lastReport, delaySinceLastSenderReport: delay } = report;
    const roundTrip = roundTripFromEcho({ arrival: compactNtp(ntpFromInstant(now)), lastReport, delay });
    if (roundTrip !== undefined) this.#statistics.roundTrip = roundTrip;
    this.#loop.onReport(now, report, roundTrip);
    this.#announceChanges();
  }

  #announceChanges(): void {
    for (let notice = this.#rate.pollNotice?.(); notice; notice = this.#rate.pollNotice?.()) {
      this.#events.push({ kind: 'circuit-breaker', ...notice });
    }
    const change = this.#loop.pollReports();
    if (change) this.#events.push({ kind: 'reports', change });
  }

  /** @returns the request notice for the NACK that follows. */
  #handleNotice(now: Instant, packet: ApplicationPacket): RequestNotice | undefined {
    const notice = parseRecoveryNotice(packet);
    if (!notice.ok) this.#malformed(notice.malformed);
    else if (notice.value?.kind === 'queue') {
      this.#bottleneck.onNotice(now, notice.value, this.#highestSent);
      this.#rate.onQueue?.(now);
    } else if (notice.value?.kind === 'path') this.#onPath(now, notice.value);
    else if (notice.value?.kind === 'request') return notice.value;
    return undefined;
  }

  #onPath(now: Instant, path: PathNotice): void {
    this.#path = path;
    this.#loop.onPath(now, path);
    // Loss on a full path is addressed by sending less, not more.
    const loss = this.#rate.target === undefined ? path.loss : Math.min(path.loss, path.recentLoss);
    this.#repair?.onPath({ ...path, loss: loss * (this.#rate.repairableLoss?.(now) ?? 1) });
  }

  /** True when this frame is admitted to a path that may not carry all frames. */
  #admits(now: Instant, { importance }: AccessUnit, bytes: number): boolean {
    this.#rate.onOffered(now, bytes, this.#pacer.queuedBytes);
    if (this.#rate.refusesFrames) {
      // Frames after this one refer to it.
      this.#events.push({ kind: 'keyframe-requested' });
      return this.#admission.refuse(importance);
    }
    if (importance === 'discardable' && this.#bottleneck.isTooLong(now, bytes + this.#pacer.queuedBytes)) return false;
    const path = this.#path;
    if (!path || this.#rate.isFollowed) return true;
    const patience = microseconds(path.latency * PATIENCE_OF_LATENCY);
    const { showsDamaged } = path;
    const waiting = this.#pacer.queuedBytes;
    const waitMin = this.#rate.waitOf?.(now, waiting + bytes);
    const own = { limit: this.#rate.target, waitMin, waiting, frameInterval: this.#frameInterval.value };
    return this.#admission.admit(now, { importance, bytes }, { ...own, patience, showsDamaged });
  }

  #malformed(cause: string): void {
    this.#statistics.malformed++;
    this.#events.push({ kind: 'malformed', cause });
  }
}
