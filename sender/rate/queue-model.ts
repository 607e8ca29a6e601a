import { type Instant, instant, later, type Microseconds, microseconds, timeFor } from '../../protocol/base/units.ts';

interface Underway {
  readonly number: number;
  readonly sentAt: Instant;
  readonly bytes: number;
}

/** Limit of datagrams in flight that are modelled one by one: 0.4 s of 200 Mb/s. */
const PACKETS_MAX = 8_192;

/**
 * The bottleneck's queue as a queue of our datagrams alone, served at a known rate, from the last one that was reported
 * (Lindley's recursion). Times are departures from the sender: the delays before and after the bottleneck are not
 * included.
 */
export class QueueModel {
  #underway: Underway[] = [];
  #head = 0;
  /** When the last reported datagram left the bottleneck. */
  #servedAt: Instant = instant(Number.NEGATIVE_INFINITY);

  onSent(now: Instant, number: number, bytes: number): void {
    this.#underway.push({ number, sentAt: now, bytes });
    if (this.#underway.length - this.#head > PACKETS_MAX) this.#head++;
  }

  /** A datagram has been reported; those before it are not under way either. @param waited in the queue. */
  onReported(number: number, sentAt: Instant, waited: Microseconds): void {
    while (this.#head < this.#underway.length && this.#underway[this.#head]!.number <= number) this.#head++;
    if (this.#head > PACKETS_MAX) {
      this.#underway = this.#underway.slice(this.#head);
      this.#head = 0;
    }
    this.#servedAt = later(sentAt, waited);
  }

  /** Departure of the oldest datagram not reported; `undefined` when there is none. */
  get oldestSentAt(): Instant | undefined {
    return this.#underway[this.#head]?.sentAt;
  }

  /**
   * Time until the queue is empty at this rate.
   * @param idleUntil no datagram has left the bottleneck after the last reported one before this time.
   */
  emptyAfter(now: Instant, rate: number, idleUntil: Instant = this.#servedAt): Microseconds {
    let servedAt = Math.max(this.#servedAt, idleUntil) as number;
    for (let index = this.#head; index < this.#underway.length; index++) {
      const { sentAt, bytes } = this.#underway[index]!;
      servedAt = Math.max(servedAt, sentAt) + timeFor(bytes, rate);
    }
    return microseconds(Math.max(0, servedAt - now));
  }
}
