import { type Instant, wholeMilliseconds } from '../../protocol/base/units.ts';
import { burstSegments } from './burst-size.ts';
import type { CongestionControl } from './congestion-control.ts';
import type { Flow } from './flow.ts';
import type { Pacing } from './pacing.ts';
import { stampForRate } from './rate-sample.ts';
import { type RetransmissionQueue, SentSegment } from './retransmission-queue.ts';
import type { SendBuffer } from './send-buffer.ts';
import type { SendWindow } from './send-window.ts';
import type { SendingTally } from './tcp-counters.ts';
import type { TcpRecovery } from './tcp-recovery.ts';
import type { TransmitTimer } from './transmit-timer.ts';
import type { WindowValidation } from './window-validation.ts';

/** Next transmission: a segment of the stream, or a window probe. */
export type Outgoing = SentSegment | 'window-probe';

/** Parts of a sending half that its output uses. */
export interface SegmentOutputParts {
  readonly flow: Flow;
  readonly buffer: SendBuffer;
  readonly queue: RetransmissionQueue;
  readonly congestionControl: CongestionControl;
  readonly recovery: TcpRecovery;
  readonly validation: WindowValidation;
  readonly pacing: Pacing;
  readonly timer: TransmitTimer;
  readonly window: SendWindow;
  readonly tally: SendingTally;
}

/** Sends segments: new data and retransmissions, as far as windows and pacing allow, and probes of a closed window. */
export class SegmentOutput {
  readonly #parts: SegmentOutputParts;
  readonly #flow: Flow;
  readonly #marksBursts: boolean;
  readonly #outgoing: Outgoing[] = [];
  #finishing = false;
  /** Consecutive window probes. */
  #windowProbes = 0;

  constructor(parts: SegmentOutputParts, options: { readonly marksBursts: boolean }) {
    this.#parts = parts;
    this.#flow = parts.flow;
    this.#marksBursts = options.marksBursts;
  }

  /** True once the stream is to end after the written bytes. */
  get finishing(): boolean {
    return this.#finishing;
  }

  /** Consecutive window probes without an answer. */
  get windowProbes(): number {
    return this.#windowProbes;
  }

