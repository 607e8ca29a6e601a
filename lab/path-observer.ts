import type { Instant } from '../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../protocol/ecn.ts';
import type { Direction } from '../sim/direction.ts';
import type { DatagramContext } from '../sim/link/datagram-context.ts';
import type { DatagramFate, DecidedFate } from '../sim/link/datagram-fate.ts';
import type { Link } from '../sim/link/link.ts';
import type { Path } from '../sim/simulation.ts';

/** Observer of datagrams that enter and leave a path. */
export interface PathObserver {
  onSent(now: Instant, direction: Direction, datagram: Uint8Array, fate: DatagramFate): void;
  /** Called when the fate of a datagram that was sent as `queued` has been decided. */
  onDecided?(now: Instant, direction: Direction, datagram: Uint8Array, fate: DecidedFate): void;
  onDelivered(now: Instant, direction: Direction, datagram: Uint8Array): void;
}

/** A link with observers. */
export class ObservedPath implements Path {
  readonly #link: Link;
  readonly #direction: Direction;
  readonly #observers: readonly PathObserver[];
  readonly #frame: () => number;
  /** One object reused for all datagrams, because there are millions. */
  readonly #context: { frame: number; ecn: Ecn } = { frame: 0, ecn: NOT_ECT };

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

  get deliveredEcn(): Ecn {
    return this.#link.deliveredEcn;
  }

  send(now: Instant, datagram: Uint8Array, context?: DatagramContext): void {
    this.#context.frame = this.#frame();
    this.#context.ecn = context?.ecn ?? NOT_ECT;
    const fate = this.#link.send(now, datagram, this.#context);
    for (const observer of this.#observers) observer.onSent(now, this.#direction, datagram, fate);
    this.#takeOutcomes();
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    const datagram = this.#link.pollDelivery(now);
    this.#takeOutcomes();
    if (datagram) for (const observer of this.#observers) observer.onDelivered(now, this.#direction, datagram);
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#link.pollTimeout();
  }

  #takeOutcomes(): void {
    for (let outcome = this.#link.pollOutcome(); outcome; outcome = this.#link.pollOutcome()) {
      const { at, datagram, fate } = outcome;
      for (const observer of this.#observers) observer.onDecided?.(at, this.#direction, datagram, fate);
    }
  }
}
