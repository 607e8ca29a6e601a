import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { arrivesAt, formatAddress, resolveHost } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { FineWakeUp } from '../../io/os/fine-wake-up.ts';
import type { Log } from '../../io/os/log.ts';
import { Histogram } from '../../protocol/base/histogram.ts';
import { milliseconds } from '../../protocol/base/instant.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { ByteBudget } from './byte-budget.ts';
import { ClientTable } from './client-table.ts';
import { openUpstream, RelayClient, type SocketAddress } from './relay-client.ts';
import { DirectionTotal, directionReport, type RelayReport } from './relay-report.ts';

export interface UdpRelayOptions {
  /** Where clients send to; port 0 takes any. */
  readonly listen: SocketAddress;
  /** Where their datagrams go. */
  readonly to: SocketAddress;
  /** From a client to the target. */
  readonly link: LinkSpecification;
  /** From the target to a client. */
  readonly linkBack: LinkSpecification;
  /** Clients served at once, each of them with a socket; further ones are refused. */
  readonly clientsMax: number;
  /** A client of which nothing came and to which nothing went for so long is forgotten, milliseconds. */
  readonly idleMs: number;
  /** What may be in flight on all links together, bytes of UDP payload; what goes beyond is refused. */
  readonly heldBytesMax: number;
  readonly log: Log;
}

/** How often idle clients are looked for. */
const EXPIRY_MS = 1_000;
/** Different complaints in a run; one that names addresses must not fill the diary. */
const COMPLAINTS_MAX = 100;

/**
 * A bad network between any two programs that speak UDP: whoever sends to `listen` reaches `to` through a link, and is
 * answered through another.
 *
 * Each client, known by its address and port, has a path of its own: its own socket towards the target, its own links,
 * and so its own bottleneck. All of them draw from the same seed: the n-th datagram of a client meets the same fate
 * whoever else is there and in whatever order they came.
 */
export class UdpRelay {
  readonly #options: UdpRelayOptions;
  readonly #clients: ClientTable<RelayClient>;
  readonly #budget: ByteBudget;
  readonly #lateness = { forward: new Histogram(), back: new Histogram() };
  /** Of clients that are gone. */
  readonly #past = { forward: new DirectionTotal(), back: new DirectionTotal(), sendErrors: 0, receiveDrops: 0 };
  readonly #startedAt = now();
  readonly #complaints = new Set<string>();
  #listener: DatagramSocket | undefined;
  #wakeUp: FineWakeUp | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #served = 0;
  #expired = 0;
  #refused = 0;
  #final: RelayReport | undefined;

  /** Fails with one line when the port cannot be had or the target cannot be reached. */
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

  /** Where clients send to, and where that goes. */
  get addresses(): { readonly listen: SocketAddress; readonly to: SocketAddress } {
    const { listen, to } = this.#options;
    return { listen: { host: listen.host, port: this.#listener?.port ?? listen.port }, to };
  }

  /** What happened so far; after `close`, what happened. */
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
    // Whether there is a way to the target is known from the first socket that is connected to it.
    (await openUpstream(to, { onDatagram: () => {}, onError: () => {} })).close();
    this.#wakeUp = await FineWakeUp.open(() => this.#flush());
    this.#listener = await DatagramSocket.open({
      ...listen,
      onDatagram: (datagram, from) => this.#receive(datagram, from.address, from.port),
      onError: (error) => this.#complain(`cannot answer a client: ${causeOf(error)}`),
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
      this.#complain(`${formatAddress(address)} is refused: ${clientsMax} clients are served already`);
      return undefined;
    }
    const client = new RelayClient({
      address,
      to,
      forward: { link, budget: this.#budget, lateness: this.#lateness.forward },
      back: { link: linkBack, budget: this.#budget, lateness: this.#lateness.back },
      answer: (datagram) => this.#listener?.send([datagram], address),
      onChange: () => this.#wakeUp?.set(client.nextAt),
      onError: (error) => this.#complain(refusal(error, to)),
    });
    this.#clients.add(key, client);
    this.#served++;
    log.info(`client ${formatAddress(address)}`);
    client.open().catch((error: Error) => {
      this.#complain(error.message);
      this.#clients.remove(key);
      this.#dismiss(client);
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
      this.#options.log.info(`client ${formatAddress(client.address)} is gone: nothing came or went for a while`);
      this.#dismiss(client);
    }
  }

  /** A client that is no longer served; what it did is kept in the sums. */
  #dismiss(client: RelayClient): void {
    client.close();
    this.#past.forward.add(client.forward.counters);
    this.#past.back.add(client.back.counters);
    this.#past.sendErrors += client.sendErrors;
    this.#past.receiveDrops += client.receiveDrops ?? 0;
  }

  /** Says a thing once, however often it happens: the report counts it. */
  #complain(message: string): void {
    if (this.#complaints.size >= COMPLAINTS_MAX || this.#complaints.has(message)) return;
    this.#complaints.add(message);
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
      durationSeconds: (now() - this.#startedAt) / 1e6,
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
    ? `nothing listens at ${formatAddress(to)}: what is sent there is lost until something does`
    : `cannot send to ${formatAddress(to)}: ${causeOf(error)}`;
}
