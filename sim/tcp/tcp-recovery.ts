import { type Instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import type { AcknowledgmentNews } from './acknowledgment.ts';
import type { CongestionControl } from './congestion-control.ts';
import { type Flow, isRecovering, type RecoveryState, THRESHOLD_INFINITE } from './flow.ts';
import type { Rack } from './rack.ts';
import type { RateSample } from './rate-sample.ts';
import type { RetransmissionQueue } from './retransmission-queue.ts';
import { UndoMark } from './undo-mark.ts';

/** Transmissions after an acknowledgment, beyond the usual new data: none, lost segments, or new data first (F-RTO). */
export type RecoveryOrder = 'nothing' | 'lost' | 'new';

/**
 * State machine of loss recovery (RFC 6675, RFC 5681 §3.2, F-RTO RFC 5682), following `tcp_fastretrans_alert`, with
 * proportional rate reduction (RFC 6937, RFC 9937).
 */
export class TcpRecovery {
  readonly #flow: Flow;
  readonly #queue: RetransmissionQueue;
  readonly #rack: Rack;
  readonly #congestionControl: CongestionControl;
  readonly undo: UndoMark;
  #reductionDelivered = 0;
  #reductionSent = 0;
  /** True while the timeout may have been spurious; new data will decide (F-RTO). */
  #timeoutMayBeSpurious = false;
  #reorderingWait: Microseconds = microseconds(0);

  constructor(flow: Flow, queue: RetransmissionQueue, rack: Rack, congestionControl: CongestionControl) {
    this.#flow = flow;
    this.#queue = queue;
    this.#rack = rack;
    this.#congestionControl = congestionControl;
    this.undo = new UndoMark(flow, queue, rack, congestionControl);
  }

  /** Returns the time until suspected losses are confirmed, microseconds, and clears it; 0: none. */
  takeReorderingWait(): Microseconds {
    const wait = this.#reorderingWait;
    this.#reorderingWait = microseconds(0);
    return wait;
  }

  handle(now: Instant, news: AcknowledgmentNews): RecoveryOrder {
    const flow = this.#flow;
    if (flow.state === 'open') this.undo.forgetRetransmissions();
    else if (flow.unacknowledged >= flow.highSequence) this.#endEpisode(now, news);
    switch (flow.state) {
      case 'recovery':
        if (news.advanced && this.undo.undoPartially(news)) {
          this.#keepOpen(now);
          return 'nothing';
        }
        if (this.undo.undoByDuplicates()) this.#tryOpen(now);
        this.#identifyLoss(now, news);
        // The recovery was undone; confirmed losses start another one.
        if (isRecovering(flow.state)) return 'lost';
        if (flow.lostOut === 0) return 'nothing';
        this.enterRecovery(now);
        return 'lost';
      case 'loss': {
        const order = this.#handleInLoss(now, news);
        this.#identifyLoss(now, news);
        if (!((flow.state as RecoveryState) === 'open' || news.retransmissionLost)) return order;
        break;
      }
      default:
        if (flow.state !== 'reduction') this.undo.undoByDuplicates();
        this.#identifyLoss(now, news);
    }
    if (flow.lostOut === 0) {
      this.#tryOpen(now);
      return 'nothing';
    }
    this.enterRecovery(now);
    return 'lost';
  }

  enterRecovery(now: Instant): void {
    this.undo.begin();
    if (!this.#flow.inReduction) {
      this.undo.rememberThreshold();
      this.beginReduction();
    }
    this.#setState(now, 'recovery');
  }

  /**
   * Handles a retransmission timeout: segments not transmitted recently are marked lost (RFC 5681 §3.1, RFC 8985 §6.3).
   */
  enterLoss(now: Instant, timeouts: number): void {
    const flow = this.#flow;
    const isNew = !isRecovering(flow.state);
    const head = this.#queue.head;
    for (const segment of this.#queue.between(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)) {
      if (segment !== head && this.#rack.remaining(now, segment, microseconds(0)) > 0) continue;
      this.#queue.markLost(segment);
    }
    const open = flow.state === 'open' || flow.state === 'disorder';
    // Reduce once per window of data; a further timeout in the same window does not reduce again.
    if (open || flow.highSequence <= flow.unacknowledged || (flow.state === 'loss' && timeouts === 0)) {
      this.undo.rememberThreshold();
      flow.priorWindow = flow.congestionWindow;
      flow.slowStartThreshold = this.#congestionControl.thresholdAfterLoss();
      this.undo.begin();
    }
    flow.congestionWindow = flow.inFlight + 1;
    flow.windowCount = 0;
    this.#setState(now, 'loss');
    flow.highSequence = flow.next;
    this.#timeoutMayBeSpurious = isNew || timeouts > 0;
  }

  /** Reduces the window once for a loss that only the tail loss probe repaired (RFC 8985 §7.4.2). */
  reduceForProbe(now: Instant): void {
    this.beginReduction();
    this.#setState(now, 'reduction');
    this.#endReduction();
    this.#keepOpen(now);
  }

  beginReduction(): void {
    const flow = this.#flow;
    flow.highSequence = flow.next;
    flow.windowCount = 0;
    flow.priorWindow = flow.congestionWindow;
    this.#reductionDelivered = 0;
    this.#reductionSent = 0;
    flow.slowStartThreshold = this.#congestionControl.thresholdAfterLoss();
  }

  noteSent(segments: number): void {
    if (this.#flow.inReduction) this.#reductionSent += segments;
  }

  /** Sets the window after an acknowledgment: by BBR, by proportional reduction, or by growth. */
  setWindow(now: Instant, news: AcknowledgmentNews, sample: RateSample): void {
    const flow = this.#flow;
    if (this.#congestionControl.ownsWindow) this.#congestionControl.control(now, sample);
    else if (flow.inReduction) this.reduce(sample.acknowledged, sample.losses, news.advanced);
    else if (news.acknowledged || (flow.reorderingSeen && news.sacked)) {
      this.#congestionControl.grow(now, sample.acknowledged);
    }
  }

  /** Proportional rate reduction (RFC 6937 §3). */
  reduce(acknowledged: number, losses: number, advanced: boolean): void {
    const flow = this.#flow;
    if (acknowledged <= 0 || flow.priorWindow === 0) return;
    this.#reductionDelivered += acknowledged;
    const room = flow.slowStartThreshold - flow.inFlight;
    let send: number;
    if (room < 0) {
      send = Math.ceil((flow.slowStartThreshold * this.#reductionDelivered) / flow.priorWindow) - this.#reductionSent;
    } else {
      send = Math.max(this.#reductionDelivered - this.#reductionSent, acknowledged);
      if (advanced && losses === 0) send++;
      send = Math.min(room, send);
    }
    flow.congestionWindow = flow.inFlight + Math.max(send, this.#reductionSent > 0 ? 0 : 1);
  }

  #handleInLoss(now: Instant, news: AcknowledgmentNews): RecoveryOrder {
    const flow = this.#flow;
    const recovered = flow.unacknowledged >= flow.highSequence;
    if (news.advanced && this.#undoLoss(now, news, false)) return 'nothing';
    if (this.#timeoutMayBeSpurious) {
      // RFC 5682 step 3.b: an original transmission has arrived, so the timeout was spurious.
      if (news.originalArrived && this.#undoLoss(now, news, true)) return 'nothing';
      if (flow.next > flow.highSequence) {
        if (news.sacked || !news.advanced) this.#timeoutMayBeSpurious = false;
      } else if (news.advanced && !recovered) {
        flow.highSequence = flow.next;
        return 'new';
      }
    }
    if (recovered) {
      this.#undoRecovery(now, news);
      return 'nothing';
    }
    return 'lost';
  }

  /** Ends F-RTO because no new data could be sent. */
  endDoubt(): void {
    this.#timeoutMayBeSpurious = false;
  }

  #undoLoss(now: Instant, news: AcknowledgmentNews, certain: boolean): boolean {
    if (!certain && !this.undo.isPossible(news)) return false;
    this.undo.apply(true);
    this.#setState(now, 'open');
    return true;
  }

  #endEpisode(now: Instant, news: AcknowledgmentNews): void {
    const flow = this.#flow;
    if (flow.state === 'reduction' && flow.unacknowledged !== flow.highSequence) {
      this.#endReduction();
      this.#setState(now, 'open');
    } else if (flow.state === 'recovery') {
      this.#undoRecovery(now, news);
      this.#endReduction('recovery');
    }
  }

  #undoRecovery(now: Instant, news: AcknowledgmentNews): void {
    if (this.undo.isPossible(news)) this.undo.apply(false);
    else this.#rack.noteRecoveryEnded();
    this.#setState(now, 'open');
  }

  #endReduction(state: RecoveryState = this.#flow.state): void {
    const flow = this.#flow;
    if (this.#congestionControl.ownsWindow || flow.slowStartThreshold >= THRESHOLD_INFINITE) return;
    if (state === 'reduction' || this.undo.isMarked) flow.congestionWindow = flow.slowStartThreshold;
  }

  #tryOpen(now: Instant): void {
    if (!this.undo.anyRetransmission) this.undo.forgetRetransmissions();
    if (this.#flow.state !== 'reduction') this.#keepOpen(now);
  }

  #keepOpen(now: Instant): void {
    const flow = this.#flow;
    const disordered = flow.sackedOut + flow.lostOut > 0 || this.undo.anyRetransmission;
    const state = disordered ? 'disorder' : 'open';
    if (flow.state === state) return;
    this.#setState(now, state);
    flow.highSequence = flow.next;
  }

  #identifyLoss(now: Instant, news: AcknowledgmentNews): void {
    if (this.#queue.head === undefined) return;
    const before = this.#flow.retransmittedOut;
    const wait = this.#rack.detectAfterDelivery(now);
    if (wait > 0) {
      this.#reorderingWait = wait;
      news.restartsTimer = false;
    }
    if (this.#flow.retransmittedOut < before) news.retransmissionLost = true;
  }

  #setState(now: Instant, state: RecoveryState): void {
    if (this.#flow.state === state) return;
    this.#flow.state = state;
    this.#congestionControl.noteState(now, state);
  }
}
