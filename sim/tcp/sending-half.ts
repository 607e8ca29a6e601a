import type { Instant, Microseconds } from '../../protocol/instant.ts';
import { type AcknowledgmentFields, AcknowledgmentNews } from './acknowledgment.ts';
import { AcknowledgmentIntake } from './acknowledgment-intake.ts';
import { burstSegments } from './burst-size.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { CongestionControl, CongestionControlName } from './congestion-control.ts';
import { congestionControl } from './congestion-control-choice.ts';
import { Flow } from './flow.ts';
import { LossRecovery, type RecoveryOrder } from './loss-recovery.ts';
import { Pacing } from './pacing.ts';
import { Rack } from './rack.ts';
import { RateSample, stampForRate } from './rate-sample.ts';
import { RetransmissionQueue, SentSegment } from './retransmission-queue.ts';
import { RETRANSMISSION_TIMEOUT_MAX, RETRANSMISSION_TIMEOUT_MIN } from './round-trip-estimator.ts';
import { SendBuffer } from './send-buffer.ts';
import type { SendingCounters } from './tcp-counters.ts';
import { TransmitTimer } from './transmit-timer.ts';
import { WindowValidation } from './window-validation.ts';

/** `net.ipv4.tcp_retries2`, as a count of timeouts in a row: about a quarter of an hour. */
const TIMEOUTS_MAX = 15;
/** `TCP_TIMEOUT_MIN`: two of Linux' milliseconds. */
const TIMER_MIN: Microseconds = 2_000;

export interface SendingHalfOptions {
  /** Payload bytes of a full segment. */
  readonly segmentBytes: number;
  /** The place of the first byte: one after the SYN's. */
  readonly start: ByteSequence;
  readonly congestionControl: CongestionControlName;
  readonly seed: number;
}

/** What goes out: a segment of the stream, or the question whether the window has opened. */
export type Outgoing = SentSegment | 'window-probe';

