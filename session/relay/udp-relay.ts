import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { arrivesAt, formatAddress, resolveHost } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { FineWakeUp } from '../../io/os/fine-wake-up.ts';
import type { Log } from '../../io/os/log.ts';
import { Histogram } from '../../protocol/base/histogram.ts';
import { elapsed, inSeconds, milliseconds } from '../../protocol/base/units.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { ByteBudget } from './byte-budget.ts';
import { ClientTable } from './client-table.ts';
import { openUpstream, RelayClient, type SocketAddress } from './relay-client.ts';
import { DirectionTotal, directionReport, type RelayReport } from './relay-report.ts';

export interface UdpRelayOptions {
  /** Address that clients send to; port 0: any free port. */
  readonly listen: SocketAddress;
  /** Destination of their datagrams. */
  readonly to: SocketAddress;
  /** Link from a client to the target. */
  readonly link: LinkSpecification;
  /** Link from the target to a client. */
  readonly linkBack: LinkSpecification;
  /** Clients served at once, each with a socket; further ones are refused. */
  readonly clientsMax: number;
  /** Idle time after which a client expires, milliseconds. */
  readonly idleMs: number;
  /** Limit of UDP payload bytes in flight on all links together; datagrams beyond it are refused. */
  readonly heldBytesMax: number;
  readonly log: Log;
}

/** Interval of the search for idle clients, milliseconds. */
const EXPIRY_MS = 1_000;
/** Number of different warnings in a run: warnings that name addresses must not flood the log. */
const WARNINGS_MAX = 100;

/**
 * A bad network between any two programs that use UDP: datagrams sent to `listen` reach `to` through a link, and
 * answers return through another.
 *
 * Each client (address and port) has a path of its own: a socket towards the target and a pair of links, hence its own
 * bottleneck. All use the same seed: the n-th datagram of a client meets the same fate, whatever other clients do.
 */
export class UdpRelay {
  readonly #options: UdpRelayOptions;
  readonly #clients: ClientTable<RelayClient>;
  readonly #budget: ByteBudget;
  readonly #lateness = { forward: new Histogram(), back: new Histogram() };
  /** Totals of clients that have left. */
  readonly #past = { forward: new DirectionTotal(), back: new DirectionTotal(), sendErrors: 0, receiveDrops: 0 };
  readonly #startedAt = now();
  readonly #warnings = new Set<string>();
  #listener: DatagramSocket | undefined;
  #wakeUp: FineWakeUp | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #served = 0;
  #expired = 0;
  #refused = 0;
  #final: RelayReport | undefined;

  /** Opens the relay. @throws {Failure} when the port is not available or the target cannot be reached. */
  static async open(options: UdpRelayOptions): Promise<UdpRelay> {
    const listen = { host: await resolveHost(options.listen.host), port: options.listen.port };
    const to = { host: await resolveHost(options.to.host), port: options.to.port };
    const relay = new UdpRelay({ ...options, listen, to });
    try {
      await relay.#open();
    } catch (error) {
      relay.close();
      throw error;
    }
    return relay;
  }

  private constructor(options: UdpRelayOptions) {
    this.#options = options;
    this.#clients = new ClientTable({ clientsMax: options.clientsMax, idle: milliseconds(options.idleMs) });
    this.#budget = new ByteBudget(options.heldBytesMax);
  }

