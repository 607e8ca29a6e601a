import { earliest, type Instant, NEVER } from '../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../protocol/ecn.ts';
import type { DatagramContext } from './link/datagram-context.ts';
import type { Link } from './link/link.ts';
import type { Path } from './simulation.ts';

/** Access of a flow to a shared path, and a flow's datagrams that have crossed it. */
export interface FlowPortOptions {
  /** Header bytes of its datagrams on the line: 28 for IPv4 and UDP, 20 for TCP segments. */
  readonly headerBytes: number;
  /** Link of the flow's own in front of the shared one. */
  readonly before?: Link | undefined;
  /** Link of the flow's own behind it. */
  readonly behind?: Link | undefined;
}

interface Arrived {
  readonly datagram: Uint8Array;
  readonly ecn: Ecn;
}

/** The path of one flow over a shared link. */
export class FlowPort implements Path {
  readonly options: FlowPortOptions;
  readonly #link: Link;
  readonly #flow: number;
  readonly #arrived: Arrived[] = [];
  #arrivedAt: Instant = NEVER;
  #ecn: Ecn = NOT_ECT;

  constructor(link: Link, flow: number, options: FlowPortOptions) {
    this.#link = link;
    this.#flow = flow;
    this.options = options;
  }

  get deliveredEcn(): Ecn {
    return this.#ecn;
  }

  send(now: Instant, datagram: Uint8Array, context?: DatagramContext): void {
    const { before } = this.options;
    if (before) before.send(now, datagram, context);
    else this.enter(now, datagram, context);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    if (this.#arrivedAt > now) return undefined;
    const arrived = this.#arrived.shift();
    if (this.#arrived.length === 0) this.#arrivedAt = NEVER;
    if (!arrived) return undefined;
    this.#ecn = arrived.ecn;
    return arrived.datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#arrivedAt === NEVER ? undefined : this.#arrivedAt;
  }

  /** Sends a datagram into the shared link. */
  enter(now: Instant, datagram: Uint8Array, context?: DatagramContext): void {
    const { headerBytes } = this.options;
    this.#link.send(now, datagram, { ...context, headerBytes, flow: this.#flow });
  }

  /** Adds a datagram that has crossed the path. */
  arrive(now: Instant, datagram: Uint8Array, ecn: Ecn): void {
    this.#arrivedAt = earliest(this.#arrivedAt, now);
    this.#arrived.push({ datagram, ecn });
  }
}

/** One direction of a link that several flows share; each has a port, by its number from 0. */
export class SharedPath {
  readonly link: Link;
  readonly #ports: FlowPort[] = [];
  readonly #reached: number[] = [];

  constructor(link: Link) {
    this.link = link;
  }

  /** Adds the port of the next flow. */
  open(options: FlowPortOptions): FlowPort {
    const port = new FlowPort(this.link, this.#ports.length, options);
    this.#ports.push(port);
    return port;
  }

  /** Time of the next event on the link or on a flow's own link. */
  pollTimeout(): Instant {
    let next = this.link.pollTimeout() ?? NEVER;
    for (const { options } of this.#ports) {
      next = earliest(next, options.before?.pollTimeout() ?? NEVER);
      next = earliest(next, options.behind?.pollTimeout() ?? NEVER);
    }
    return next;
  }

  /** Moves all datagrams up to `now`. */
  advance(now: Instant): void {
    for (const port of this.#ports) {
      const { before } = port.options;
      if (!before) continue;
      for (let datagram = before.pollDelivery(now); datagram; datagram = before.pollDelivery(now)) {
        port.enter(now, datagram, { ecn: before.deliveredEcn });
      }
    }
    for (let datagram = this.link.pollDelivery(now); datagram; datagram = this.link.pollDelivery(now)) {
      const flow = this.link.deliveredFlow;
      const ecn = this.link.deliveredEcn;
      const { behind } = this.#ports[flow]!.options;
      if (behind) behind.send(now, datagram, { ecn });
      else this.#arrive(now, flow, datagram, ecn);
    }
    for (const [flow, { options }] of this.#ports.entries()) {
      const { behind } = options;
      if (!behind) continue;
      for (let datagram = behind.pollDelivery(now); datagram; datagram = behind.pollDelivery(now)) {
        this.#arrive(now, flow, datagram, behind.deliveredEcn);
      }
    }
  }

  /** Returns the next flow for which a datagram has arrived; one for each datagram. */
  pollReached(): number | undefined {
    return this.#reached.shift();
  }

  #arrive(now: Instant, flow: number, datagram: Uint8Array, ecn: Ecn): void {
    this.#ports[flow]!.arrive(now, datagram, ecn);
    this.#reached.push(flow);
  }
}
