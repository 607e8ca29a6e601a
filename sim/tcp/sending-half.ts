import { earliest, type Instant, type Microseconds } from '../../protocol/base/units.ts';
import { type AcknowledgmentFields, AcknowledgmentNews } from './acknowledgment.ts';
import { AcknowledgmentIntake } from './acknowledgment-intake.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { CongestionControl } from './congestion-control.ts';
import { congestionControl } from './congestion-control-choice.ts';
import { Flow } from './flow.ts';
import { Pacing } from './pacing.ts';
import { Rack } from './rack.ts';
import { noteApplicationLimit, RateSample } from './rate-sample.ts';
import { RetransmissionQueue, type SentSegment } from './retransmission-queue.ts';
import { type Outgoing, SegmentOutput } from './segment-output.ts';
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
  readonly #output: SegmentOutput;
  /** Consecutive retransmission timeouts. */
  #timeouts = 0;
  #gaveUp = false;
  readonly #tally = new SendingTally();

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
    this.#output = new SegmentOutput(
      {
        flow: this.flow,
        buffer: this.#buffer,
        queue: this.#queue,
        congestionControl: this.#congestionControl,
        recovery: this.#recovery,
        validation: this.#validation,
        pacing: this.#pacing,
        timer: this.#timer,
        window: this.#window,
        tally: this.#tally,
      },
      options,
    );
  }

  get counters(): SendingCounters {
    return { ...this.#tally.counts, undone: this.#recovery.undo.undone };
  }

  /** Written bytes not acknowledged; `unsentBytes` is the part never sent. */
  get unacknowledgedBytes(): number {
    return this.#buffer.length;
  }

  get unsentBytes(): number {
    return this.#output.unsentBytes;
  }

  /** True when everything including the FIN is acknowledged. */
  get isFinished(): boolean {
    return this.#output.finishing && this.flow.unacknowledged > this.#buffer.end;
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
    this.#output.transmitNew(now);
  }

  write(now: Instant, bytes: Uint8Array): void {
    const { flow } = this;
    noteApplicationLimit(flow, this.unsentBytes);
    if (flow.packetsOut === 0 && !this.#congestionControl.ownsWindow) {
      this.#validation.noteRestart(now, this.retransmissionTimeout);
    }
    this.#buffer.write(bytes);
    this.#output.transmitNew(now);
  }

  finish(now: Instant): void {
    this.#output.finish(now);
  }

  pollOutgoing(): Outgoing | undefined {
    return this.#output.poll();
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
      this.#output.retransmitLost(now);
      this.#output.transmitNew(now);
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
      this.#output.noteAdvance();
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
    this.#output.transmitNew(now);
    if (flow.packetsOut === 0) this.#output.watchWindow(now);
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
      this.#output.transmitNew(now);
      if (this.flow.next > this.flow.highSequence) return;
      this.#recovery.endDoubt();
    }
    this.#output.retransmitLost(now);
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
    if (!head.retransmitted && !head.sacked) this.#output.retransmit(now, head);
    this.#timer.backOff(now);
  }

  /** Sends a tail loss probe: new data if available, else the last segment (RFC 8985 §7.3). */
  #sendTailProbe(now: Instant): void {
    const { flow } = this;
    const last = this.#queue.last;
    if (!this.#tailProbe.isOut && last) {
      const repeats = this.#output.transmitProbe(now, last);
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
      this.#output.retransmitLost(now);
    }
    if (this.#timer.cause === undefined) this.#timer.restartRetransmission(now);
  }

  #probeWindow(now: Instant): void {
    if (this.flow.packetsOut > 0 || !this.#output.hasUnsent) return;
    if (this.#output.windowProbes >= TIMEOUTS_MAX) this.#gaveUp = true;
    else this.#output.probeWindow(now);
  }
}
