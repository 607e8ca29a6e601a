import type { Instant } from '../protocol/base/units.ts';
import type { Direction } from '../sim/direction.ts';
import type { DatagramFate, Link } from '../sim/link/link.ts';
import type { Path } from '../sim/simulation.ts';

/** Observer of datagrams that enter and leave a path. */
export interface PathObserver {
  onSent(now: Instant, direction: Direction, datagram: Uint8Array, fate: DatagramFate): void;
  onDelivered(now: Instant, direction: Direction, datagram: Uint8Array): void;
}

/** A link with observers. */
export class ObservedPath implements Path {
  readonly #link: Link;
  readonly #direction: Direction;
  readonly #observers: readonly PathObserver[];
  readonly #frame: () => number;
  /** One object reused for all datagrams, because there are millions. */
  readonly #context = { frame: 0 };

  /**
   * @param frame returns the newest captured frame, from 0. Loss per frame steps with it, so all strategies see the
   *   same bad frames whatever they send.
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
