import type { Instant, Microseconds } from '../../../protocol/base/instant.ts';
import { RandomStream } from '../../random.ts';

export interface SlipOptions {
  /** Share of datagrams that slip back, 0 … 1. */
  readonly share: number;
  /** Behind how many that were sent later, 1 … 1000. */
  readonly packets: number;
}

/** One behind which nothing comes any more arrives so much late: no datagram waits for ever. */
const WAIT_MAX: Microseconds = 100_000;

interface Held<T> {
  readonly item: T;
  readonly arrivesAt: Instant;
  passing: number;
}

/**
 * Reordering by places and not by time: a chosen datagram arrives right behind the k-th that came after it. Those that
 * are held at once are never more than k.
 */
export class Slip<T> {
  readonly #random: RandomStream;
  readonly #push: (at: Instant, item: T) => void;
  #options: SlipOptions | undefined;
  #held: Held<T>[] = [];
  #count = 0;

  constructor(options: SlipOptions | undefined, seed: number, direction: string, push: (at: Instant, item: T) => void) {
    this.#random = new RandomStream(seed, `${direction}/slip`);
    this.#options = options;
    this.#push = push;
  }

  /** Datagrams that slipped so far. */
  get count(): number {
    return this.#count;
  }

  /** Datagrams that wait to be passed. */
  get held(): number {
    return this.#held.length;
  }

  reconfigure(options: SlipOptions | undefined): void {
    this.#options = options;
  }

  /** Takes what would arrive at `at`; `draw` numbers what is carried. */
  take(at: Instant, draw: number, item: T): void {
    const { share = 0, packets = 0 } = this.#options ?? {};
    const slips = share > 0 && this.#random.chance(draw, share);
    if (!slips) this.#push(at, item);
    if (this.#held.length > 0) this.#letPass(at);
    if (!slips) return;
    this.#count++;
    this.#held.push({ item, arrivesAt: at, passing: packets });
  }

  #letPass(at: Instant): void {
    let released = 0;
    for (const held of this.#held) {
      if (--held.passing > 0) continue;
      released++;
      this.#push(Math.max(at, held.arrivesAt), held.item);
    }
    if (released > 0) this.#held = this.#held.filter((held) => held.passing > 0);
  }

  /** When the first that nobody passes any more is let go; `undefined`: none waits. */
  get nextAt(): Instant | undefined {
    let next: Instant | undefined;
    for (const { arrivesAt } of this.#held) {
      if (next === undefined || arrivesAt + WAIT_MAX < next) next = arrivesAt + WAIT_MAX;
    }
    return next;
  }

  /** Lets go whoever has waited too long. */
  expire(now: Instant): void {
    if (!this.#held.some(({ arrivesAt }) => arrivesAt + WAIT_MAX <= now)) return;
    for (const { item, arrivesAt } of this.#held) {
      if (arrivesAt + WAIT_MAX <= now) this.#push(arrivesAt + WAIT_MAX, item);
    }
    this.#held = this.#held.filter(({ arrivesAt }) => arrivesAt + WAIT_MAX > now);
  }
}
