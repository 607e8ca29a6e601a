import {
  type Instant,
  type Microseconds,
  microseconds,
  milliseconds,
  perSecond,
  seconds,
} from '../../protocol/base/units.ts';
import type { PacketReport } from './rate-controller.ts';

/** Time over which gaps are added up, once or twice. */
const SLOT: Microseconds = seconds(1);
/** Datagrams that left within this time are of one frame; a frame's packets leave faster than this. */
const TOGETHER: Microseconds = milliseconds(6);
/** Fewest gaps of each kind that say something. */
const GAPS_MIN = 12;

/** A datagram that waited in the queue. */
type Waited = Pick<PacketReport, 'sentAt' | 'bytes'> & { readonly arrivedAt: Microseconds };

/** Gaps between successive datagrams of ours, added up. */
interface Gaps {
  readonly count: number;
  readonly bytes: number;
  /** Time between their departures from us, and between their arrivals. */
  readonly in: number;
  readonly out: number;
}

const NONE: Gaps = { count: 0, bytes: 0, in: 0, out: 0 };

const plus = (one: Gaps, other: Gaps): Gaps => ({
  count: one.count + other.count,
  bytes: one.bytes + other.bytes,
  in: one.in + other.in,
  out: one.out + other.out,
});

/**
 * Rate of other traffic through a bottleneck with a standing queue. Between two datagrams of ours that both waited, it served
 * the second one and all that others sent between the two: out = bytes/C + X/C · in, C the capacity and X the others'
 * rate. Gaps within a frame and between frames make two equations of this. A queue of ours alone has gaps that do not
 * depend on when the datagrams left, so X = 0. (Nimbus, SIGCOMM '22 §3.1, estimates the same from rates.)
 */
export class CompetingTraffic {
  #before: Waited | undefined;
  /** Gaps within frames and between them, of the slot before and of the current one. */
  #slots: [older: readonly [Gaps, Gaps], newer: readonly [Gaps, Gaps]] = [
    [NONE, NONE],
    [NONE, NONE],
  ];
  #slotFrom: Instant | undefined;

  /** Records the next datagram that waited, in the order of departure. */
  onWaited(now: Instant, packet: Waited): void {
    const before = this.#before;
    this.#before = packet;
    if (before === undefined || packet.arrivedAt < before.arrivedAt) return;
    this.#advance(now);
    const gap = packet.sentAt - before.sentAt;
    const added = { count: 1, bytes: packet.bytes, in: gap, out: packet.arrivedAt - before.arrivedAt };
    const [older, [within, between]] = this.#slots;
    this.#slots = [older, gap < TOGETHER ? [plus(within, added), between] : [within, plus(between, added)]];
  }

  /** The queue was empty: the next gap is not the bottleneck's. */
  interrupt(): void {
    this.#before = undefined;
  }

  /**
   * Share of the bottleneck that others take, 0 … 1, and its capacity, bytes per second; `undefined` while too little is
   * known.
   */
  get estimate(): { readonly share: number; readonly capacity: number } | undefined {
    const [older, newer] = this.#slots;
    const within = plus(older[0], newer[0]);
    const between = plus(older[1], newer[1]);
    if (within.count < GAPS_MIN || between.count < GAPS_MIN) return undefined;
    const determinant = within.bytes * between.in - between.bytes * within.in;
    if (determinant <= 0) return undefined;
    const perByte = (within.out * between.in - between.out * within.in) / determinant;
    const share = (within.bytes * between.out - between.bytes * within.out) / determinant;
    if (perByte <= 0 || share <= 0) return { share: 0, capacity: perSecond(between.bytes, microseconds(between.out)) };
    return { share: Math.min(1, share), capacity: perSecond(1, microseconds(perByte)) };
  }

  #advance(now: Instant): void {
    this.#slotFrom ??= now;
    if (now - this.#slotFrom < SLOT) return;
    const isRecent = now - this.#slotFrom < 2 * SLOT;
    this.#slots = [isRecent ? this.#slots[1] : [NONE, NONE], [NONE, NONE]];
    this.#slotFrom = now;
  }
}
