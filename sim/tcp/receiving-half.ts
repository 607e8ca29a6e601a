import { earliest, type Instant, instant, later, type Microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import { DelayedAcknowledgment } from './delayed-acknowledgment.ts';
import { type ByteRange, ReceiveBuffer } from './receive-buffer.ts';

/** Stream content of a received segment, with its extended position. */
export interface ReceivedSegment {
  readonly start: ByteSequence;
  readonly payload: Uint8Array;
  readonly finish: boolean;
  /** PSH: the end of a write. */
  readonly push: boolean;
}

/** Timing of the opposite direction, which the acknowledgment delay depends on. */
export interface OppositeTiming {
  readonly roundTrip: Microseconds;
  readonly timeout: Microseconds;
}

/** Assumed segment size of the peer before the first data, bytes (`TCP_MSS_DEFAULT`). */
const SEGMENT_BYTES_INITIAL = 536;
/** Minimum interval between answers to out-of-window segments without data, microseconds (`tcp_invalid_ratelimit`). */
const INVALID_INTERVAL: Microseconds = milliseconds(500);

/** Receiver of one direction: turns segments into ordered bytes, and decides what to acknowledge. */
export class ReceivingHalf {
  readonly #buffer: ReceiveBuffer;
  readonly #acknowledgment: DelayedAcknowledgment;
  readonly #bytesMax: number;
  readonly #scale: number;
  #reads = true;
  #segmentBytes = SEGMENT_BYTES_INITIAL;
  /** Position of the last acknowledgment sent; never withdrawn. */
  #acknowledged: ByteSequence;
  #windowEnd: ByteSequence;
  #gapAt: ByteSequence | undefined;
  #finishAt: ByteSequence | undefined;
  #finished = false;
  #invalidAnsweredAt: Instant = instant(Number.NEGATIVE_INFINITY);
  readonly #readDelay: Microseconds;
  /** When the application reads the received data. */
  #readsAt: Instant | undefined;
  /** True when unread data ended a write (PSH). */
  #pushed = false;

  /** @param scale window scale, bits. */
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

  /** RCV.NXT as of the last acknowledgment; decides which timestamp is echoed (RFC 7323 §4.3). */
  get acknowledged(): ByteSequence {
    return this.#acknowledged;
  }

  /** True when the peer has finished and all its data has arrived. */
  get isFinished(): boolean {
    return this.#finished;
  }

  get acknowledgmentDue(): boolean {
    return this.#acknowledgment.due;
  }

  pollTimeout(): Instant | undefined {
    const { timerAt } = this.#acknowledgment;
    if (timerAt === undefined || this.#readsAt === undefined) return timerAt ?? this.#readsAt;
    return earliest(timerAt, this.#readsAt);
  }

  handleTimeout(now: Instant): void {
    this.#acknowledgment.handleTimeout(now);
    if (this.#readsAt === undefined || this.#readsAt > now) return;
    this.#readsAt = undefined;
    // `tcp_cleanup_rbuf`: a read acknowledges more than one segment, or the end of a write.
    if (this.#twoSegments || this.#pushed) this.#acknowledgment.acknowledgeNow();
  }

  acknowledgeNow(): void {
    this.#acknowledgment.acknowledgeNow();
  }

  /** Enables or disables reading; while disabled, the window closes. */
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

  /** Returns the in-order bytes that the application reads now. */
  read(): Uint8Array[] {
    return this.#reads && this.#readsAt === undefined ? this.#buffer.read() : [];
  }

  /** Returns SEG.WND for the segment about to be sent, and records it as advertised. */
  takeWindow(): number {
    const free = Math.max(this.#bytesMax - this.#buffer.bytes, 0);
    const unit = 2 ** this.#scale;
    // A window below one segment is advertised as 0 (RFC 9293 §3.8.6.2.2); an advertised window never shrinks.
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

  /**
   * Returns true when the segment is at least partly in the window (RFC 9293 §3.10.7.4). Otherwise schedules the
   * required acknowledgment.
   */
  admits(now: Instant, start: ByteSequence, length: number): boolean {
    const isEmpty = length === 0;
    // Old data is accepted, so that the sender learns of the duplicate.
    if (start <= this.#windowEnd && (!isEmpty || start >= this.#acknowledged)) return true;
    if (!isEmpty || now - this.#invalidAnsweredAt >= INVALID_INTERVAL) {
      if (isEmpty) this.#invalidAnsweredAt = now;
      this.#acknowledgment.acknowledgeNow();
    }
    return false;
  }

  accept(now: Instant, { start, payload, finish, push }: ReceivedSegment, opposite: OppositeTiming): void {
    const end = start + payload.length;
    if (finish && end <= this.#windowEnd) this.#finishAt = end;
    const room = this.#windowEnd - start;
    const taken = payload.length > room ? payload.subarray(0, Math.max(room, 0)) : payload;
    if (payload.length > 0) {
      this.#acceptPayload(now, start, taken, push || payload.length < this.#segmentBytes, opposite);
      this.#segmentBytes = Math.max(this.#segmentBytes, payload.length);
    }
    if (this.#finishAt === undefined) return;
    if (!this.#finished && this.#buffer.next === this.#finishAt) {
      this.#finished = true;
      this.#buffer.skipFinish();
    }
    if (finish) this.#acknowledgment.acknowledgeNow();
  }

  #acceptPayload(
    now: Instant,
    start: ByteSequence,
    payload: Uint8Array,
    push: boolean,
    opposite: OppositeTiming,
  ): void {
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
        this.#acknowledgment.noteArrival(now, opposite.timeout);
        this.#acknowledgeGap(now, opposite);
        break;
      case 'next':
        this.#acknowledgment.noteArrival(now, opposite.timeout);
        if (this.#buffer.hasGap) this.#acknowledgeGap(now, opposite);
        else if (hadGap || this.#acknowledgesAtOnce(push)) this.#acknowledgment.acknowledgeNow();
        else this.#acknowledgment.acknowledgeSoon(now, opposite.roundTrip);
        if (this.#readDelay > 0) this.#readsAt ??= later(now, this.#readDelay);
    }
  }

  /**
   * Returns true when in-order data is acknowledged at once. With a read delay, the acknowledgment waits for the read.
   */
  #acknowledgesAtOnce(push: boolean): boolean {
    if (this.#readDelay === 0) return this.#twoSegments || (push && this.#reads);
    this.#pushed ||= push;
    return false;
  }

  get #twoSegments(): boolean {
    return this.#buffer.next - this.#acknowledged > this.#segmentBytes;
  }

  #acknowledgeGap(now: Instant, opposite: OppositeTiming): void {
    if (this.#buffer.next - this.#acknowledged > this.#segmentBytes) {
      this.#acknowledgment.acknowledgeNow();
    } else this.#acknowledgment.acknowledgeGap(now, this.#gapAt !== this.#buffer.next, opposite.roundTrip);
    this.#gapAt = this.#buffer.next;
  }

  get #heldAfterRead(): number {
    return this.#buffer.bytes - this.#buffer.readyBytes;
  }
}
