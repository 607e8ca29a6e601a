import { earliest, type Instant, type Microseconds, wholeMilliseconds } from '../../protocol/base/units.ts';
import { type AcknowledgmentFields, AcknowledgmentNews } from './acknowledgment.ts';
import { AcknowledgmentIntake } from './acknowledgment-intake.ts';
import { burstSegments } from './burst-size.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { CongestionControl } from './congestion-control.ts';
import { congestionControl } from './congestion-control-choice.ts';
import { Flow } from './flow.ts';
import { Pacing } from './pacing.ts';
import { Rack } from './rack.ts';
import { noteApplicationLimit, RateSample, stampForRate } from './rate-sample.ts';
import { RetransmissionQueue, SentSegment } from './retransmission-queue.ts';
import { SendBuffer } from './send-buffer.ts';
import { SendWindow } from './send-window.ts';
import type { SendingHalfOptions } from './sending-half-options.ts';
import { TailProbe } from './tail-probe.ts';
import { type SendingCounters, SendingTally } from './tcp-counters.ts';
import { type RecoveryOrder, TcpRecovery } from './tcp-recovery.ts';
import { TransmitTimer } from './transmit-timer.ts';
import { WindowValidation } from './window-validation.ts';

/** `net.ipv4.tcp_retries2`: consecutive timeouts until the connection fails, about 15 minutes. */
const TIMEOUTS_MAX = 15;

/** Next transmission: a segment of the stream, or a window probe. */
export type Outgoing = SentSegment | 'window-probe';

/** Sender of one direction: turns written bytes into segments, and acknowledgments into transmissions. */
export class SendingHalf {
  readonly flow: Flow;
  readonly #buffer: SendBuffer;
  readonly #queue: RetransmissionQueue;
  readonly #rack: Rack;
  readonly #congestionControl: CongestionControl;
  readonly #recovery: TcpRecovery;
  readonly #intake: AcknowledgmentIntake;
  readonly #validation: WindowValidation;
  readonly #pacing: Pacing;
  readonly #timer: TransmitTimer;
  readonly #window: SendWindow;
  readonly #tailProbe = new TailProbe();
  readonly #outgoing: Outgoing[] = [];
  #finishing = false;
  /** Consecutive retransmission timeouts, and consecutive window probes. */
  #timeouts = 0;
  #windowProbes = 0;
  #gaveUp = false;
  readonly #tally = new SendingTally();
  readonly #marksBursts: boolean;

  constructor(options: SendingHalfOptions) {
    this.flow = new Flow(options.segmentBytes, options.start);
    this.#buffer = new SendBuffer(options.start);
    this.#queue = new RetransmissionQueue(this.flow);
    this.#rack = new Rack(this.flow, this.#queue);
    this.#congestionControl = congestionControl(options.congestionControl, this.flow, options.seed);
    this.#recovery = new TcpRecovery(this.flow, this.#queue, this.#rack, this.#congestionControl);
    this.#intake = new AcknowledgmentIntake(this.flow, this.#queue, this.#rack, this.#congestionControl);
    this.#validation = new WindowValidation(this.flow);
    this.#pacing = new Pacing(this.flow);
    this.#timer = new TransmitTimer(this.flow, this.#queue, options.timerTick);
    this.#window = new SendWindow(options.start);
    this.#marksBursts = options.marksBursts;
  }

