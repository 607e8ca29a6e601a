import type { Instant, Microseconds } from '../../protocol/instant.ts';
import { CapacityCursor, type CapacityTrace } from './capacity-trace.ts';

/** IPv4 and UDP headers, which the bottleneck carries as well (RFC 791 §3.1, RFC 768). */
export const HEADER_BYTES = 28;

export interface BottleneckOptions {
  /** Bits a second; 0: as fast as may be, and nothing waits. */
  readonly rate: number;
  /** A recorded capacity instead of a rate. */
  readonly capacity?: CapacityTrace;
  /** The tail is dropped where it would wait longer than this, microseconds. */
  readonly queue: Microseconds;
  /** … or where so many bytes, headers counted, would wait for their turn; what is being sent does not wait. */
  readonly queueBytes?: number;
  /** … or so many datagrams. */
  readonly queuePackets?: number;
}

/** A queue that drops at its tail, and behind it a line with a rate, constant or recorded. */
export class Bottleneck {
  readonly #startsAt: Instant;
  #options: BottleneckOptions;
  #cursor: CapacityCursor | undefined;
  #freeAt: Instant = 0;
  readonly #waiting = new Waiting();

  constructor(options: BottleneckOptions, startsAt: Instant) {
    this.#startsAt = startsAt;
    this.#options = options;
    this.#cursor = options.capacity && new CapacityCursor(options.capacity, startsAt);
  }

  /** From now on these; what waits already leaves when it would have left. */
  reconfigure(options: BottleneckOptions): void {
    if (options.capacity !== this.#options.capacity) {
      this.#cursor = options.capacity && new CapacityCursor(options.capacity, this.#startsAt);
    }
    this.#options = options;
  }

  /** When a datagram of so many bytes has left the line; `undefined`: the queue is full. */
  pass(now: Instant, payloadBytes: number): Instant | undefined {
    const { rate, queue, queueBytes, queuePackets } = this.#options;
    if (rate === 0 && !this.#cursor) return now;
    const bytes = payloadBytes + HEADER_BYTES;
    const free = now > this.#freeAt ? now : this.#freeAt;
    const beginsAt = this.#cursor ? this.#cursor.begins(free) : free;
    if (beginsAt - now > queue) return undefined;
    if (queueBytes !== undefined || queuePackets !== undefined) {
      this.#waiting.forget(now);
      if (beginsAt > now) {
        if (queueBytes !== undefined && this.#waiting.bytes + bytes > queueBytes) return undefined;
        if (queuePackets !== undefined && this.#waiting.length >= queuePackets) return undefined;
        this.#waiting.add(beginsAt, bytes);
      }
    }
    this.#freeAt = this.#cursor ? this.#cursor.take(bytes) : beginsAt + Math.round((bytes * 8_000_000) / rate);
    return this.#freeAt;
  }
}

/** What waits for its turn, in the order of its coming. */
class Waiting {
  #begins: Instant[] = [];
  #sizes: number[] = [];
  #first = 0;
  bytes = 0;

  get length(): number {
    return this.#begins.length - this.#first;
  }

  add(beginsAt: Instant, bytes: number): void {
    this.#begins.push(beginsAt);
    this.#sizes.push(bytes);
    this.bytes += bytes;
  }

  /** What has begun to leave does not wait any more. */
  forget(now: Instant): void {
    while (this.#first < this.#begins.length && this.#begins[this.#first]! <= now) {
      this.bytes -= this.#sizes[this.#first++]!;
    }
    if (this.#first < 64 || this.#first * 2 < this.#begins.length) return;
    this.#begins = this.#begins.slice(this.#first);
    this.#sizes = this.#sizes.slice(this.#first);
    this.#first = 0;
  }
}
