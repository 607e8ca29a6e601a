import { elapsed, type Instant, instant, later, type Microseconds, NEVER } from '../../protocol/base/units.ts';
import { RandomStream } from '../random.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { LinkSpecification } from './link-specification.ts';
import { LossProcess } from './loss-process.ts';
import { NetemQueue } from './netem/netem-queue.ts';
import { Bottleneck, HEADER_BYTES } from './stages/bottleneck.ts';
import { Corruption } from './stages/corruption.ts';
import { Outages } from './stages/outages.ts';
import { Propagation } from './stages/propagation.ts';
import { Slip } from './stages/slip.ts';

/** Totals of one direction of a link. Invariant: `offered + duplicated = delivered + lost + overflowed + inFlight`. */
export interface LinkCounters {
  readonly offered: number;
  readonly offeredBytes: number;
  readonly delivered: number;
  readonly deliveredBytes: number;
  /** Dropped by the loss stage or in an outage. */
  readonly lost: number;
  readonly overflowed: number;
  readonly duplicated: number;
  readonly corrupted: number;
  readonly inFlight: number;
}

/** Breakdown of some of the counters by stage. */
export interface LinkStageCounters {
  /** Dropped by the loss stage. */
  readonly lostByLoss: number;
  /** Dropped in an outage; `lostByLoss + lostInOutages = lost`. */
  readonly lostInOutages: number;
  /** Moved behind later datagrams. */
  readonly slipped: number;
}

/** Result of sending a datagram: under way (once or twice), or dropped by the loss stage or by the queue. */
export type DatagramFate = 'carried' | 'duplicated' | 'lost' | 'overflowed';

export interface LinkOptions {
  /** Zero point of the link's own time: an event at 10 s happens 10 s later. Virtual clocks begin at 0. */
  readonly startsAt?: Instant;
  /**
   * Header bytes that the bottleneck carries with each datagram: 28 for IPv4 and UDP; 0 when whole IP packets are sent.
   */
  readonly headerBytes?: number;
}

/** Properties of a datagram that a loss model may use. */
export interface DatagramContext {
  /** Number of the frame that the datagram belongs to, ascending; used by loss models that step per frame. */
  readonly frame?: number;
}

/** Bounds the memory of a link: ten seconds at one gigabit per second. */
const IN_FLIGHT_MAX = 1_000_000;

/**
 * One direction of an impaired path, driven by any clock. `send` accepts a datagram; `pollDelivery` returns it when it
 * is due. Each random decision comes from the stream of its own stage, indexed by datagram number, so the same seed
 * gives the same fates whichever other stages are enabled.
 */
export class Link {
  readonly #specification: LinkSpecification;
  readonly #startsAt: Instant;
  readonly #netem: NetemQueue | undefined;
  readonly #bottleneck: Bottleneck;
  readonly #loss: LossProcess;
  readonly #outages: Outages;
  readonly #duplicate: RandomStream;
  readonly #propagation: Propagation;
  readonly #slip: Slip<Uint8Array>;
  readonly #corruption: Corruption;
  readonly #queue = new DeliveryQueue<Uint8Array>();
  // Copied from the specification because they are read for each datagram.
  #losesFirst = false;
  #duplicateShare = 0;
  #hasOutages = false;
  /** True once reordering has been enabled; stays true, because datagrams may still be held. */
  #slips = false;
  #index = 0;
  #changesMade = 0;
  #nextChangeAt: Instant;
  #lostInOutages = 0;
  #counters = { offered: 0, offeredBytes: 0, delivered: 0, deliveredBytes: 0, lost: 0, overflowed: 0, duplicated: 0 };

  /** @param direction names the random streams, for example `forward` or `back`. */
  constructor(
    link: LinkSpecification,
    direction: string,
    { startsAt = instant(0), headerBytes = HEADER_BYTES }: LinkOptions = {},
  ) {
    this.#specification = link;
    this.#startsAt = startsAt;
    this.#netem = link.netem && new NetemQueue(link.netem, link.seed, direction);
    this.#bottleneck = new Bottleneck(link, { startsAt, headerBytes });
    this.#loss = new LossProcess(link, direction);
    this.#outages = new Outages(link.outages);
    this.#duplicate = new RandomStream(link.seed, `${direction}/duplicate`);
    this.#propagation = new Propagation(link, link.seed, direction);
    this.#slip = new Slip(link.slip, link.seed, direction, (at, datagram) => this.#queue.push(at, datagram));
    this.#corruption = new Corruption(link.corrupt, link.seed, direction);
    this.#nextChangeAt = this.#changeAt(0);
    this.#keep(link);
  }

