import {
  earliest,
  elapsed,
  type Instant,
  instant,
  later,
  latest,
  type Microseconds,
  microseconds,
  NEVER,
} from '../../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import { UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { RandomStream } from '../random.ts';
import { CROSS_FLOW, CrossTraffic } from './cross-traffic.ts';
import { type DatagramContext, markOf } from './datagram-context.ts';
import type { DatagramFate, DecidedFate, LinkOutcome } from './datagram-fate.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { LinkCounters, LinkStageCounters } from './link-counters.ts';
import type { LinkOptions } from './link-options.ts';
import type { CrossTrafficKind, LinkSpecification } from './link-specification.ts';
import { LossProcess } from './loss-process.ts';
import { NetemQueue } from './netem/netem-queue.ts';
import { type Departure, ManagedBottleneck } from './queue/managed-bottleneck.ts';
import type { QueuedDatagram } from './queue/queue-discipline.ts';
import { Bottleneck } from './stages/bottleneck.ts';
import { Corruption } from './stages/corruption.ts';
import { Outages } from './stages/outages.ts';
import { Propagation } from './stages/propagation.ts';
import { Slip } from './stages/slip.ts';

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
  readonly #headerBytes: number;
  readonly #reports: 'queued' | 'all' | undefined;
  readonly #outcomes: LinkOutcome[] = [];
  /** Queue under a discipline, in place of the tail-drop bottleneck. */
  #managed: ManagedBottleneck | undefined;
  /** Traffic of others, from the first datagram on. */
  #cross: CrossTraffic | undefined;
  #crossOptions: CrossTrafficKind | undefined;
  readonly #isForward: boolean;
  #crossQueued = 0;
  #delay: Microseconds = microseconds(0);
  // Copied from the specification because they are read for each datagram.
  #losesFirst = false;
  #duplicateShare = 0;
  #hasOutages = false;
  /** True once reordering has been enabled; stays true, because datagrams may still be held. */
  #slips = false;
  #index = 0;
  #deliveredMark = 0;
  /** Datagrams marked by a managed bottleneck that was replaced. */
  #markedBefore = 0;
  #changesMade = 0;
  #nextChangeAt: Instant;
  #lostInOutages = 0;
  #counters = { offered: 0, offeredBytes: 0, delivered: 0, deliveredBytes: 0, lost: 0, overflowed: 0, duplicated: 0 };

  /** @param direction names the random streams, for example `forward` or `back`. */
  constructor(
    link: LinkSpecification,
    direction: string,
    { startsAt = instant(0), headerBytes = UDP_IP_HEADER_BYTES, reports }: LinkOptions = {},
  ) {
    this.#specification = link;
    this.#startsAt = startsAt;
    this.#headerBytes = headerBytes;
    this.#reports = reports;
    this.#isForward = direction === 'forward';
    this.#netem = link.netem && new NetemQueue(link.netem, link.seed, direction);
    this.#bottleneck = new Bottleneck(link, startsAt);
    this.#loss = new LossProcess(link, direction);
    this.#outages = new Outages(link.outages);
    this.#duplicate = new RandomStream(link.seed, `${direction}/duplicate`);
    this.#propagation = new Propagation(link, link.seed, direction, startsAt);
    this.#slip = new Slip(link.slip, link.seed, direction, (at, datagram, mark) =>
      this.#queue.push(at, datagram, mark),
    );
    this.#corruption = new Corruption(link.corrupt, link.seed, direction);
    this.#nextChangeAt = this.#changeAt(0);
    this.#keep(link);
    this.#manage(startsAt, link);
  }

  get counters(): LinkCounters {
    const corrupted = this.#netem?.corrupted ?? this.#corruption.count;
    return { ...this.#counters, corrupted, inFlight: this.#inFlight };
  }

  get stageCounters(): LinkStageCounters {
    const lostInOutages = this.#lostInOutages;
    return {
      lostByLoss: this.#counters.lost - lostInOutages,
      lostInOutages,
      slipped: this.#slip.count,
      marked: this.#markedBefore + (this.#managed?.marked ?? 0),
    };
  }

  /** ECN bits of the datagram that `pollDelivery` returned last. */
  get deliveredEcn(): Ecn {
    return (this.#deliveredMark & 3) as Ecn;
  }

  /** Flow of the datagram that `pollDelivery` returned last. */
  get deliveredFlow(): number {
    return this.#deliveredMark >>> 2;
  }

  send(now: Instant, datagram: Uint8Array, context?: DatagramContext): DatagramFate {
    this.#counters.offered++;
    this.#counters.offeredBytes += datagram.length;
    if (this.#netem) return this.#sendThroughNetem(this.#netem, now, datagram, context);
    this.#advance(now);
    if (this.#crossOptions) this.#cross ??= new CrossTraffic(this.#crossOptions, this.#specification.seed, now);
    const index = this.#index++;
    if (this.#managed) return this.#enqueue(this.#managed, now, this.#packet(now, index, datagram, context));
    const fate = this.#pass(now, index, datagram, context);
    if (this.#reports === 'all') {
      const at = fate === 'overflowed' ? now : latest(now, this.#bottleneck.begunAt);
      this.#report(at, this.#packet(now, index, datagram, context), fate);
    }
    return fate;
  }

  #pass(now: Instant, index: number, datagram: Uint8Array, context: DatagramContext | undefined): DecidedFate {
    const mark = context === undefined ? 0 : markOf(context);
    const bytes = datagram.length + (context?.headerBytes ?? this.#headerBytes);
    if (this.#losesFirst) {
      if (this.#isLost(now, context?.frame)) return 'lost';
      const leavesAt = this.#passBottleneck(now, bytes);
      return leavesAt === undefined ? 'overflowed' : this.#carry(leavesAt, index, datagram, mark);
    }
    const leavesAt = this.#passBottleneck(now, bytes);
    if (leavesAt === undefined) {
      // Overflowed datagrams advance the loss process too, so a full queue does not shift later losses.
      this.#loss.next(elapsed(this.#startsAt, now), context?.frame);
      return 'overflowed';
    }
    if (this.#isLost(leavesAt, context?.frame)) return 'lost';
    return this.#carry(leavesAt, index, datagram, mark);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    if (this.#managed || this.#cross) this.#advance(now);
    if (this.#slips) this.#slip.expire(now);
    const queue = this.#netem ?? this.#queue;
    const datagram = queue.pop(now);
    if (datagram) {
      this.#deliveredMark = queue.mark;
      this.#counters.delivered++;
      this.#counters.deliveredBytes += datagram.length;
    }
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    if (this.#netem) return this.#netem.nextAt;
    const next = this.#managed || this.#cross ? this.#nextEvent() : this.#queue.nextAt;
    if (!this.#slips || this.#slip.held === 0) return next;
    return instant(Math.min(next ?? Number.POSITIVE_INFINITY, this.#slip.nextAt ?? Number.POSITIVE_INFINITY));
  }

  /**
   * Replaces the parameters from `now` on. Datagrams under way keep their delivery times; the seed and the random
   * streams continue; datagrams that wait under a queue discipline follow the new parameters. `netem` and `changes` of
   * the new link are ignored.
   */
  reconfigure(now: Instant, link: LinkSpecification): void {
    if (this.#managed || this.#cross) this.#advance(now);
    this.#apply(now, link);
  }

  /** Returns the next outcome of a datagram that was to be reported, in the order of the decisions. */
  pollOutcome(): LinkOutcome | undefined {
    return this.#outcomes.shift();
  }

  #apply(now: Instant, link: LinkSpecification): void {
    this.#keep(link);
    this.#bottleneck.reconfigure(link);
    this.#manage(now, link);
    this.#loss.reconfigure(link, elapsed(this.#startsAt, now));
    this.#outages.reconfigure(link.outages);
    this.#propagation.reconfigure(link);
    this.#slip.reconfigure(link.slip);
    this.#corruption.reconfigure(link.corrupt);
  }

  #keep({ lossPosition, duplicate, outages, slip, delay, cross }: LinkSpecification): void {
    this.#delay = delay;
    this.#crossOptions = this.#isForward ? cross : undefined;
    if (!this.#cross?.isOf(this.#crossOptions)) this.#cross = undefined;
    this.#losesFirst = lossPosition === 'pre';
    this.#duplicateShare = duplicate;
    this.#hasOutages = outages !== undefined;
    this.#slips ||= slip !== undefined;
  }

  get #inFlight(): number {
    if (this.#netem) return this.#netem.length;
    return this.#queue.length + this.#slip.held + (this.#managed?.packets ?? 0) - this.#crossQueued;
  }

  #passBottleneck(now: Instant, bytes: number): Instant | undefined {
    const leavesAt = this.#bottleneck.pass(now, bytes);
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

  #carry(leavesAt: Instant, index: number, datagram: Uint8Array, mark: number): DecidedFate {
    this.#deliver(leavesAt, 2 * index, this.#corruption.pass(index, 'original', datagram), mark);
    if (this.#duplicateShare === 0 || !this.#duplicate.chance(index, this.#duplicateShare)) return 'carried';
    this.#counters.duplicated++;
    this.#deliver(leavesAt, 2 * index + 1, this.#corruption.pass(index, 'copy', datagram), mark);
    return 'duplicated';
  }

  #deliver(leavesAt: Instant, draw: number, datagram: Uint8Array, mark: number): void {
    const at = this.#propagation.arrives(leavesAt, draw);
    if (this.#slips) this.#slip.take(at, draw, datagram, mark);
    else this.#queue.push(at, datagram, mark);
  }

  #sendThroughNetem(
    netem: NetemQueue,
    now: Instant,
    datagram: Uint8Array,
    context: DatagramContext | undefined,
  ): DatagramFate {
    const mark = context === undefined ? 0 : markOf(context);
    const { carried, lost, overflowed, duplicated } = netem.push(now, datagram, mark);
    this.#counters.lost += lost;
    this.#counters.overflowed += overflowed;
    this.#counters.duplicated += duplicated;
    const fate = carried === 2 ? 'duplicated' : carried === 1 ? 'carried' : overflowed > 0 ? 'overflowed' : 'lost';
    if (this.#reports === 'all') this.#report(now, this.#packet(now, 0, datagram, context), fate);
    return fate;
  }

  #packet(now: Instant, index: number, datagram: Uint8Array, context: DatagramContext | undefined): QueuedDatagram {
    const { frame, flow = 0, ecn = NOT_ECT, headerBytes = this.#headerBytes } = context ?? {};
    return { datagram, index, bytes: datagram.length + headerBytes, flow, ecn, arrivedAt: now, frame };
  }

  /** Makes the changes of the link and the departures of a managed bottleneck up to `now`, in order of time. */
  #advance(now: Instant): void {
    for (;;) {
      const departsAt = this.#managed?.nextAt ?? NEVER;
      const crossAt = this.#cross?.nextAt ?? NEVER;
      const at = Math.min(this.#nextChangeAt, departsAt, crossAt);
      if (at > now || at === NEVER) return;
      if (this.#nextChangeAt === at) this.#makeNextChange();
      else if (crossAt === at) this.#runCross(this.#cross!, crossAt);
      else this.#depart(this.#managed!, departsAt);
    }
  }

  #depart(managed: ManagedBottleneck, now: Instant): void {
    const departure = managed.pollDeparture(now);
    this.#takeDropped(managed, now);
    if (departure) this.#carryOn(departure);
  }

  /** Lets the traffic of others act. It has no random loss, so that it does not shift that of the link's callers. */
  #runCross(cross: CrossTraffic, now: Instant): void {
    for (const datagram of cross.run(now, this.#delay)) {
      const packet = this.#packet(now, 0, datagram, { flow: CROSS_FLOW, headerBytes: cross.headerBytes });
      const leavesAt = this.#managed ? undefined : this.#bottleneck.pass(now, packet.bytes);
      if (leavesAt !== undefined) cross.arrive(later(leavesAt, this.#delay), datagram);
      if (!this.#managed) continue;
      this.#crossQueued++;
      this.#managed.enqueue(now, packet);
      this.#takeDropped(this.#managed, now);
    }
  }

  #carryOn({ packet, at, leavesAt }: Departure): void {
    if (packet.flow === CROSS_FLOW) {
      this.#crossQueued--;
      return this.#cross?.arrive(later(leavesAt, this.#delay), packet.datagram);
    }
    const { datagram, index, frame } = packet;
    const isLost = !this.#losesFirst && this.#isLost(leavesAt, frame);
    this.#report(at, packet, isLost ? 'lost' : this.#carry(leavesAt, index, datagram, markOf(packet)));
  }

  #enqueue(managed: ManagedBottleneck, now: Instant, packet: QueuedDatagram): DatagramFate {
    let fate: DatagramFate = 'queued';
    if (this.#losesFirst && this.#isLost(now, packet.frame)) fate = 'lost';
    else if (this.#inFlight >= IN_FLIGHT_MAX) {
      this.#counters.overflowed++;
      fate = 'overflowed';
    } else {
      managed.enqueue(now, packet);
      if (this.#takeDropped(managed, now, packet)) fate = 'overflowed';
    }
    if (fate !== 'queued' && this.#reports === 'all') this.#report(now, packet, fate);
    this.#advance(now);
    return fate;
  }

  /** Counts and reports what the discipline has dropped. @returns true when `sent`, which is not reported, is among it. */
  #takeDropped(managed: ManagedBottleneck, now: Instant, sent?: QueuedDatagram): boolean {
    let isDropped = false;
    for (let packet = managed.pollDropped(); packet; packet = managed.pollDropped()) {
      if (packet.flow === CROSS_FLOW) {
        this.#crossQueued--;
        continue;
      }
      this.#counters.overflowed++;
      // Dropped datagrams advance the loss process too, as at a full queue.
      if (!this.#losesFirst) this.#loss.next(elapsed(this.#startsAt, now), packet.frame);
      if (packet === sent) isDropped = true;
      else this.#report(now, packet, 'overflowed');
    }
    return isDropped;
  }

  /** @param at begin of its transmission, or the time at which it was dropped. */
  #report(at: Instant, { datagram, flow, ecn, bytes, arrivedAt }: QueuedDatagram, fate: DecidedFate): void {
    if (this.#reports === undefined) return;
    this.#outcomes.push({ at, datagram, flow, ecn, bytes, waited: elapsed(arrivedAt, at), fate });
  }

  /** Time of the next departure, delivery or, while datagrams wait, change. */
  #nextEvent(): Instant | undefined {
    const changeAt = this.#cross || this.#managed?.packets ? this.#nextChangeAt : NEVER;
    const line = earliest(this.#managed?.nextAt ?? NEVER, this.#cross?.nextAt ?? NEVER);
    const next = earliest(earliest(line, changeAt), this.#queue.nextAt ?? NEVER);
    return next === NEVER ? undefined : next;
  }

  /** Begins, changes or ends the management of the bottleneck by a queue discipline. */
  #manage(now: Instant, link: LinkSpecification): void {
    const { discipline } = link;
    const managed = this.#managed;
    if (discipline && managed) managed.reconfigure(now, { ...link, discipline });
    else if (discipline) {
      const place = { startsAt: this.#startsAt, freeAt: this.#bottleneck.freeAt };
      this.#managed = new ManagedBottleneck({ ...link, discipline }, place);
    } else if (managed) {
      this.#managed = undefined;
      this.#markedBefore += managed.marked;
      this.#bottleneck.occupyUntil(managed.freeAt);
      for (const packet of managed.takeAll()) this.#passOn(now, packet);
    }
  }

  /** Sends a datagram that waited under a discipline through the tail-drop bottleneck. */
  #passOn(now: Instant, packet: QueuedDatagram): void {
    const leavesAt = this.#passBottleneck(now, packet.bytes);
    if (leavesAt === undefined) this.#report(now, packet, 'overflowed');
    else this.#carryOn({ packet, at: latest(now, this.#bottleneck.begunAt), leavesAt });
  }

  #makeNextChange(): void {
    const change = this.#specification.changes![this.#changesMade++]!;
    this.#apply(later(this.#startsAt, change.at), change.link);
    this.#nextChangeAt = this.#changeAt(this.#changesMade);
  }

  #changeAt(number: number): Instant {
    const change: { readonly at: Microseconds } | undefined = this.#specification.changes?.[number];
    return change ? later(this.#startsAt, change.at) : NEVER;
  }
}