  /** Address that clients send to, and the destination. */
  get addresses(): { readonly listen: SocketAddress; readonly to: SocketAddress } {
    const { listen, to } = this.#options;
    return { listen: { host: listen.host, port: this.#listener?.port ?? listen.port }, to };
  }

  /** Report up to now; after `close`, the final report. */
  get report(): RelayReport {
    return this.#final ?? this.#account();
  }

  close(): void {
    if (this.#final) return;
    this.#final = this.#account();
    clearInterval(this.#expiry);
    this.#wakeUp?.close();
    this.#listener?.close();
    for (const client of this.#clients) client.close();
  }

  async #open(): Promise<void> {
    const { listen, to, idleMs } = this.#options;
    // A first connected socket shows whether there is a route to the target.
    (await openUpstream(to, { onDatagram: () => {}, onError: () => {} })).close();
    this.#wakeUp = await FineWakeUp.open(() => this.#flush());
    this.#listener = await DatagramSocket.open({
      ...listen,
      onDatagram: (datagram, from) => this.#receive(datagram, from.address, from.port),
      onError: (error) => this.#warnOnce(`cannot answer a client: ${causeOf(error)}`),
    });
    const { port } = this.#listener;
    if (to.port === port && arrivesAt(to.host, listen.host)) {
      throw new Failure(`the relay would send to itself at ${formatAddress(to)}: give --to another port`, 2);
    }
    this.#expiry = setInterval(() => this.#expire(), Math.min(EXPIRY_MS, idleMs));
    this.#expiry.unref();
  }

  #receive(datagram: Uint8Array, host: string, port: number): void {
    const key = `${host} ${port}`;
    const client = this.#clients.find(key) ?? this.#admit(key, { host, port });
    if (client) client.send(datagram);
    else this.#refused++;
  }

  #admit(key: string, address: SocketAddress): RelayClient | undefined {
    const { to, link, linkBack, log, clientsMax } = this.#options;
    if (this.#clients.full) this.#expire();
    if (this.#clients.full) {
      this.#warnOnce(`${formatAddress(address)} was refused: ${clientsMax} clients are being served`);
      return undefined;
    }
    const client = new RelayClient({
      address,
      to,
      forward: { link, budget: this.#budget, lateness: this.#lateness.forward },
      back: { link: linkBack, budget: this.#budget, lateness: this.#lateness.back },
      answer: (datagram) => this.#listener?.send([datagram], address),
      onChange: () => this.#wakeUp?.set(client.nextAt),
      onError: (error) => this.#warnOnce(refusal(error, to)),
    });
    this.#clients.add(key, client);
    this.#served++;
    log.info(`client ${formatAddress(address)}`);
    client.open().catch((error: Error) => {
      this.#warnOnce(error.message);
      this.#clients.remove(key);
      this.#remove(client);
    });
    return client;
  }

  #flush(): void {
    for (const client of this.#clients) {
      client.flush();
      this.#wakeUp?.set(client.nextAt);
    }
  }

  #expire(): void {
    for (const client of this.#clients.expire(now())) {
      this.#expired++;
      this.#options.log.info(`client ${formatAddress(client.address)} timed out: no datagrams in either direction`);
      this.#remove(client);
    }
  }

  /** Removes a client; its counters are added to the totals. */
  #remove(client: RelayClient): void {
    client.close();
    this.#past.forward.add(client.forward.counters);
    this.#past.back.add(client.back.counters);
    this.#past.sendErrors += client.sendErrors;
    this.#past.receiveDrops += client.receiveDrops ?? 0;
  }

  /** Logs a warning once; the report counts every occurrence. */
  #warnOnce(message: string): void {
    if (this.#warnings.size >= WARNINGS_MAX || this.#warnings.has(message)) return;
    this.#warnings.add(message);
    this.#options.log.warn(message);
  }

  #account(): RelayReport {
    const { link, linkBack } = this.#options;
    const forward = new DirectionTotal(this.#past.forward.sum);
    const back = new DirectionTotal(this.#past.back.sum);
    let { sendErrors, receiveDrops } = this.#past;
    for (const client of this.#clients) {
      forward.add(client.forward.counters);
      back.add(client.back.counters);
      sendErrors += client.sendErrors;
      receiveDrops += client.receiveDrops ?? 0;
    }
    const drops = this.#listener?.receiveDrops;
    const { listen, to } = this.addresses;
    return {
      listen: formatAddress(listen),
      to: formatAddress(to),
      durationSeconds: inSeconds(elapsed(this.#startedAt, now())),
      clients: { active: this.#clients.size, served: this.#served, expired: this.#expired },
      forward: directionReport({
        link,
        counters: forward.sum,
        lateness: this.#lateness.forward,
        refused: this.#refused,
        sendErrors,
      }),
      back: directionReport({
        link: linkBack,
        counters: back.sum,
        lateness: this.#lateness.back,
        refused: 0,
        sendErrors: this.#listener?.sendErrors ?? 0,
      }),
      receiveDrops: drops === undefined ? null : drops + receiveDrops,
    };
  }
}

function refusal(error: Error, to: SocketAddress): string {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
    ? `no program listens at ${formatAddress(to)}: datagrams to it are lost`
    : `cannot send to ${formatAddress(to)}: ${causeOf(error)}`;
}