  get counters(): SendingCounters {
    return { ...this.#tally.counts, undone: this.#recovery.undo.undone };
  }

  /** Written bytes not acknowledged; `unsentBytes` is the part never sent. */
  get unacknowledgedBytes(): number {
    return this.#buffer.length;
  }

  get unsentBytes(): number {
    return Math.max(this.#buffer.end - this.flow.next, 0);
  }

  /** True when everything including the FIN is acknowledged. */
  get isFinished(): boolean {
    return this.#finishing && this.flow.unacknowledged > this.#buffer.end;
  }

  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  get retransmissionTimeout(): Microseconds {
    return this.#timer.retransmissionTimeout;
  }

  payloadOf(segment: SentSegment): Uint8Array {
    return this.#buffer.read(segment.start, segment.finish ? segment.end - 1 : segment.end);
  }

  /** PSH flag: the segment ends the written data or a burst. */
  pushes(segment: SentSegment): boolean {
    return segment.endsBurst || segment.end >= this.#buffer.end;
  }

  /** @param handshake.roundTrip `undefined` when a SYN was retransmitted; `retries` counts the retransmissions. */
  establish(
    now: Instant,
    window: number,
    sequence: ByteSequence,
    { roundTrip, retries }: { readonly roundTrip: Microseconds | undefined; readonly retries: number },
  ): void {
    const { flow } = this;
    this.#window.open(flow.unacknowledged, window, sequence);
    flow.lastSentAt = now;
    flow.deliveredAt = now;
    if (roundTrip !== undefined) flow.noteRoundTrip(now, roundTrip, roundTrip);
    this.#congestionControl.noteEstablished();
    // Repeated SYN loss indicates congestion, so start from one segment (RFC 6298 §5.7, `tcp_init_transfer`).
    if (retries > 1) flow.congestionWindow = 1;
    this.#transmitNew(now);
  }

  write(now: Instant, bytes: Uint8Array): void {
    const { flow } = this;
    noteApplicationLimit(flow, this.unsentBytes);
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
    return earliest(wakeAt, at);
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
    const news = new AcknowledgmentNews(fields, flow);
    const sample = new RateSample();
    const prior = { packetsOut: flow.packetsOut, delivered: flow.delivered, lost: flow.lost };
    sample.priorInFlight = flow.inFlight;
    news.advanced = fields.acknowledgment > flow.unacknowledged;
    sample.advanced = news.advanced;
    if (news.advanced) {
      this.#timeouts = 0;
      this.#windowProbes = 0;
    }
    if (fields.acknowledgment >= flow.unacknowledged) news.windowUpdated = this.#window.update(fields, news.advanced);
    if (news.advanced) {
      flow.unacknowledged = fields.acknowledgment;
      this.#buffer.release(fields.acknowledgment);
    }
    this.#noteDuplicate(fields, news);
    if (fields.blocks.length > 0) this.#intake.takeBlocks(now, fields, news, sample, flow.state !== 'loss');
    let order: RecoveryOrder = 'nothing';
    if (prior.packetsOut > 0) order = this.#takeAcknowledged(now, fields, news, sample);
    sample.finish(now, flow, prior.delivered, prior.lost);
    if (prior.packetsOut > 0) this.#recovery.setWindow(now, news, sample);
    this.#follow(now, order);
    this.#transmitNew(now);
    if (flow.packetsOut === 0) this.#watchWindow(now);
  }

  #noteDuplicate(fields: AcknowledgmentFields, news: AcknowledgmentNews): void {
    const block = this.#intake.duplicateOf(fields);
    if (!block) return;
    news.duplicate = true;
    news.probeDuplicate = this.#tailProbe.isDuplicate(block);
    if (!this.#tally.noteDuplicate()) return;
    if (this.flow.reorderingSeen && !news.probeDuplicate) this.#rack.noteDuplicate();
    this.#recovery.undo.noteDuplicate(block, news.priorUnacknowledged);
  }

  #takeAcknowledged(
    now: Instant,
    fields: AcknowledgmentFields,
    news: AcknowledgmentNews,
    sample: RateSample,
  ): RecoveryOrder {
    const { flow } = this;
    this.#intake.takeCumulative(now, news, sample);
    if (sample.roundTrip >= 0) this.#timer.endBackOff();
    this.#rack.adaptWindow(sample.priorDelivered);
    if (this.#tailProbe.judge(fields.acknowledgment, news) === 'repaired') this.#recovery.reduceForProbe(now);
    let order: RecoveryOrder = 'nothing';
    if (news.isDubious(flow.state === 'open')) order = this.#recovery.handle(now, news);
    const wait = this.#recovery.takeReorderingWait();
    if (wait > 0) this.#timer.setReordering(now, wait);
    if (news.restartsTimer) this.#timer.restart(now);
    return order;
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

  /** Retransmits lost segments, as far as window and pacing allow. */
  #retransmitLost(now: Instant): void {
    const { flow } = this;
    for (let lost = this.#queue.nextLost(); lost; lost = this.#queue.nextLost()) {
      if (this.#pacing.holdsBack(now) || flow.inFlight >= flow.congestionWindow) return;
      this.#retransmit(now, lost);
      this.#recovery.noteSent(1);
      if (lost === this.#queue.head && this.#timer.cause !== 'reordering') {
        this.#timer.setRetransmission(now);
      }
    }
  }

  #retransmit(now: Instant, segment: SentSegment): void {
    this.#recovery.undo.noteRetransmission(wholeMilliseconds(now));
    segment.retransmitted = true;
    this.flow.retransmittedOut++;
    this.#tally.noteRetransmission(this.flow.state === 'loss');
    this.#send(now, segment);
    this.#queue.moveToLatest(segment);
  }

  /** Sends new data, as far as windows, pacing and the application allow. */
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
      const burst =
        this.#marksBursts || flow.pacingRate > 0 ? burstSegments(flow, this.#congestionControl.burstSegmentsMin) : 1;
      const count = this.#transmitBurst(now, Math.min(burst, room));
      if (count === 0) break;
      sent += count;
    }
    this.#recovery.noteSent(sent);
    if (sent > 0) this.#timer.scheduleTailProbe(now, false);
    limited ||= flow.inFlight >= flow.congestionWindow;
    if (sent > 0 || limited) this.#validation.noteSending(limited);
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
      if (flow.next + length > this.#window.end) break;
      this.#transmitSegment(now, length);
      bytes += length;
      count++;
    }
    if (count > 0) this.#pacing.noteSent(now, { segments: count, bytes });
    if (count > 1 && this.#marksBursts) this.#queue.last!.endsBurst = true;
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
    if (wasIdle || this.#timer.cause === 'tail-probe') this.#timer.restartRetransmission(now);
  }

  #send(now: Instant, segment: SentSegment, paces = true): void {
    stampForRate(now, this.flow, segment);
    segment.sentAt = now;
    segment.transmissions++;
    const bytes = segment.end - segment.start - (segment.finish ? 1 : 0);
    if (paces) this.#pacing.noteSent(now, { segments: 1, bytes });
    this.flow.lastSentAt = now;
    this.#tally.noteSent(bytes, segment.transmissions > 1);
    this.#outgoing.push(segment);
  }

  #handleRetransmissionTimeout(now: Instant): void {
    const head = this.#queue.head;
    if (!head) return;
    if (this.#timeouts >= TIMEOUTS_MAX) {
      this.#gaveUp = true;
      return;
    }
    this.#tally.noteTimeout();
    this.#recovery.enterLoss(now, this.#timeouts);
    this.#tailProbe.forget();
    this.#timeouts++;
    if (!head.retransmitted && !head.sacked) this.#retransmit(now, head);
    this.#timer.backOff(now);
  }

