import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { DelayedAcknowledgment } from './delayed-acknowledgment.ts';
import { type ByteRange, ReceiveBuffer } from './receive-buffer.ts';

/** What a received segment holds of the stream, its place extended. */
export interface Arriving {
  readonly start: ByteSequence;
  readonly payload: Uint8Array;
  readonly finish: boolean;
  /** PSH: the end of what was written. */
  readonly push: boolean;
}

/** What the other direction knows, which times acknowledgments. */
export interface OwnTimes {
  readonly roundTrip: Microseconds;
  readonly timeout: Microseconds;
}

/** Linux' guess of the other's segments before any has come (`TCP_MSS_DEFAULT`). */
const SEGMENT_BYTES_INITIAL = 536;
/** Segments without data that lie outside of the window are answered this seldom (`tcp_invalid_ratelimit`). */
const INVALID_INTERVAL: Microseconds = 500_000;

/** One direction's receiver: from segments to bytes in order, and what to tell the sender of them. */
export class ReceivingHalf {
  readonly #buffer: ReceiveBuffer;
  readonly #acknowledgment: DelayedAcknowledgment;
  readonly #bytesMax: number;
  readonly #scale: number;
  #reads = true;
  #segmentBytes = SEGMENT_BYTES_INITIAL;
  /** What the last acknowledgment said: it is never taken back. */
  #acknowledged: ByteSequence;
  #windowEnd: ByteSequence;
  #gapAt: ByteSequence | undefined;
  #finishAt: ByteSequence | undefined;
  #finished = false;
  #invalidAnsweredAt: Instant = Number.NEGATIVE_INFINITY;
  readonly #readDelay: Microseconds;
  /** When the application reads what has come. */
  #readsAt: Instant | undefined;
  /** Something unread was pushed. */
  #pushed = false;

  /** @param scale by how many bits windows are shifted on the wire. */
  constructor(
    next: ByteSequence,
    bytesMax: number,
    scale: number,
    options: { readonly readDelay: Microseconds; readonly timerTick: Microseconds },
  ) {
    this.#readDelay = options.readDelay;
    this.#acknowledgment = new DelayedAcknowledgment(options.timerTick);
    this.#buffer = new ReceiveBuffer(next);
    this.#bytesMax = bytesMax;
    this.#scale = scale;
    this.#acknowledged = next;
    this.#windowEnd = next + bytesMax;
  }

  /** RCV.NXT. */
  get next(): ByteSequence {
    return this.#buffer.next;
  }

  /** RCV.NXT as of the last acknowledgment: what an echo of timestamps goes by (RFC 7323 §4.3). */
  get acknowledged(): ByteSequence {
    return this.#acknowledged;
  }

  /** The other end will send nothing more, and all of it is here. */
  get isFinished(): boolean {
    return this.#finished;
  }

  get acknowledgmentDue(): boolean {
    return this.#acknowledgment.due;
  }

