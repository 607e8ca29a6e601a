import type { Instant, Microseconds } from '../../../protocol/base/instant.ts';
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
  readonly #headerBytes: number;
  #rate = 0;
  #capacity: CapacityTrace | undefined;
  #cursor: CapacityCursor | undefined;
  #queueTime: Microseconds = 0;
  #queueBytes = Number.POSITIVE_INFINITY;
  #queuePackets = Number.POSITIVE_INFINITY;
  #counts = false;
  #freeAt: Instant = 0;
  readonly #waiting = new Waiting();

  /** @param place.headerBytes what is carried beside each payload. */
  constructor(options: BottleneckOptions, place: { readonly startsAt: Instant; readonly headerBytes: number }) {
    this.#startsAt = place.startsAt;
    this.#headerBytes = place.headerBytes;
    this.reconfigure(options);
  }

  /** From now on these; what waits already leaves when it would have left. */
  reconfigure({ rate, capacity, queue, queueBytes, queuePackets }: BottleneckOptions): void {
    this.#rate = rate;
    if (capacity !== this.#capacity) this.#cursor = capacity && new CapacityCursor(capacity, this.#startsAt);
    this.#capacity = capacity;
    this.#queueTime = queue;
    this.#queueBytes = queueBytes ?? Number.POSITIVE_INFINITY;
    this.#queuePackets = queuePackets ?? Number.POSITIVE_INFINITY;
    this.#counts = queueBytes !== undefined || queuePackets !== undefined;
  }

  /** When a datagram of so many bytes has left the line; `undefined`: the queue is full. */
  pass(now: Instant, payloadBytes: number): Instant | undefined {
    if (this.#rate === 0 && !this.#cursor) return now;
    const bytes = payloadBytes + this.#headerBytes;
    const free = Math.max(now, this.#freeAt);
    const beginsAt = this.#cursor ? this.#cursor.begins(free) : free;
    if (beginsAt - now > this.#queueTime) return undefined;
    if (this.#counts && !this.#waiting.admits(now, beginsAt, bytes, this.#queueBytes, this.#queuePackets)) {
      return undefined;
    }
    this.#freeAt = this.#cursor ? this.#cursor.take(bytes) : beginsAt + Math.round((bytes * 8_000_000) / this.#rate);
    return this.#freeAt;
  }
}

/** What waits for its turn, in the order of its coming. */
class Waiting {
  #begins: Instant[] = [];
  #sizes: number[] = [];
  #first = 0;
  #bytes = 0;

  /** Whether there is room for one more, which then takes it. What begins at once takes none. */
  admits(now: Instant, beginsAt: Instant, bytes: number, bytesMax: number, packetsMax: number): boolean {
    this.#forget(now);
    if (beginsAt <= now) return true;
    if (this.#bytes + bytes > bytesMax || this.#begins.length - this.#first >= packetsMax) return false;
    this.#begins.push(beginsAt);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    return true;
  }

  /** What has begun to leave does not wait any more. */
  #forget(now: Instant): void {
    while (this.#first < this.#begins.length && this.#begins[this.#first]! <= now) {
      this.#bytes -= this.#sizes[this.#first++]!;
    }
    if (this.#first < 64 || this.#first * 2 < this.#begins.length) return;
    this.#begins = this.#begins.slice(this.#first);
    this.#sizes = this.#sizes.slice(this.#first);
    this.#first = 0;
  }
}
