import type { Instant } from '../protocol/base/instant.ts';
import type { Direction } from '../sim/direction.ts';
import type { Fate, Link } from '../sim/link/link.ts';
import type { Path } from '../sim/simulation.ts';

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
  readonly #frame: () => number;
  /** One for all datagrams: there are millions. */
  readonly #context = { frame: 0 };

  /**
   * @param frame the newest that the source has handed over, from 0: loss by frame steps with it, so that all strategies
   * meet the same bad frames, whatever they send at the time.
   */
  constructor(link: Link, direction: Direction, observers: readonly PathObserver[], frame: () => number) {
    this.#link = link;
    this.#direction = direction;
    this.#observers = observers;
    this.#frame = frame;
  }

  send(now: Instant, datagram: Uint8Array): void {
    this.#context.frame = this.#frame();
    const fate = this.#link.send(now, datagram, this.#context);
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