  get counters(): LinkCounters {
    const corrupted = this.#netem?.corrupted ?? this.#corruption.count;
    return { ...this.#counters, corrupted, inFlight: this.#inFlight };
  }

  get stageCounters(): LinkStageCounters {
    const lostInOutages = this.#lostInOutages;
    return { lostByLoss: this.#counters.lost - lostInOutages, lostInOutages, slipped: this.#slip.count };
  }

  send(now: Instant, datagram: Uint8Array, context?: DatagramContext): DatagramFate {
    this.#counters.offered++;
    this.#counters.offeredBytes += datagram.length;
    if (this.#netem) return this.#sendThroughNetem(this.#netem, now, datagram);
    while (now >= this.#nextChangeAt) this.#makeNextChange();
    const index = this.#index++;
    if (this.#losesFirst) {
      if (this.#isLost(now, context?.frame)) return 'lost';
      const leavesAt = this.#passBottleneck(now, datagram);
      return leavesAt === undefined ? 'overflowed' : this.#carry(leavesAt, index, datagram);
    }
    const leavesAt = this.#passBottleneck(now, datagram);
    if (leavesAt === undefined) {
      // Overflowed datagrams advance the loss process too, so a full queue does not shift later losses.
      this.#loss.next(elapsed(this.#startsAt, now), context?.frame);
      return 'overflowed';
    }
    if (this.#isLost(leavesAt, context?.frame)) return 'lost';
    return this.#carry(leavesAt, index, datagram);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    if (this.#slips) this.#slip.expire(now);
    const datagram = this.#netem ? this.#netem.pop(now) : this.#queue.pop(now);
    if (datagram) {
      this.#counters.delivered++;
      this.#counters.deliveredBytes += datagram.length;
    }
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    if (this.#netem) return this.#netem.nextAt;
    const next = this.#queue.nextAt;
    if (!this.#slips || this.#slip.held === 0) return next;
    return instant(Math.min(next ?? Number.POSITIVE_INFINITY, this.#slip.nextAt ?? Number.POSITIVE_INFINITY));
  }

  /**
   * Replaces the parameters from `now` on. Datagrams under way keep their delivery times; the seed and the random
   * streams continue. `netem` and `changes` of the new link are ignored.
   */
  reconfigure(now: Instant, link: LinkSpecification): void {
    this.#keep(link);
    this.#bottleneck.reconfigure(link);
    this.#loss.reconfigure(link, elapsed(this.#startsAt, now));
    this.#outages.reconfigure(link.outages);
    this.#propagation.reconfigure(link);
    this.#slip.reconfigure(link.slip);
    this.#corruption.reconfigure(link.corrupt);
  }

  #keep({ lossPosition, duplicate, outages, slip }: LinkSpecification): void {
    this.#losesFirst = lossPosition === 'pre';
    this.#duplicateShare = duplicate;
    this.#hasOutages = outages !== undefined;
    this.#slips ||= slip !== undefined;
  }

  get #inFlight(): number {
    return this.#netem ? this.#netem.length : this.#queue.length + this.#slip.held;
  }

  #passBottleneck(now: Instant, datagram: Uint8Array): Instant | undefined {
    const leavesAt = this.#bottleneck.pass(now, datagram.length);
    if (leavesAt !== undefined && this.#queue.length < IN_FLIGHT_MAX) return leavesAt;
    this.#counters.overflowed++;
    return undefined;
  }

  #isLost(at: Instant, frame: number | undefined): boolean {
    const time = elapsed(this.#startsAt, at);
    const lost = this.#loss.next(time, frame);
    const away = this.#hasOutages && this.#outages.covers(time);
    if (!lost && !away) return false;
    if (!lost) this.#lostInOutages++;
    this.#counters.lost++;
    return true;
  }

  #carry(leavesAt: Instant, index: number, datagram: Uint8Array): DatagramFate {
    this.#deliver(leavesAt, 2 * index, this.#corruption.pass(index, 'original', datagram));
    if (this.#duplicateShare === 0 || !this.#duplicate.chance(index, this.#duplicateShare)) return 'carried';
    this.#counters.duplicated++;
    this.#deliver(leavesAt, 2 * index + 1, this.#corruption.pass(index, 'copy', datagram));
    return 'duplicated';
  }

  #deliver(leavesAt: Instant, draw: number, datagram: Uint8Array): void {
    const at = this.#propagation.arrives(leavesAt, draw);
    if (this.#slips) this.#slip.take(at, draw, datagram);
    else this.#queue.push(at, datagram);
  }

  #sendThroughNetem(netem: NetemQueue, now: Instant, datagram: Uint8Array): DatagramFate {
    const { carried, lost, overflowed, duplicated } = netem.push(now, datagram);
    this.#counters.lost += lost;
    this.#counters.overflowed += overflowed;
    this.#counters.duplicated += duplicated;
    if (carried === 2) return 'duplicated';
    if (carried === 1) return 'carried';
    return overflowed > 0 ? 'overflowed' : 'lost';
  }

  #makeNextChange(): void {
    const change = this.#specification.changes![this.#changesMade++]!;
    this.reconfigure(later(this.#startsAt, change.at), change.link);
    this.#nextChangeAt = this.#changeAt(this.#changesMade);
  }

  #changeAt(number: number): Instant {
    const change: { readonly at: Microseconds } | undefined = this.#specification.changes?.[number];
    return change ? later(this.#startsAt, change.at) : NEVER;
  }
}
