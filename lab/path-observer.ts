import type { Instant } from '../protocol/instant.ts';
import type { Fate, Link } from '../sim/link.ts';
import type { Path } from '../sim/simulation.ts';

export type Direction = 'forward' | 'back';

/** Someone who looks on as datagrams enter a path and leave it. */
export interface PathObserver {
  onSent(now: Instant, direction: Direction, datagram: Uint8Array, fate: Fate): void;
  onDelivered(now: Instant, direction: Direction, datagram: Uint8Array): void;
}

/** A link that is looked at. */
export class ObservedPath implements Path {
  readonly #link: Link;
  readonly #direction: Direction;
  readonly #observers: readonly PathObserver[];

  constructor(link: Link, direction: Direction, observers: readonly PathObserver[]) {
    this.#link = link;
    this.#direction = direction;
    this.#observers = observers;
  }

  send(now: Instant, datagram: Uint8Array): void {
    const fate = this.#link.send(now, datagram);
    for (const observer of this.#observers) observer.onSent(now, this.#direction, datagram, fate);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    const datagram = this.#link.pollDelivery(now);
    if (datagram) for (const observer of this.#observers) observer.onDelivered(now, this.#direction, datagram);
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#link.pollTimeout();
  }
}
