import type { Instant } from '../protocol/instant.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { LinkSpecification } from './link-specification.ts';
import { LossProcess } from './loss-process.ts';
import { RandomStream } from './random.ts';

/** What happened on one direction of a link so far. `offered + duplicated = delivered + lost + overflowed + inFlight`. */
export interface LinkCounters {
  readonly offered: number;
  readonly offeredBytes: number;
  readonly delivered: number;
  readonly deliveredBytes: number;
  readonly lost: number;
  readonly overflowed: number;
  readonly duplicated: number;
  readonly corrupted: number;
  readonly inFlight: number;
}

/** What becomes of a datagram that was sent: it is on its way, once or twice, or it was dropped, and by what. */
export type Fate = 'carried' | 'duplicated' | 'lost' | 'overflowed';

/** IPv4 and UDP headers, which the bottleneck carries as well (RFC 791 §3.1, RFC 768). */
const HEADER_BYTES = 28;
/** More than ten seconds of a gigabit a second in flight is a mistake, not a path: the memory of a link is bounded. */
const IN_FLIGHT_MAX = 1_000_000;

/**
 * One direction of an impaired path on any clock: datagrams go in with `send` and come out of `pollDelivery` when
 * their time has come. Every random choice is drawn from its own stream by the datagram's number, so the same seed
 * gives the same fates whatever else is switched on.
 */
export class Link {
  readonly #link: LinkSpecification;
  readonly #headerBytes: number;
  readonly #loss: LossProcess;
  readonly #jitter: RandomStream;
  readonly #duplicate: RandomStream;
  readonly #corrupt: RandomStream;
  readonly #queue = new DeliveryQueue<Uint8Array>();
  #index = 0;
  #bottleneckFreeAt: Instant = 0;
  #lastDeliveryAt: Instant = 0;
  #counters = { offered: 0, offeredBytes: 0, delivered: 0, deliveredBytes: 0, lost: 0, overflowed: 0, duplicated: 0 };
  #corrupted = 0;

  /**
   * @param direction names the random streams, such as `forward` or `back`.
   * @param headerBytes what the bottleneck carries beside each datagram; 0 where whole IP packets are sent.
   */
  constructor(link: LinkSpecification, direction: string, { headerBytes = HEADER_BYTES } = {}) {
    this.#link = link;
    this.#headerBytes = headerBytes;
    this.#loss = new LossProcess(link, direction);
    this.#jitter = new RandomStream(link.seed, `${direction}/jitter`);
    this.#duplicate = new RandomStream(link.seed, `${direction}/duplicate`);
    this.#corrupt = new RandomStream(link.seed, `${direction}/corrupt`);
  }

  get counters(): LinkCounters {
    return { ...this.#counters, corrupted: this.#corrupted, inFlight: this.#queue.length };
  }

  send(now: Instant, datagram: Uint8Array): Fate {
    const index = this.#index++;
    this.#counters.offered++;
    this.#counters.offeredBytes += datagram.length;
    const lost = this.#loss.next();
    const leavesAt = this.#serialize(now, datagram.length);
    if (leavesAt === undefined || this.#queue.length >= IN_FLIGHT_MAX) {
      this.#counters.overflowed++;
      return 'overflowed';
    }
    if (lost) {
      this.#counters.lost++;
      return 'lost';
    }
    const arriving = this.#afterCorruption(index, datagram);
    this.#deliver(leavesAt, 2 * index, arriving);
    if (this.#link.duplicate === 0 || !this.#duplicate.chance(index, this.#link.duplicate)) return 'carried';
    this.#counters.duplicated++;
    this.#deliver(leavesAt, 2 * index + 1, arriving);
    return 'duplicated';
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    const datagram = this.#queue.pop(now);
    if (datagram) {
      this.#counters.delivered++;
      this.#counters.deliveredBytes += datagram.length;
    }
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#queue.nextAt;
  }

  /** When the datagram has left the bottleneck; `undefined`: the queue before it is full. */
  #serialize(now: Instant, bytes: number): Instant | undefined {
    if (this.#link.rate === 0) return now;
    const startsAt = Math.max(now, this.#bottleneckFreeAt);
    if (startsAt - now > this.#link.queue) return undefined;
    const leavesAt = startsAt + Math.round(((bytes + this.#headerBytes) * 8_000_000) / this.#link.rate);
    this.#bottleneckFreeAt = leavesAt;
    return leavesAt;
  }

  #deliver(leavesAt: Instant, draw: number, datagram: Uint8Array): void {
    const jitter = this.#link.jitter > 0 ? (this.#jitter.uint32(draw) * this.#link.jitter) / 0x1_0000_0000 : 0;
    let at = leavesAt + Math.round(this.#link.delay + jitter);
    if (this.#link.order === 'kept') at = Math.max(at, this.#lastDeliveryAt);
    this.#lastDeliveryAt = at;
    this.#queue.push(at, datagram);
  }

  #afterCorruption(index: number, datagram: Uint8Array): Uint8Array {
    if (this.#link.corrupt === 0 || datagram.length === 0) return datagram;
    if (!this.#corrupt.chance(2 * index, this.#link.corrupt)) return datagram;
    const bit = this.#corrupt.uint32(2 * index + 1) % (datagram.length * 8);
    const copy = datagram.slice();
    copy[bit >> 3]! ^= 1 << (bit & 7);
    this.#corrupted++;
    return copy;
  }
}
