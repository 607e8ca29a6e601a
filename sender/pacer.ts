import type { Instant, Microseconds } from '../protocol/instant.ts';

export interface PacerOptions {
  /** Datagrams of a frame that leave at once; only what is beyond them is spread. */
  readonly burstDatagrams: number;
  /** Most that may wait, in bytes; a frame that does not fit is refused as a whole. */
  readonly queueBytesMax: number;
}

/** The share of the frame interval over which a burst is spread; the rest absorbs timers that fire late. */
const SPREAD = 0.8;
/** A timer that fires later than this is a stalled process; its backlog is paced again rather than sent in a heap. */
const CATCH_UP_MAX: Microseconds = 20_000;

/**
 * When each datagram leaves. A small frame leaves at once; what a large one (a keyframe) has beyond the burst is
 * spread evenly over its frame interval, so that no queue on the path has to swallow it whole.
 */
export class Pacer<T extends { readonly length: number }> {
  readonly #options: PacerOptions;
  #queue: T[] = [];
  #head = 0;
  #queuedBytes = 0;
  #nextAt: Instant = 0;
  #spacing: Microseconds = 0;
  #burstLeft = 0;

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

  enqueue(now: Instant, datagrams: readonly T[], frameInterval: Microseconds): void {
    if (this.#head > 0) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (this.#queue.length === 0) {
      this.#burstLeft = this.#options.burstDatagrams;
      this.#nextAt = now;
    }
    for (const datagram of datagrams) {
      this.#queue.push(datagram);
      this.#queuedBytes += datagram.length;
    }
    const beyondBurst = Math.max(1, this.#queue.length - this.#burstLeft);
    this.#spacing = (frameInterval * SPREAD) / beyondBurst;
  }

  poll(now: Instant): T | undefined {
    if (this.#head === this.#queue.length || now < this.#nextAt) return undefined;
    const datagram = this.#queue[this.#head]!;
    this.#head++;
    this.#queuedBytes -= datagram.length;
    if (this.#burstLeft > 0) this.#burstLeft--;
    else this.#nextAt = Math.max(this.#nextAt + this.#spacing, now - CATCH_UP_MAX);
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#head === this.#queue.length ? undefined : Math.ceil(this.#nextAt);
  }
}
