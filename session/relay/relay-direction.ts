import { now } from '../../io/os/clock.ts';
import type { Histogram } from '../../protocol/base/histogram.ts';
import { elapsed, type Instant } from '../../protocol/base/units.ts';
import type { Direction } from '../../sim/direction.ts';
import type { DatagramFate, DecidedFate } from '../../sim/link/datagram-fate.ts';
import { Link } from '../../sim/link/link.ts';
import type { LinkCounters } from '../../sim/link/link-counters.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { ByteBudget } from './byte-budget.ts';

export interface RelayDirectionOptions {
  readonly link: LinkSpecification;
  /** Name of the random streams. */
  readonly direction: Direction;
  /** Header bytes that the bottleneck adds to each datagram; IPv4 and UDP by default. */
  readonly headerBytes?: number;
  /** Limit shared by all directions of the relay. */
  readonly budget: ByteBudget;
  /** Receives the lateness of each datagram relative to its link's schedule, microseconds. */
  readonly lateness: Histogram;
  readonly deliver: (datagram: Uint8Array) => void;
}

/** Counters of one direction of one client. */
export interface DirectionCounters extends LinkCounters {
  /** Runs of losses; `lost / lossRuns` is their mean length. A datagram dropped by the queue does not end a run. */
  readonly lossRuns: number;
  /** Datagrams refused for lack of memory, before they reached the link. */
  readonly refused: number;
}

/** One direction of one client's path: a link of its own on the real clock. */
export class RelayDirection {
  readonly #options: RelayDirectionOptions;
  readonly #link: Link;
  #heldBytes = 0;
  #lossRuns = 0;
  #losing = false;
  #refused = 0;

  constructor(options: RelayDirectionOptions) {
    this.#options = options;
    this.#link = new Link(options.link, options.direction, { ...options, startsAt: now(), reports: 'queued' });
  }

  get counters(): DirectionCounters {
    return { ...this.#link.counters, lossRuns: this.#lossRuns, refused: this.#refused };
  }

  /** Time of the next delivery. */
  get nextAt(): Instant | undefined {
    return this.#link.pollTimeout();
  }

  /** Sends a datagram that was read at `at`; returns its fate. */
  send(at: Instant, datagram: Uint8Array): DatagramFate | 'refused' {
    if (!this.#options.budget.fits(datagram.length)) {
      this.#refused++;
      return 'refused';
    }
    const fate = this.#link.send(at, datagram);
    if (fate === 'queued') this.#hold(datagram.length);
    else this.#account(fate, datagram.length);
    this.#takeOutcomes();
    return fate;
  }

  /** Accounts for datagrams whose fate a queue discipline has decided since they were sent. */
  #takeOutcomes(): void {
    for (let outcome = this.#link.pollOutcome(); outcome; outcome = this.#link.pollOutcome()) {
      const bytes = outcome.datagram.length;
      this.#hold(-bytes);
      this.#account(outcome.fate, bytes);
    }
  }

  #account(fate: DecidedFate, bytes: number): void {
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

  /** Delivers all datagrams that are due. */
  flush(): void {
    for (let due = this.#link.pollTimeout(); due !== undefined; due = this.#link.pollTimeout()) {
      const at = now();
      if (due > at) return;
      const datagram = this.#link.pollDelivery(at);
      this.#takeOutcomes();
      // A queue discipline may have used the time, and delivered nothing yet.
      if (datagram === undefined) continue;
      this.#hold(-datagram.length);
      this.#options.lateness.add(elapsed(due, at));
      this.#options.deliver(datagram);
    }
  }

  /** Stops deliveries; datagrams in flight stay in flight. */
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