  /** Sends a tail loss probe: new data if available, else the last segment (RFC 8985 §7.3). */
  #sendTailProbe(now: Instant): void {
    const { flow } = this;
    const last = this.#queue.last;
    if (!this.#tailProbe.isOut && last) {
      const length = Math.min(flow.segmentBytes, this.#buffer.end - flow.next);
      const repeats = !(this.#hasUnsent && flow.next + length <= this.#window.end);
      if (repeats) {
        this.#send(now, last);
        if (!last.sacked) this.#queue.moveToLatest(last);
      } else this.#transmitSegment(now, length);
      this.#tally.noteTailProbe(repeats);
      this.#tailProbe.begin(flow.next, repeats);
    }
    this.#timer.restartRetransmission(now);
  }

  #handleReorderingTimeout(now: Instant): void {
    const { flow } = this;
    const before = flow.inFlight;
    const wait = this.#rack.detect(now);
    if (wait > 0) this.#timer.setReordering(now, wait);
    if (flow.inFlight !== before) {
      if (flow.state !== 'recovery') {
        this.#recovery.enterRecovery(now);
        if (!this.#congestionControl.ownsWindow) this.#recovery.reduce(1, 0, false);
      }
      this.#retransmitLost(now);
    }
    if (this.#timer.cause === undefined) this.#timer.restartRetransmission(now);
  }

  /** Starts window probing: the window is closed, and nothing in flight would report that it opens. */
  #watchWindow(now: Instant): void {
    if (!this.#hasUnsent) {
      this.#timer.clear();
      return;
    }
    if (this.#timer.cause !== 'window-probe') this.#timer.setWindowProbe(now, this.#windowProbes);
  }

  #probeWindow(now: Instant): void {
    if (this.flow.packetsOut > 0 || !this.#hasUnsent) return;
    if (this.#windowProbes >= TIMEOUTS_MAX) {
      this.#gaveUp = true;
      return;
    }
    this.#windowProbes++;
    this.#tally.noteWindowProbe();
    const room = Math.min(this.#window.end - this.flow.next, this.flow.segmentBytes, this.unsentBytes);
    // A window smaller than the waiting segment is used as far as it goes.
    if (room > 0) this.#transmitSegment(now, room);
    else {
      this.#outgoing.push('window-probe');
      this.#watchWindow(now);
    }
  }
}
