import { now } from '../../io/os/clock.ts';
import { assert } from '../../protocol/base/assert.ts';
import type { Histogram } from '../../protocol/base/histogram.ts';
import type { Instant } from '../../protocol/base/instant.ts';
import type { Direction } from '../../sim/direction.ts';
import { type Fate, Link, type LinkCounters } from '../../sim/link/link.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { ByteBudget } from './byte-budget.ts';

export interface RelayDirectionOptions {
  readonly link: LinkSpecification;
  /** Names the random streams. */
  readonly direction: Direction;
  /** What the bottleneck carries beside each datagram, bytes; the headers of IPv4 and UDP unless told. */
  readonly headerBytes?: number;
  /** What may wait on this and all other directions of the relay together. */
  readonly budget: ByteBudget;
  /** Where it is entered by how much each datagram left later than its link asked for, microseconds. */
  readonly lateness: Histogram;
  readonly deliver: (datagram: Uint8Array) => void;
}

/** What a direction of one client did. */
export interface DirectionCounters extends LinkCounters {
  /** Runs of losses; `lost / lossRuns` is their mean length. A datagram that the queue dropped does not end a run. */
  readonly lossRuns: number;
  /** Datagrams that did not fit into the relay's memory any more: the link has not seen them. */
  readonly refused: number;
}

/** One direction of one client's path: a link of its own, on the real clock. */
export class RelayDirection {
  readonly #options: RelayDirectionOptions;
  readonly #link: Link;
  #heldBytes = 0;
  #lossRuns = 0;
  #losing = false;
  #refused = 0;

  constructor(options: RelayDirectionOptions) {
    this.#options = options;
    this.#link = new Link(options.link, options.direction, { ...options, startsAt: now() });
  }

  get counters(): DirectionCounters {
    return { ...this.#link.counters, lossRuns: this.#lossRuns, refused: this.#refused };
  }

  /** When the next datagram is due. */
  get nextAt(): Instant | undefined {
    return this.#link.pollTimeout();
  }

  /** A datagram that was read at `at`; returns what becomes of it. */
  send(at: Instant, datagram: Uint8Array): Fate | 'refused' {
    if (!this.#options.budget.fits(datagram.length)) {
      this.#refused++;
      return 'refused';
    }
    const fate = this.#link.send(at, datagram);
    this.#account(fate, datagram.length);
    return fate;
  }

  #account(fate: Fate, bytes: number): void {
    switch (fate) {
      case 'carried':
        return this.#carry(bytes);
      case 'duplicated':
        return this.#carry(2 * bytes);
      case 'lost':
        if (!this.#losing) this.#lossRuns++;
        this.#losing = true;
        return;
      case 'overflowed':
        return;
      default:
        fate satisfies never;
    }
  }

  /** Delivers what is due. */
  flush(): void {
    for (let due = this.#link.pollTimeout(); due !== undefined; due = this.#link.pollTimeout()) {
      const at = now();
      if (due > at) return;
      const datagram = this.#link.pollDelivery(at);
      assert(datagram !== undefined, 'what is due can be had');
      this.#hold(-datagram.length);
      this.#options.lateness.add(at - due);
      this.#options.deliver(datagram);
    }
  }

  /** Nothing is delivered any more; what is in flight stays so for ever. */
  close(): void {
    this.#hold(-this.#heldBytes);
  }

  #carry(bytes: number): void {
    this.#losing = false;
    this.#hold(bytes);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#options.budget.hold(bytes);
  }
}