  /** Written bytes never sent. */
  get unsentBytes(): number {
    return Math.max(this.#parts.buffer.end - this.#flow.next, 0);
  }

  get hasUnsent(): boolean {
    return this.#flow.next < this.#parts.buffer.end + (this.#finishing ? 1 : 0);
  }

  poll(): Outgoing | undefined {
    return this.#outgoing.shift();
  }

  finish(now: Instant): void {
    this.#finishing = true;
    this.transmitNew(now);
  }

  /** The peer has acknowledged something new. */
  noteAdvance(): void {
    this.#windowProbes = 0;
  }

  /** Retransmits lost segments, as far as window and pacing allow. */
  retransmitLost(now: Instant): void {
    const { queue, pacing, recovery, timer } = this.#parts;
    const flow = this.#flow;
    for (let lost = queue.nextLost(); lost; lost = queue.nextLost()) {
      if (pacing.holdsBack(now) || flow.inFlight >= flow.congestionWindow) return;
      this.retransmit(now, lost);
      recovery.noteSent(1);
      if (lost === queue.head && timer.cause !== 'reordering') timer.setRetransmission(now);
    }
  }

  retransmit(now: Instant, segment: SentSegment): void {
    const { queue, recovery, tally } = this.#parts;
    recovery.undo.noteRetransmission(wholeMilliseconds(now));
    segment.retransmitted = true;
    this.#flow.retransmittedOut++;
    tally.noteRetransmission(this.#flow.state === 'loss');
    this.#send(now, segment);
    queue.moveToLatest(segment);
  }

  /** Sends new data, as far as windows, pacing and the application allow. */
  transmitNew(now: Instant): void {
    const { congestionControl, recovery, validation, pacing, timer } = this.#parts;
    const flow = this.#flow;
    let sent = 0;
    let limited = false;
    while (this.hasUnsent) {
      if (pacing.holdsBack(now)) break;
      const room = flow.congestionWindow - flow.inFlight;
      if (room <= 0) {
        limited = true;
        break;
      }
      const burst =
        this.#marksBursts || flow.pacingRate > 0 ? burstSegments(flow, congestionControl.burstSegmentsMin) : 1;
      const count = this.#transmitBurst(now, Math.min(burst, room));
      if (count === 0) break;
      sent += count;
    }
    recovery.noteSent(sent);
    if (sent > 0) timer.scheduleTailProbe(now, false);
    limited ||= flow.inFlight >= flow.congestionWindow;
    if (sent > 0 || limited) validation.noteSending(limited);
    if (flow.packetsOut === 0 && this.hasUnsent && timer.cause === undefined) this.watchWindow(now);
  }

  /** Sends a tail loss probe (RFC 8985 §7.3): new data if available, else `last`. @returns true when it repeats. */
  transmitProbe(now: Instant, last: SentSegment): boolean {
    const { queue, buffer, window } = this.#parts;
    const flow = this.#flow;
    const length = Math.min(flow.segmentBytes, buffer.end - flow.next);
    const repeats = !(this.hasUnsent && flow.next + length <= window.end);
    if (repeats) {
      this.#send(now, last);
      if (!last.sacked) queue.moveToLatest(last);
    } else this.#transmitSegment(now, length);
    return repeats;
  }

  /** Starts window probing: the window is closed, and nothing in flight would report that it opens. */
  watchWindow(now: Instant): void {
    const { timer } = this.#parts;
    if (!this.hasUnsent) {
      timer.clear();
      return;
    }
    if (timer.cause !== 'window-probe') timer.setWindowProbe(now, this.#windowProbes);
  }

  probeWindow(now: Instant): void {
    const { tally, window } = this.#parts;
    const flow = this.#flow;
    this.#windowProbes++;
    tally.noteWindowProbe();
    const room = Math.min(window.end - flow.next, flow.segmentBytes, this.unsentBytes);
    // A window smaller than the waiting segment is used as far as it goes.
    if (room > 0) this.#transmitSegment(now, room);
    else {
      this.#outgoing.push('window-probe');
      this.watchWindow(now);
    }
  }

  #transmitBurst(now: Instant, segmentsMax: number): number {
    const { queue, buffer, pacing, window } = this.#parts;
    const flow = this.#flow;
    let count = 0;
    let bytes = 0;
    while (count < segmentsMax && this.hasUnsent) {
      const length = Math.min(flow.segmentBytes, buffer.end - flow.next);
      if (flow.next + length > window.end) break;
      this.#transmitSegment(now, length);
      bytes += length;
      count++;
    }
    if (count > 0) pacing.noteSent(now, { segments: count, bytes });
    if (count > 1 && this.#marksBursts) queue.last!.endsBurst = true;
    return count;
  }

  #transmitSegment(now: Instant, length: number): void {
    const { queue, buffer, congestionControl, timer } = this.#parts;
    const flow = this.#flow;
    const finish = this.#finishing && flow.next + length === buffer.end;
    const segment = new SentSegment(flow.next, flow.next + length + (finish ? 1 : 0), finish);
    if (flow.packetsOut === 0) congestionControl.noteTransmissionStart(now);
    this.#send(now, segment, false);
    flow.next = segment.end;
    const wasIdle = flow.packetsOut === 0;
    queue.push(segment);
    if (wasIdle || timer.cause === 'tail-probe') timer.restartRetransmission(now);
  }

  #send(now: Instant, segment: SentSegment, paces = true): void {
    const { pacing, tally } = this.#parts;
    stampForRate(now, this.#flow, segment);
    segment.sentAt = now;
    segment.transmissions++;
    const bytes = segment.end - segment.start - (segment.finish ? 1 : 0);
    if (paces) pacing.noteSent(now, { segments: 1, bytes });
    this.#flow.lastSentAt = now;
    tally.noteSent(bytes, segment.transmissions > 1);
    this.#outgoing.push(segment);
  }
}
