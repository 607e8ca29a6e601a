import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  SECOND,
} from '../protocol/base/units.ts';

export interface PacerOptions {
  /**
   * Datagrams that leave at once, 1 or more. A frame of no more goes in one piece, a larger one in groups of so many;
   * up to half as many again where that spares a group, since what is a little too long should not end a lot later.
   */
  readonly burstDatagrams: number;
  /** Most that may wait, in bytes; a frame that does not fit is refused as a whole. */
  readonly queueBytesMax: number;
}

/** The share of the frame interval over which a frame is spread; the rest absorbs timers that fire late. */
const SPREAD = 0.8;
/** Groups follow each other no faster than this while they are small; WebRTC's pacer has the same. */
const GROUP_INTERVAL_MIN: Microseconds = milliseconds(5);
/** The largest group: 48 kB, in a stream so fast (above 75 Mb/s) that this many take less than the interval above. */
const GROUP_DATAGRAMS_MAX = 40;
/** A timer that fires later than this is a stalled process; its backlog is paced again rather than sent in a heap. */
const CATCH_UP_MAX: Microseconds = milliseconds(20);

/**
 * When each datagram leaves. A small frame leaves at once; the groups of a large one (a keyframe) are spread evenly
 * over its frame interval, so that no queue on the path has to swallow it whole. Groups, because each wake-up and each
 * system call costs the same whether it sends one datagram or sixteen.
 */
export class Pacer<T extends { readonly length: number }> {
  readonly #options: PacerOptions;
  #queue: T[] = [];
  #head = 0;
  #queuedBytes = 0;
  #nextAt: Instant = instant(0);
  #groupDatagrams = 1;
  #groupInterval: Microseconds = microseconds(0);
  #groupLeft = 0;

  constructor(options: PacerOptions) {
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get queuedDatagrams(): number {
    return this.#queue.length - this.#head;
  }

  /** Whether a frame of that many bytes may still be queued; an empty queue takes any frame. */
  accepts(bytes: number): boolean {
    return this.#queuedBytes === 0 || this.#queuedBytes + bytes <= this.#options.queueBytesMax;
  }

  /** @param rate bytes a second that the path carries, if it is known to carry no more. */
  enqueue(now: Instant, datagrams: readonly T[], frameInterval: Microseconds, rate?: number): void {
    if (this.#head > 0) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    const idle = this.#queue.length === 0;
    for (const datagram of datagrams) {
      this.#queue.push(datagram);
      this.#queuedBytes += datagram.length;
    }
    if (rate === undefined) this.#spread(microseconds(frameInterval * SPREAD));
    else this.#keepTo(rate);
    if (!idle) return;
    this.#groupLeft = this.#groupDatagrams;
    this.#nextAt = now;
  }

  #spread(span: Microseconds): void {
    const { burstDatagrams } = this.#options;
    const groups = Math.min(Math.round(this.#queue.length / burstDatagrams), Math.floor(span / GROUP_INTERVAL_MIN));
    const even = Math.ceil(this.#queue.length / Math.max(1, groups));
    this.#groupDatagrams = Math.max(burstDatagrams, Math.min(even, GROUP_DATAGRAMS_MAX));
    this.#groupInterval = microseconds(span / Math.ceil(this.#queue.length / this.#groupDatagrams));
  }

  /** Single datagrams where that takes no more wake-ups than a large frame's groups. */
  #keepTo(rate: number): void {
    const each = (this.#queuedBytes / this.#queue.length / rate) * SECOND;
    this.#groupDatagrams = Math.min(GROUP_DATAGRAMS_MAX, Math.max(1, Math.floor(GROUP_INTERVAL_MIN / each)));
    this.#groupInterval = microseconds(each * this.#groupDatagrams);
  }

  poll(now: Instant): T | undefined {
    if (this.#head === this.#queue.length || now < this.#nextAt) return undefined;
    const datagram = this.#queue[this.#head]!;
    this.#head++;
    this.#queuedBytes -= datagram.length;
    if (--this.#groupLeft <= 0) {
      this.#groupLeft = this.#groupDatagrams;
      this.#nextAt = instant(Math.max(this.#nextAt + this.#groupInterval, now - CATCH_UP_MAX));
    }
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#head === this.#queue.length ? undefined : instant(Math.ceil(this.#nextAt));
  }
}
