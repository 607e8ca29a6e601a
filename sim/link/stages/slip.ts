import { type Instant, later, latest, type Microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { RandomStream } from '../../random.ts';

/** Reordering by places. */
export interface SlipOptions {
  /** Fraction of datagrams to move, 0 … 1. */
  readonly share: number;
  /** Places by which a datagram is moved, 1 … 1000. */
  readonly packets: number;
}

/** Longest wait for later datagrams, microseconds; then a held datagram is released. */
const WAIT_MAX: Microseconds = milliseconds(100);

interface Held<T> {
  readonly item: T;
  readonly mark: number;
  readonly arrivesAt: Instant;
  passing: number;
}

/** Reorders by places rather than by time: a selected datagram is delivered right after the k-th one behind it. */
export class Slip<T> {
  readonly #random: RandomStream;
  readonly #push: (at: Instant, item: T, mark: number) => void;
  #options: SlipOptions | undefined;
  #held: Held<T>[] = [];
  #count = 0;

  /** @param push receives each item with its time and the mark that it came with. */
  constructor(
    options: SlipOptions | undefined,
    seed: number,
    direction: string,
    push: (at: Instant, item: T, mark: number) => void,
  ) {
    this.#random = new RandomStream(seed, `${direction}/slip`);
    this.#options = options;
    this.#push = push;
  }

  /** Datagrams moved so far. */
  get count(): number {
    return this.#count;
  }

  /** Datagrams held at present. */
  get held(): number {
    return this.#held.length;
  }

  reconfigure(options: SlipOptions | undefined): void {
    this.#options = options;
  }

  /** Accepts a datagram due at `at`; `draw` is its random index. */
  take(at: Instant, draw: number, item: T, mark = 0): void {
    const { share = 0, packets = 0 } = this.#options ?? {};
    const slips = share > 0 && this.#random.chance(draw, share);
    if (!slips) this.#push(at, item, mark);
    if (this.#held.length > 0) this.#countPassing(at);
    if (!slips) return;
    this.#count++;
    this.#held.push({ item, mark, arrivesAt: at, passing: packets });
  }

  #countPassing(at: Instant): void {
    let released = 0;
    for (const held of this.#held) {
      if (--held.passing > 0) continue;
      released++;
      this.#push(latest(at, held.arrivesAt), held.item, held.mark);
    }
    if (released > 0) this.#held = this.#held.filter((held) => held.passing > 0);
  }

  /** Time at which the first held datagram is released at the latest; `undefined` when none is held. */
  get nextAt(): Instant | undefined {
    let next: Instant | undefined;
    for (const { arrivesAt } of this.#held) {
      if (next === undefined || arrivesAt + WAIT_MAX < next) next = later(arrivesAt, WAIT_MAX);
    }
    return next;
  }

  /** Releases datagrams that have waited for the maximum time. */
  expire(now: Instant): void {
    if (!this.#held.some(({ arrivesAt }) => arrivesAt + WAIT_MAX <= now)) return;
    for (const { item, mark, arrivesAt } of this.#held) {
      if (arrivesAt + WAIT_MAX <= now) this.#push(later(arrivesAt, WAIT_MAX), item, mark);
    }
    this.#held = this.#held.filter(({ arrivesAt }) => arrivesAt + WAIT_MAX > now);
  }
}
