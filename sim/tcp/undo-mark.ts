import type { AcknowledgmentNews } from './acknowledgment.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { CongestionControl } from './congestion-control.ts';
import type { Flow } from './flow.ts';
import type { Rack } from './rack.ts';
import type { ByteRange } from './receive-buffer.ts';
import type { RetransmissionQueue } from './retransmission-queue.ts';

/**
 * State to restore when a reduction proves spurious: an echoed timestamp shows that the original arrived (Eifel, RFC
 * 3522), or all retransmissions are reported as duplicates (RFC 3708).
 */
export class UndoMark {
  readonly #flow: Flow;
  readonly #queue: RetransmissionQueue;
  readonly #rack: Rack;
  readonly #congestionControl: CongestionControl;
  #marker: ByteSequence | undefined;
  /** Retransmissions not yet reported as duplicates; `undefined` when there were none. */
  #retransmissions: number | undefined;
  /** Time of the episode's first retransmission, milliseconds. */
  #firstAt: number | undefined;
  #priorThreshold = 0;
  #undone = 0;

  constructor(flow: Flow, queue: RetransmissionQueue, rack: Rack, congestionControl: CongestionControl) {
    this.#flow = flow;
    this.#queue = queue;
    this.#rack = rack;
    this.#congestionControl = congestionControl;
  }

  /** Number of undone reductions. */
  get undone(): number {
    return this.#undone;
  }

  get isMarked(): boolean {
    return this.#marker !== undefined;
  }

  get anyRetransmission(): boolean {
    const { head } = this.#queue;
    return this.#flow.retransmittedOut > 0 || (head !== undefined && head.transmissions > 1);
  }

  begin(): void {
    this.#marker = this.#flow.unacknowledged;
    this.#retransmissions = this.#flow.retransmittedOut > 0 ? this.#flow.retransmittedOut : undefined;
  }

  rememberThreshold(): void {
    this.#priorThreshold = this.#flow.currentThreshold;
  }

  noteRetransmission(milliseconds: number): void {
    this.#firstAt ??= milliseconds;
    this.#retransmissions = (this.#retransmissions ?? 0) + 1;
  }

  /** Notes a D-SACK block of a retransmission. */
  noteDuplicate(block: ByteRange, priorUnacknowledged: ByteSequence): void {
    if (this.#marker === undefined || this.#retransmissions === undefined || this.#retransmissions === 0) return;
    if (block.end > priorUnacknowledged || block.end <= this.#marker) return;
    this.#retransmissions--;
  }

  forgetRetransmissions(): void {
    this.#firstAt = undefined;
  }

  isPossible(news: AcknowledgmentNews): boolean {
    return this.#marker !== undefined && (this.#retransmissions === 0 || this.#originalArrived(news));
  }

  undoByDuplicates(): boolean {
    if (this.#marker === undefined || this.#retransmissions !== 0) return false;
    this.apply(false);
    return true;
  }

  /** During recovery: stops retransmitting, and restores the window once no retransmission is in flight. */
  undoPartially(news: AcknowledgmentNews): boolean {
    if (this.#marker === undefined || !this.#originalArrived(news)) return false;
    // The gap was filled by the original segment, so this is reordering.
    this.#flow.noteReordering(news.priorUnacknowledged);
    if (this.#flow.retransmittedOut > 0) return true;
    if (!this.anyRetransmission) this.#firstAt = undefined;
    this.apply(true);
    return true;
  }

  apply(unmarksLoss: boolean): void {
    const flow = this.#flow;
    if (unmarksLoss) this.#queue.unmarkAll();
    if (this.#priorThreshold > 0) {
      flow.congestionWindow = this.#congestionControl.windowBeforeLoss();
      flow.slowStartThreshold = Math.max(flow.slowStartThreshold, this.#priorThreshold);
    }
    this.#marker = undefined;
    this.#rack.restart();
    this.#undone++;
  }

  #originalArrived({ echo }: AcknowledgmentNews): boolean {
    return this.#firstAt !== undefined && echo !== undefined && echo < this.#firstAt;
  }
}
