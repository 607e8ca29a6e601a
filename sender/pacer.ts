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
   * Datagrams that leave at once, 1 or more. A frame of at most this many leaves in one piece, a larger one in groups
   * of this size. A group may be half as large again when that saves the last group, so that a frame slightly too long
   * does not end much later.
   */
  readonly burstDatagrams: number;
  /** Queue limit in bytes; a frame that does not fit is refused as a whole. */
  readonly queueBytesMax: number;
}

/** Share of the frame interval over which a frame is spread; the rest absorbs late timers. */
const SPREAD = 0.8;
/** Shortest interval between small groups; the same as in WebRTC's pacer. */
const GROUP_INTERVAL_MIN: Microseconds = milliseconds(5);
/**
 * Largest group, 48 kB; reached in streams above 75 Mb/s, where this many datagrams take less than the interval above.
 */
const GROUP_DATAGRAMS_MAX = 40;
/** A timer later than this counts as a stalled process; its backlog is paced again instead of leaving as one burst. */
const CATCH_UP_MAX: Microseconds = milliseconds(20);

/**
 * Schedules the departure of datagrams. A small frame leaves at once. A large one (a key frame) leaves in groups spread
 * evenly over its frame interval, so that no queue on the path has to hold all of it. Groups save wake-ups and system
 * calls, which cost the same for one datagram as for sixteen.
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

  /** True when a frame of this size fits into the queue; an empty queue accepts any frame. */
  accepts(bytes: number): boolean {
    return this.#queuedBytes === 0 || this.#queuedBytes + bytes <= this.#options.queueBytesMax;
  }

  /** @param rate capacity of the path in bytes per second, when it is limited. */
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

  /** Sends datagrams singly when that takes no more wake-ups than the groups of a large frame. */
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
