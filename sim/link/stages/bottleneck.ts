import { type Instant, instant, latest, type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import { CapacityCursor, type CapacityTrace } from './capacity-trace.ts';

export interface BottleneckOptions {
  /** Bits per second; 0: unlimited, without queueing. */
  readonly rate: number;
  /** Recorded capacity, used instead of `rate`. */
  readonly capacity?: CapacityTrace;
  /** Longest queueing delay, microseconds; a datagram that would wait longer is dropped (tail drop). */
  readonly queue: Microseconds;
  /** Queue limit in bytes, headers included. The datagram in transmission does not count. */
  readonly queueBytes?: number;
  /** Queue limit in datagrams, without the one in transmission. */
  readonly queuePackets?: number;
}

/** A tail-drop queue in front of a line with a constant or recorded rate. */
export class Bottleneck {
  readonly #startsAt: Instant;
  #rate = 0;
  #capacity: CapacityTrace | undefined;
  #cursor: CapacityCursor | undefined;
  #queueTime: Microseconds = microseconds(0);
  #queueBytes = Number.POSITIVE_INFINITY;
  #queuePackets = Number.POSITIVE_INFINITY;
  #hasSizeLimit = false;
  #freeAt: Instant = instant(0);
  #begunAt: Instant = instant(0);
  readonly #waiting = new WaitingDatagrams();

  /** @param startsAt zero point of the recorded capacity's time. */
  constructor(options: BottleneckOptions, startsAt: Instant) {
    this.#startsAt = startsAt;
    this.reconfigure(options);
  }

  /** Begin of the transmission of the datagram that passed last. */
  get begunAt(): Instant {
    return this.#begunAt;
  }

  /** Time until which the line is busy. */
  get freeAt(): Instant {
    return this.#freeAt;
  }

  /** Keeps the line busy until `at`. */
  occupyUntil(at: Instant): void {
    this.#freeAt = latest(this.#freeAt, at);
  }

  /** Replaces the parameters. Datagrams already queued keep their departure times. */
  reconfigure({ rate, capacity, queue, queueBytes, queuePackets }: BottleneckOptions): void {
    this.#rate = rate;
    if (capacity !== this.#capacity) this.#cursor = capacity && new CapacityCursor(capacity, this.#startsAt);
    this.#capacity = capacity;
    this.#queueTime = queue;
    this.#queueBytes = queueBytes ?? Number.POSITIVE_INFINITY;
    this.#queuePackets = queuePackets ?? Number.POSITIVE_INFINITY;
    this.#hasSizeLimit = queueBytes !== undefined || queuePackets !== undefined;
  }

  /** Returns when a datagram has left the line; `undefined` when the queue is full. @param bytes headers included. */
  pass(now: Instant, bytes: number): Instant | undefined {
    if (this.#rate === 0 && !this.#cursor) return now;
    const free = latest(now, this.#freeAt);
    const beginsAt = instant(this.#cursor ? this.#cursor.begins(free) : free);
    if (beginsAt - now > this.#queueTime) return undefined;
    if (this.#hasSizeLimit && !this.#waiting.admits(now, beginsAt, bytes, this.#queueBytes, this.#queuePackets)) {
      return undefined;
    }
    this.#begunAt = beginsAt;
    this.#freeAt = this.#cursor
      ? this.#cursor.take(bytes)
      : instant(beginsAt + Math.round((bytes * 8_000_000) / this.#rate));
    return this.#freeAt;
  }
}

/** Queued datagrams in arrival order. */
class WaitingDatagrams {
  #begins: Instant[] = [];
  #sizes: number[] = [];
  #first = 0;
  #bytes = 0;

  /**
   * Returns whether the queue has room for one more datagram, and adds it. A datagram that is sent at once needs no
   * room.
   */
  admits(now: Instant, beginsAt: Instant, bytes: number, bytesMax: number, packetsMax: number): boolean {
    this.#removeStarted(now);
    if (beginsAt <= now) return true;
    if (this.#bytes + bytes > bytesMax || this.#begins.length - this.#first >= packetsMax) return false;
    this.#begins.push(beginsAt);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    return true;
  }

  /** Removes datagrams whose transmission has begun. */
  #removeStarted(now: Instant): void {
    while (this.#first < this.#begins.length && this.#begins[this.#first]! <= now) {
      this.#bytes -= this.#sizes[this.#first++]!;
    }
    if (this.#first < 64 || this.#first * 2 < this.#begins.length) return;
    this.#begins = this.#begins.slice(this.#first);
    this.#sizes = this.#sizes.slice(this.#first);
    this.#first = 0;
  }
}