/** One direction's sender: from bytes that are written to segments, and from acknowledgments to what is sent next. */
export class SendingHalf {
  readonly flow: Flow;
  readonly #buffer: SendBuffer;
  readonly #queue: RetransmissionQueue;
  readonly #rack: Rack;
  readonly #congestionControl: CongestionControl;
  readonly #recovery: LossRecovery;
  readonly #intake: AcknowledgmentIntake;
  readonly #validation: WindowValidation;
  readonly #pacing: Pacing;
  readonly #timer = new TransmitTimer();
  readonly #outgoing: Outgoing[] = [];
  #windowEnd: ByteSequence;
  #windowSequence: ByteSequence = Number.NEGATIVE_INFINITY;
  #window = 0;
  #finishing = false;
  /** Timeouts in a row, and by how many doublings the timer is backed off. */
  #timeouts = 0;
  #backOff = 0;
  #windowProbes = 0;
  #gaveUp = false;
  /** SND.NXT as it was when a tail-loss probe left; `undefined`: there is none on its way. */
  #probeEnd: ByteSequence | undefined;
  #probeRepeated = false;
  readonly #counters = {
    segments: 0,
    bytes: 0,
    retransmittedBytes: 0,
    fastRetransmissions: 0,
    timeoutRetransmissions: 0,
    tailProbes: 0,
    tailRetransmissions: 0,
    windowProbes: 0,
    timeouts: 0,
    spuriousRetransmissions: 0,
  };

  constructor(options: SendingHalfOptions) {
    this.flow = new Flow(options.segmentBytes, options.start);
    this.#buffer = new SendBuffer(options.start);
    this.#queue = new RetransmissionQueue(this.flow);
    this.#rack = new Rack(this.flow, this.#queue);
    this.#congestionControl = congestionControl(options.congestionControl, this.flow, options.seed);
    this.#recovery = new LossRecovery(this.flow, this.#queue, this.#rack, this.#congestionControl);
    this.#intake = new AcknowledgmentIntake(this.flow, this.#queue, this.#rack, this.#congestionControl);
    this.#validation = new WindowValidation(this.flow);
    this.#pacing = new Pacing(this.flow);
    this.#windowEnd = options.start;
  }

  get counters(): SendingCounters {
    return { ...this.#counters, undone: this.#recovery.undo.undone };
  }

  /** Bytes that are written and not acknowledged, and those of them that were never sent. */
  get unacknowledgedBytes(): number {
    return this.#buffer.length;
  }

  get unsentBytes(): number {
    return Math.max(this.#buffer.end - this.flow.next, 0);
  }

  /** Everything is acknowledged, the end of the stream as well. */
  get isFinished(): boolean {
    return this.#finishing && this.flow.unacknowledged > this.#buffer.end;
  }

  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  get retransmissionTimeout(): Microseconds {
    return Math.min(this.flow.roundTrip.timeout * 2 ** this.#backOff, RETRANSMISSION_TIMEOUT_MAX);
  }

  payloadOf(segment: SentSegment): Uint8Array {
    return this.#buffer.read(segment.start, segment.finish ? segment.end - 1 : segment.end);
  }

  /** The segment ends what was written so far: its PSH flag. */
  endsWrite(segment: SentSegment): boolean {
    return segment.end >= this.#buffer.end;
  }

  /** @param handshake the round trip that it measured (`undefined`: a SYN was sent more than once), and its retries. */
  establish(
    now: Instant,
    window: number,
    sequence: ByteSequence,
    { roundTrip, retries }: { readonly roundTrip: Microseconds | undefined; readonly retries: number },
  ): void {
    const { flow } = this;
    this.#window = window;
    this.#windowSequence = sequence;
    this.#windowEnd = flow.unacknowledged + window;
    flow.lastSentAt = now;
    flow.deliveredAt = now;
    this.#validation.noteWindowSet(now);
    if (roundTrip !== undefined) {
      flow.roundTrip.noteMinimum(now, roundTrip);
      flow.roundTrip.update(roundTrip, flow.unacknowledged, flow.next);
    }
    // A SYN that was lost twice is no accident (RFC 6298 §5.7 in spirit, `tcp_init_transfer`).
    if (retries > 1) flow.congestionWindow = 1;
    this.#transmitNew(now);
  }

  write(now: Instant, bytes: Uint8Array): void {
    const { flow } = this;
    const nothingMore = this.unsentBytes < flow.segmentBytes && flow.inFlight < flow.congestionWindow;
    if (nothingMore && flow.lostOut <= flow.retransmittedOut) {
      flow.applicationLimitedUntil = Math.max(flow.delivered + flow.inFlight, 1);
    }
    if (flow.packetsOut === 0 && !this.#congestionControl.ownsWindow) {
      this.#validation.noteRestart(now, this.retransmissionTimeout);
    }
    this.#buffer.write(bytes);
    this.#transmitNew(now);
  }

  finish(now: Instant): void {
    this.#finishing = true;
    this.#transmitNew(now);
  }

  pollOutgoing(): Outgoing | undefined {
    return this.#outgoing.shift();
  }

  pollTimeout(): Instant | undefined {
    const { wakeAt } = this.#pacing;
    const { at } = this.#timer;
    if (wakeAt === undefined || at === undefined) return wakeAt ?? at;
    return Math.min(wakeAt, at);
  }

  handleTimeout(now: Instant): void {
    const { wakeAt } = this.#pacing;
    if (wakeAt !== undefined && wakeAt <= now) {
      this.#pacing.wake();
      this.#retransmitLost(now);
      this.#transmitNew(now);
    }
    switch (this.#timer.take(now)) {
      case undefined:
        break;
      case 'retransmission':
        this.#handleRetransmissionTimeout(now);
        break;
      case 'tail-probe':
        this.#sendTailProbe(now);
        break;
      case 'reordering':
        this.#handleReorderingTimeout(now);
        break;
      case 'window-probe':
        this.#probeWindow(now);
    }
  }

  handleAcknowledgment(now: Instant, fields: AcknowledgmentFields): void {
    const { flow } = this;
    if (fields.acknowledgment > flow.next) return;
    const news = new AcknowledgmentNews(fields);
    const sample = new RateSample();
    const prior = {
      unacknowledged: flow.unacknowledged,
      packetsOut: flow.packetsOut,
      delivered: flow.delivered,
      lost: flow.lost,
    };
    sample.priorInFlight = flow.inFlight;
    news.advanced = fields.acknowledgment > flow.unacknowledged;
    sample.advanced = news.advanced;
    if (news.advanced) {
      this.#timeouts = 0;
      this.#windowProbes = 0;
    }
    if (fields.acknowledgment >= flow.unacknowledged) this.#updateWindow(fields, news);
    if (news.advanced) {
      flow.unacknowledged = fields.acknowledgment;
      this.#buffer.release(fields.acknowledgment);
    }
    this.#noteDuplicate(fields, news, prior.unacknowledged);
    if (fields.blocks.length > 0) this.#intake.takeBlocks(now, fields, news, sample, flow.state !== 'loss');
    let order: RecoveryOrder = 'nothing';
    if (prior.packetsOut > 0) order = this.#takeAcknowledged(now, fields, news, sample);
    sample.finish(now, flow, prior.delivered, prior.lost);
    if (prior.packetsOut > 0) this.#setWindow(now, news, sample);
    this.#follow(now, order);
    this.#transmitNew(now);
    if (flow.packetsOut === 0) this.#watchWindow(now);
  }

  #updateWindow({ acknowledgment, sequence, window }: AcknowledgmentFields, news: AcknowledgmentNews): void {
    const isNewer = news.advanced || sequence > this.#windowSequence;
    if (!isNewer && !(sequence === this.#windowSequence && (window > this.#window || window === 0))) return;
    news.windowUpdated = window !== this.#window;
    this.#windowSequence = sequence;
    this.#window = window;
    this.#windowEnd = acknowledgment + window;
  }

  #noteDuplicate(fields: AcknowledgmentFields, news: AcknowledgmentNews, priorUnacknowledged: ByteSequence): void {
    const block = this.#intake.duplicateOf(fields);
    if (!block) return;
    news.duplicate = true;
    news.probeDuplicate = this.#probeRepeated && block.end === this.#probeEnd;
    const { fastRetransmissions, timeoutRetransmissions, tailRetransmissions } = this.#counters;
    // More duplicates than retransmissions: it is the path that doubles.
    const repeated = fastRetransmissions + timeoutRetransmissions + tailRetransmissions;
    if (this.#counters.spuriousRetransmissions >= repeated) return;
    this.#counters.spuriousRetransmissions++;
    if (this.flow.reorderingSeen && !news.probeDuplicate) this.#rack.noteDuplicate();
    this.#recovery.undo.noteDuplicate(block, priorUnacknowledged);
  }

  #takeAcknowledged(
    now: Instant,
    fields: AcknowledgmentFields,
    news: AcknowledgmentNews,
    sample: RateSample,
  ): RecoveryOrder {
    const { flow } = this;
    this.#intake.takeCumulative(now, news, sample);
    if (sample.roundTrip >= 0) this.#backOff = 0;
    this.#rack.adaptWindow(sample.priorDelivered);
    this.#judgeTailProbe(now, fields, news);
    let order: RecoveryOrder = 'nothing';
    if (news.isDubious(flow.state === 'open')) order = this.#recovery.handle(now, news);
    const wait = this.#recovery.takeReorderingWait();
    if (wait > 0) this.#timer.set('reordering', now + wait + TIMER_MIN);
    if (news.restartsTimer) this.#setTimer(now);
    return order;
  }

  #setWindow(now: Instant, news: AcknowledgmentNews, sample: RateSample): void {
    const { flow } = this;
    if (this.#congestionControl.ownsWindow) this.#congestionControl.control(now, sample);
    else if (flow.inReduction) this.#recovery.reduce(sample.acknowledged, sample.losses, news.advanced);
    else if (news.acknowledged || (flow.reorderingSeen && news.sacked)) {
      this.#congestionControl.grow(now, sample.acknowledged);
    }
  }

  #follow(now: Instant, order: RecoveryOrder): void {
    if (order === 'nothing') return;
    if (order === 'new') {
      this.#transmitNew(now);
      if (this.flow.next > this.flow.highSequence) return;
      this.#recovery.endDoubt();
    }
    this.#retransmitLost(now);
  }

  /** What was declared lost goes first, as far as the window lets it. */
  #retransmitLost(now: Instant): void {
    const { flow } = this;
    for (let lost = this.#queue.nextLost(); lost; lost = this.#queue.nextLost()) {
      if (this.#pacing.holdsBack(now) || flow.inFlight >= flow.congestionWindow) return;
      this.#retransmit(now, lost);
      this.#recovery.noteSent(1);
      if (lost === this.#queue.head && this.#timer.cause !== 'reordering') {
        this.#timer.set('retransmission', now + this.retransmissionTimeout);
      }
    }
  }

  #retransmit(now: Instant, segment: SentSegment): void {
    this.#recovery.undo.noteRetransmission(Math.floor(now / 1_000));
    segment.retransmitted = true;
    this.flow.retransmittedOut++;
    if (this.flow.state === 'loss') this.#counters.timeoutRetransmissions++;
    else this.#counters.fastRetransmissions++;
    this.#send(now, segment);
    this.#queue.moveToLatest(segment);
  }

  /** New data, as far as the windows, the pacing and the application go. */
  #transmitNew(now: Instant): void {
    const { flow } = this;
    let sent = 0;
    let limited = false;
    while (this.#hasUnsent) {
      if (this.#pacing.holdsBack(now)) break;
      const room = flow.congestionWindow - flow.inFlight;
      if (room <= 0) {
        limited = true;
        break;
      }
      const burst = flow.pacingRate > 0 ? burstSegments(flow, this.#congestionControl.burstSegmentsMin) : 1;
      const count = this.#transmitBurst(now, Math.min(burst, room));
      if (count === 0) break;
      sent += count;
    }
    this.#recovery.noteSent(sent);
    if (sent > 0) this.#scheduleTailProbe(now, false);
    limited ||= flow.inFlight >= flow.congestionWindow;
    if (sent > 0 || limited) {
      const shrinks = !this.#congestionControl.ownsWindow;
      this.#validation.noteSending(now, limited, this.retransmissionTimeout, shrinks);
    }
    if (flow.packetsOut === 0 && this.#hasUnsent && this.#timer.cause === undefined) this.#watchWindow(now);
  }

  get #hasUnsent(): boolean {
    return this.flow.next < this.#buffer.end + (this.#finishing ? 1 : 0);
  }

  #transmitBurst(now: Instant, segmentsMax: number): number {
    const { flow } = this;
    let count = 0;
    let bytes = 0;
    while (count < segmentsMax && this.#hasUnsent) {
      const length = Math.min(flow.segmentBytes, this.#buffer.end - flow.next);
      if (flow.next + length > this.#windowEnd) break;
      this.#transmitSegment(now, length);
      bytes += length;
      count++;
    }
    if (count > 0) this.#pacing.noteSent(now, bytes);
    return count;
  }

  #transmitSegment(now: Instant, length: number): void {
    const { flow } = this;
    const finish = this.#finishing && flow.next + length === this.#buffer.end;
    const segment = new SentSegment(flow.next, flow.next + length + (finish ? 1 : 0), finish);
    if (flow.packetsOut === 0) this.#congestionControl.noteTransmissionStart(now);
    this.#send(now, segment, false);
    flow.next = segment.end;
    const wasIdle = flow.packetsOut === 0;
    this.#queue.push(segment);
    if (wasIdle || this.#timer.cause === 'tail-probe') this.#restartRetransmissionTimer(now);
  }

  #send(now: Instant, segment: SentSegment, paces = true): void {
    stampForRate(now, this.flow, segment);
    segment.sentAt = now;
    segment.transmissions++;
    const bytes = segment.end - segment.start - (segment.finish ? 1 : 0);
    if (paces) this.#pacing.noteSent(now, bytes);
    this.flow.lastSentAt = now;
    this.#counters.segments++;
    this.#counters.bytes += bytes;
    if (segment.transmissions > 1) this.#counters.retransmittedBytes += bytes;
    this.#outgoing.push(segment);
  }

  #setTimer(now: Instant): void {
    if (!this.#scheduleTailProbe(now, true)) this.#restartRetransmissionTimer(now);
  }

  /** The probe comes after two round trips, the timeout in the stead of it where that is earlier (RFC 8985 §7.2). */
  #scheduleTailProbe(now: Instant, timerRestarts: boolean): boolean {
    const { flow } = this;
    const { smoothed } = flow.roundTrip;
    if (flow.packetsOut === 0 || (flow.state !== 'open' && flow.state !== 'reduction')) return false;
    let wait = smoothed === 0 ? this.retransmissionTimeout : 2 * smoothed;
    // A single segment's acknowledgment may be delayed.
    if (smoothed > 0) wait += flow.packetsOut === 1 ? RETRANSMISSION_TIMEOUT_MIN : TIMER_MIN;
    const untilTimeout = timerRestarts ? this.retransmissionTimeout : this.#untilRetransmissionTimeout(now);
    if (untilTimeout > 0) wait = Math.min(wait, untilTimeout);
    this.#timer.set('tail-probe', now + wait);
    return true;
  }

  #untilRetransmissionTimeout(now: Instant): Microseconds {
    return (this.#queue.head?.sentAt ?? now) + this.retransmissionTimeout - now;
  }

  #restartRetransmissionTimer(now: Instant): void {
    if (this.flow.packetsOut === 0) {
      this.#timer.clear();
      return;
    }
    let wait = this.retransmissionTimeout;
    // The other two stood in its place: its time has been running since the head was sent.
    const stoodIn = this.#timer.cause === 'reordering' || this.#timer.cause === 'tail-probe';
    if (stoodIn) wait = Math.max(this.#untilRetransmissionTimeout(now), 1);
    this.#timer.set('retransmission', now + wait);
  }

  #handleRetransmissionTimeout(now: Instant): void {
    const head = this.#queue.head;
    if (!head) return;
    if (this.#timeouts >= TIMEOUTS_MAX) {
      this.#gaveUp = true;
      return;
    }
    this.#counters.timeouts++;
    this.#recovery.enterLoss(now, this.#timeouts);
    this.#probeEnd = undefined;
    this.#timeouts++;
    if (!head.retransmitted && !head.sacked) this.#retransmit(now, head);
    this.#backOff++;
    this.#timer.set('retransmission', now + this.retransmissionTimeout);
  }

  /** New data if there is any, else the last segment again (RFC 8985 §7.3). */
  #sendTailProbe(now: Instant): void {
    const { flow } = this;
    const last = this.#queue.last;
    if (this.#probeEnd === undefined && last) {
      const length = Math.min(flow.segmentBytes, this.#buffer.end - flow.next);
      this.#probeRepeated = !(this.#hasUnsent && flow.next + length <= this.#windowEnd);
      if (this.#probeRepeated) {
        this.#counters.tailRetransmissions++;
        this.#send(now, last);
        if (!last.sacked) this.#queue.moveToLatest(last);
      } else this.#transmitSegment(now, length);
      this.#counters.tailProbes++;
      this.#probeEnd = flow.next;
      this.#timer.clear();
    }
    this.#restartRetransmissionTimer(now);
  }

  #judgeTailProbe(now: Instant, { acknowledgment }: AcknowledgmentFields, news: AcknowledgmentNews): void {
    if (this.#probeEnd === undefined || acknowledgment < this.#probeEnd) return;
    if (!this.#probeRepeated || news.probeDuplicate) this.#probeEnd = undefined;
    else if (acknowledgment > this.#probeEnd) {
      this.#probeEnd = undefined;
      this.#recovery.reduceForProbe(now);
    } else if (!news.advanced && !news.carriesData && !news.windowUpdated && !news.sacked) this.#probeEnd = undefined;
  }

  #handleReorderingTimeout(now: Instant): void {
    const { flow } = this;
    const before = flow.inFlight;
    const wait = this.#rack.detect(now);
    if (wait > 0) this.#timer.set('reordering', now + wait + TIMER_MIN);
    if (flow.inFlight !== before) {
      if (flow.state !== 'recovery') {
        this.#recovery.enterRecovery(now);
        if (!this.#congestionControl.ownsWindow) this.#recovery.reduce(1, 0, false);
      }
      this.#retransmitLost(now);
    }
    if (this.#timer.cause === undefined) this.#restartRetransmissionTimer(now);
  }

  /** The window is closed and nothing is in flight that would bring news of its opening. */
  #watchWindow(now: Instant): void {
    if (!this.#hasUnsent) {
      this.#timer.clear();
      return;
    }
    const wait = Math.min(this.flow.roundTrip.timeout * 2 ** this.#windowProbes, RETRANSMISSION_TIMEOUT_MAX);
    if (this.#timer.cause !== 'window-probe') this.#timer.set('window-probe', now + wait);
  }

  #probeWindow(now: Instant): void {
    if (this.flow.packetsOut > 0 || !this.#hasUnsent) return;
    if (this.#windowProbes >= TIMEOUTS_MAX) {
      this.#gaveUp = true;
      return;
    }
    this.#windowProbes++;
    this.#counters.windowProbes++;
    const room = Math.min(this.#windowEnd - this.flow.next, this.flow.segmentBytes, this.unsentBytes);
    // A window too small for a segment that waits takes what it can.
    if (room > 0) this.#transmitSegment(now, room);
    else {
      this.#outgoing.push('window-probe');
      this.#watchWindow(now);
    }
  }
}
