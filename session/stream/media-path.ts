import { now } from '../../io/os/clock.ts';
import { WakeUp } from '../../io/os/wake-up.ts';
import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import { Link } from '../../sim/link/link.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { Path } from '../../sim/simulation.ts';

/** One direction of a receiver's path on the real clock, impaired by a link. */
export class ImpairedDirection {
  readonly #path: Path;
  readonly #deliver: (datagram: Uint8Array, ecn?: Ecn) => void;
  readonly #wakeUp = new WakeUp(() => this.#flush());

  constructor(path: Path, deliver: (datagram: Uint8Array, ecn?: Ecn) => void) {
    this.#path = path;
    this.#deliver = deliver;
  }

  send(datagram: Uint8Array, ecn: Ecn = NOT_ECT): void {
    this.#path.send(now(), datagram, ecn === NOT_ECT ? undefined : { ecn });
    this.#flush();
  }

  close(): void {
    this.#wakeUp.clear();
  }

  #flush(): void {
    const at = now();
    for (let datagram = this.#path.pollDelivery(at); datagram; datagram = this.#path.pollDelivery(at)) {
      this.#deliver(datagram, this.#path.deliveredEcn);
    }
    this.#wakeUp.set(this.#path.pollTimeout());
  }
}

/** Path of a receiver's datagrams through a link, with separate random streams for the two directions. */
export function impairedPath(
  link: LinkSpecification,
  ends: {
    readonly toReceiver: (datagram: Uint8Array, ecn?: Ecn) => void;
    readonly toSender: (datagram: Uint8Array) => void;
  },
): { readonly forward: ImpairedDirection; readonly back: ImpairedDirection; readonly paths: readonly Path[] } {
  const startsAt = now();
  const paths = [new Link(link, 'forward', { startsAt }), new Link(link, 'back', { startsAt })] as const;
  return {
    forward: new ImpairedDirection(paths[0], ends.toReceiver),
    back: new ImpairedDirection(paths[1], ends.toSender),
    paths,
  };
}
