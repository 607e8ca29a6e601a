import { type Instant, instant, latest, NEVER } from '../../../protocol/base/units.ts';
import type { BottleneckOptions } from '../stages/bottleneck.ts';
import { CapacityCursor, type CapacityTrace } from '../stages/capacity-trace.ts';
import { openDiscipline } from './open-discipline.ts';
import type { DisciplineOptions, QueueDiscipline, QueuedDatagram } from './queue-discipline.ts';

export interface ManagedBottleneckOptions extends BottleneckOptions {
  readonly discipline: DisciplineOptions;
}

/** A datagram that the line sends. */
export interface Departure {
  readonly packet: QueuedDatagram;
  /** Begin of its transmission. */
  readonly at: Instant;
  /** End of its transmission. */
  readonly leavesAt: Instant;
}

/**
 * A queue under a discipline in front of a line with a constant or recorded rate. The discipline decides when the line
 * is free, so a departure is known only at its time; `Bottleneck`, which drops at the tail, knows it on arrival.
 */
export class ManagedBottleneck {
  readonly #startsAt: Instant;
  #options: ManagedBottleneckOptions;
  #discipline: QueueDiscipline;
  #capacity: CapacityTrace | undefined;
  #cursor: CapacityCursor | undefined;
  #freeAt: Instant;
  /** Begin of the next transmission; `NEVER` while nothing waits. */
  #nextAt: Instant = NEVER;
  /** Marks of earlier disciplines. */
  #markedBefore = 0;

  /** @param place.freeAt time until which the line is busy. */
  constructor(options: ManagedBottleneckOptions, place: { readonly startsAt: Instant; readonly freeAt: Instant }) {
    this.#options = options;
    this.#startsAt = place.startsAt;
    this.#freeAt = place.freeAt;
    this.#discipline = openDiscipline(options.discipline);
    this.#setCapacity(options.capacity);
  }

  /** Datagrams that wait. */
  get packets(): number {
    return this.#discipline.packets;
  }

  /** Datagrams marked so far. */
  get marked(): number {
    return this.#markedBefore + this.#discipline.marked;
  }

  /** Time until which the line is busy. */
  get freeAt(): Instant {
    return this.#freeAt;
  }

  /** Begin of the next transmission; `NEVER` while nothing waits. */
  get nextAt(): Instant {
    return this.#nextAt;
  }

  /** Replaces the parameters at `now`; the datagrams that wait move to the new discipline. */
  reconfigure(now: Instant, options: ManagedBottleneckOptions): void {
    const before = this.#options;
    this.#options = options;
    if (!sameDiscipline(before.discipline, options.discipline)) {
      const waiting = this.#discipline.takeAll();
      this.#markedBefore = this.marked;
      this.#discipline = openDiscipline(options.discipline);
      for (const packet of waiting) this.#discipline.enqueue(now, packet, false);
    }
    if (options.capacity !== this.#capacity) this.#setCapacity(options.capacity);
    if (this.#discipline.packets > 0) this.#schedule(latest(now, this.#freeAt));
  }

  /** Adds a datagram; it or others may be dropped at once. */
  enqueue(now: Instant, packet: QueuedDatagram): void {
    const wasEmpty = this.#discipline.packets === 0;
    this.#discipline.enqueue(now, packet, this.#isFull(now, packet.bytes));
    if (wasEmpty && this.#discipline.packets > 0) this.#schedule(latest(now, this.#freeAt));
    if (this.#discipline.packets === 0) this.#nextAt = NEVER;
  }

  /** Returns the next transmission that begins at or before `now`. */
  pollDeparture(now: Instant): Departure | undefined {
    const at = this.#nextAt;
    if (at > now) return undefined;
    const packet = this.#discipline.dequeue(at);
    if (packet === undefined) {
      this.#nextAt = NEVER;
      return undefined;
    }
    this.#freeAt = this.#transmit(at, packet.bytes);
    if (this.#discipline.packets > 0) this.#schedule(this.#freeAt);
    else this.#nextAt = NEVER;
    return { packet, at, leavesAt: this.#freeAt };
  }

  /** Returns the next datagram that the discipline has dropped. */
  pollDropped(): QueuedDatagram | undefined {
    return this.#discipline.dropped.shift();
  }

  /** Removes all datagrams that wait, in the order of their arrival. */
  takeAll(): QueuedDatagram[] {
    this.#nextAt = NEVER;
    return this.#discipline.takeAll();
  }

  #setCapacity(capacity: CapacityTrace | undefined): void {
    this.#capacity = capacity;
    this.#cursor = capacity && new CapacityCursor(capacity, this.#startsAt);
  }

  #schedule(free: Instant): void {
    this.#nextAt = this.#cursor ? this.#cursor.begins(free) : free;
  }

  #transmit(at: Instant, bytes: number): Instant {
    if (this.#cursor) return this.#cursor.take(bytes);
    const { rate } = this.#options;
    return rate === 0 ? at : instant(at + Math.round((bytes * 8_000_000) / rate));
  }

  /** True when a datagram that arrives at `now` exceeds one of the queue's limits. */
  #isFull(now: Instant, bytes: number): boolean {
    const { queue, queueBytes, queuePackets } = this.#options;
    const { packets, bytes: waiting } = this.#discipline;
    const beginsAt = this.#beginsAt(now, waiting);
    if (beginsAt - now > queue) return true;
    if (beginsAt <= now) return false;
    return (
      waiting + bytes > (queueBytes ?? Number.POSITIVE_INFINITY) ||
      packets >= (queuePackets ?? Number.POSITIVE_INFINITY)
    );
  }

  /** Begin of the transmission of a datagram that arrives at `now`, if the queue were served in order. */
  #beginsAt(now: Instant, waiting: number): number {
    const free = latest(now, this.#freeAt);
    if (this.#cursor) return waiting === 0 ? this.#cursor.begins(free) : this.#cursor.leftAfter(waiting);
    const { rate } = this.#options;
    return rate === 0 ? now : free + (waiting * 8_000_000) / rate;
  }
}

const sameDiscipline = (one: DisciplineOptions, other: DisciplineOptions): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