  pollTimeout(): Instant | undefined {
    const { timerAt } = this.#acknowledgment;
    if (timerAt === undefined || this.#readsAt === undefined) return timerAt ?? this.#readsAt;
    return Math.min(timerAt, this.#readsAt);
  }

  handleTimeout(now: Instant): void {
    this.#acknowledgment.handleTimeout(now);
    if (this.#readsAt === undefined || this.#readsAt > now) return;
    this.#readsAt = undefined;
    // `tcp_cleanup_rbuf`: more than a segment, or the end of a write, is acknowledged by the read.
    if (this.#twoSegments || this.#pushed) this.#acknowledgment.acknowledgeNow();
  }

  acknowledgeNow(): void {
    this.#acknowledgment.acknowledgeNow();
  }

  /** Whether the application takes what comes; if not, the window closes. */
  setReading(reads: boolean): void {
    this.#reads = reads;
    if (!reads) return;
    const known = this.#windowEnd - this.#buffer.next;
    if (2 * known <= this.#bytesMax && this.#bytesMax - this.#heldAfterRead >= 2 * known) {
      this.#acknowledgment.acknowledgeNow();
    }
  }

  get hasUnread(): boolean {
    return this.#buffer.readyBytes > 0;
  }

  /** Bytes in order that the application takes now. */
  read(): Uint8Array[] {
    return this.#reads && this.#readsAt === undefined ? this.#buffer.read() : [];
  }

  /** SEG.WND as it goes on the wire; whoever asks sends it. */
  takeWindow(): number {
    const free = Math.max(this.#bytesMax - this.#buffer.bytes, 0);
    const unit = 2 ** this.#scale;
    // Too little to be worth a segment is nothing (RFC 9293 §3.8.6.2.2), and what was promised stays promised.
    const offered = free < Math.min(this.#segmentBytes, this.#bytesMax / 2) ? 0 : Math.floor(free / unit);
    const promised = Math.max(Math.ceil((this.#windowEnd - this.#buffer.next) / unit), 0);
    const window = Math.min(Math.max(offered, promised), 0xffff);
    this.#windowEnd = Math.max(this.#windowEnd, this.#buffer.next + window * unit);
    this.#acknowledged = this.#buffer.next;
    this.#pushed = false;
    this.#acknowledgment.noteSent();
    return window;
  }

  takeBlocks(count: number): ByteRange[] {
    return this.#buffer.takeBlocks(count);
  }

  /** The segment lies in the window, in part at least (RFC 9293 §3.10.7.4); if not, it was answered where it should be. */
  admits(now: Instant, start: ByteSequence, length: number): boolean {
    const isEmpty = length === 0;
    // What came before is admitted: the sender is to be told that it came twice.
    if (start <= this.#windowEnd && (!isEmpty || start >= this.#acknowledged)) return true;
    if (!isEmpty || now - this.#invalidAnsweredAt >= INVALID_INTERVAL) {
      if (isEmpty) this.#invalidAnsweredAt = now;
      this.#acknowledgment.acknowledgeNow();
    }
    return false;
  }

  accept(now: Instant, { start, payload, finish, push }: Arriving, own: OwnTimes): void {
    const end = start + payload.length;
    if (finish && end <= this.#windowEnd) this.#finishAt = end;
    const room = this.#windowEnd - start;
    const taken = payload.length > room ? payload.subarray(0, Math.max(room, 0)) : payload;
    if (payload.length > 0) {
      this.#acceptPayload(now, start, taken, push || payload.length < this.#segmentBytes, own);
      this.#segmentBytes = Math.max(this.#segmentBytes, payload.length);
    }
    if (this.#finishAt === undefined) return;
    if (!this.#finished && this.#buffer.next === this.#finishAt) {
      this.#finished = true;
      this.#buffer.skipFinish();
    }
    if (finish) this.#acknowledgment.acknowledgeNow();
  }

  #acceptPayload(now: Instant, start: ByteSequence, payload: Uint8Array, push: boolean, own: OwnTimes): void {
    if (payload.length === 0) {
      this.#acknowledgment.acknowledgeNow();
      return;
    }
    const hadGap = this.#buffer.hasGap;
    switch (this.#buffer.accept(start, payload)) {
      case 'duplicate':
        this.#acknowledgment.enterQuickMode();
        this.#acknowledgment.acknowledgeNow();
        break;
      case 'beyond-gap':
        this.#acknowledgment.noteArrival(now, own.timeout);
        this.#acknowledgeGap(now, own);
        break;
      case 'next':
        this.#acknowledgment.noteArrival(now, own.timeout);
        if (this.#buffer.hasGap) this.#acknowledgeGap(now, own);
        else if (hadGap || this.#acknowledgesUnread(push)) this.#acknowledgment.acknowledgeNow();
        else this.#acknowledgment.acknowledgeSoon(now, own.roundTrip);
        if (this.#readDelay > 0) this.#readsAt ??= now + this.#readDelay;
    }
  }

  /** Whether what came in order is acknowledged without more ado; where it waits to be read, that waits as well. */
  #acknowledgesUnread(push: boolean): boolean {
    if (this.#readDelay === 0) return this.#twoSegments || (push && this.#reads);
    this.#pushed ||= push;
    return false;
  }

  get #twoSegments(): boolean {
    return this.#buffer.next - this.#acknowledged > this.#segmentBytes;
  }

  #acknowledgeGap(now: Instant, own: OwnTimes): void {
    if (this.#buffer.next - this.#acknowledged > this.#segmentBytes) {
      this.#acknowledgment.acknowledgeNow();
    } else this.#acknowledgment.acknowledgeGap(now, this.#gapAt !== this.#buffer.next, own.roundTrip);
    this.#gapAt = this.#buffer.next;
  }

  get #heldAfterRead(): number {
    return this.#buffer.bytes - this.#buffer.readyBytes;
  }
}
