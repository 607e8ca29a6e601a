import { createServer, type Server, type Socket } from 'node:net';
import { Failure } from '../os/failure.ts';
import { addressCause } from './address-cause.ts';
import { FairWork } from './fair-work.ts';
import { LOOPBACK, mostCrowded, NetworkBudgets, networkOf } from './networks.ts';
import { pendingMaxFor } from './pending-sockets.ts';
import { acceptSecure, isTlsClient, type SecureChannel, type SecureSide } from './secure-channel.ts';

export interface ControlServerOptions {
  readonly host: string;
  /** TCP port; any free port when 0. */
  readonly port: number;
  /** Limit of connections without a first message, lower where open files are scarce; beyond it, the oldest is closed. */
  readonly pendingMax: number;
  /** Limit of all connections; further ones are refused. */
  readonly connectionsMax: number;
  /** Time limit for the first message, milliseconds. */
  readonly firstMessageTimeoutMs: number;
  /** Certificate of the sender: connections begin with TLS. Others are passed on without a channel, to be refused. */
  readonly secure?: SecureSide | undefined;
  readonly onConnection: (pending: PendingConnection) => void;
}

/** A connection before its first message. */
export interface PendingConnection {
  readonly socket: Socket;
  /** TLS of the connection; `undefined` when the peer does not speak it. */
  readonly channel: SecureChannel | undefined;
  /** Address and port of the peer, as text. */
  readonly peer: string;
  /** Address of the peer without the port. */
  readonly address: string;
  /** Marks the connection as established: it no longer counts as pending. */
  established(): void;
}

export interface ControlServerCounters {
  readonly accepted: number;
  /** Connections closed without a session: too many, too slow, or displaced by newer ones. */
  readonly refused: number;
  readonly open: number;
}

const BACKLOG = 511;
/** Limit of connections per second per network; a joining receiver makes at most two. */
const CONNECTIONS_PER_SECOND = 20;
/**
 * TLS handshakes, the most expensive request before a peer is known: a signature and a key exchange take about a
 * millisecond, in later turns of the event loop, and count as one. At most 150 a second; the first handshake of a network
 * waits for one of each other network.
 */
const HANDSHAKES = { share: 0.15, costMsMin: 1, waitMsMax: 4_000 };

/** Accept loop of the control port. Silent clients cannot lock others out. */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  readonly #pending = new Map<Socket, { readonly socket: Socket; readonly address: string }>();
  readonly #sockets = new Set<Socket>();
  readonly #budgets: NetworkBudgets;
  readonly #pendingMax: number;
  readonly #handshakes: FairWork;
  #accepted = 0;
  #refused = 0;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#pendingMax = pendingMaxFor(options.pendingMax);
    this.#handshakes = new FairWork({ ...HANDSHAKES, waitingMax: options.connectionsMax });
    this.#budgets = new NetworkBudgets({ perSecond: CONNECTIONS_PER_SECOND, burst: options.connectionsMax });
    // allowHalfOpen: a peer that has finished sending can still receive the last message.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = options.connectionsMax;
    this.#server.on('drop', () => this.#refused++);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : this.#options.port;
  }

  get counters(): ControlServerCounters {
    return { accepted: this.#accepted, refused: this.#refused, open: this.#sockets.size };
  }

  /** Starts listening. @param host address. @throws {Failure} when it is not available. */
  async listen(host = this.#options.host): Promise<void> {
    const { port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error) =>
        reject(new Failure(`cannot listen on TCP ${bracketed(host)}:${port}: ${addressCause(error)}`));
      this.#server.once('error', refuse);
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.off('error', refuse);
        // Later errors concern single accepts (such as no free descriptors); the next one may succeed.
        this.#server.on('error', () => this.#refused++);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#handshakes.close();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    const address = socket.remoteAddress ?? '?';
    // Loopback is exempt, because all programs of this machine share it.
    if (networkOf(address) !== LOOPBACK && !this.#budgets.allows(address)) {
      this.#refused++;
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#pending.set(socket, { socket, address });
    if (this.#pending.size > this.#pendingMax) {
      // Refuses the oldest of the most crowded network, so that a fast network cannot displace the others.
      this.#refuse(mostCrowded([...this.#pending.values()])[0]?.socket);
    }
    const timer = setTimeout(() => this.#refuse(socket), this.#options.firstMessageTimeoutMs);
    socket.on('error', () => {}); // reported by the owner of the socket; an earlier reset is harmless
    socket.once('close', () => {
      clearTimeout(timer);
      this.#pending.delete(socket);
      this.#sockets.delete(socket);
    });
    const peer = `${bracketed(address)}:${socket.remotePort ?? '?'}`;
    const established = () => {
      clearTimeout(timer);
      this.#pending.delete(socket);
    };
    this.#begin(socket, (connection, channel) => {
      this.#options.onConnection({ socket: connection, channel, peer, address, established });
    });
  }

  /** Begins TLS where it is required, and passes the connection on. */
  #begin(socket: Socket, pass: (connection: Socket, channel: SecureChannel | undefined) => void): void {
    const { secure } = this.#options;
    if (!secure) return pass(socket, undefined);
    const end = () => socket.destroy();
    socket.once('end', end);
    socket.once('data', (firstBytes: Buffer) => {
      socket.off('end', end);
      socket.pause();
      socket.unshift(firstBytes);
      if (isTlsClient(firstBytes)) {
        void this.#handshake(socket, secure, (channel) => pass(channel.socket, channel));
      } else {
        pass(socket, undefined);
        socket.resume();
      }
    });
  }

  /** Begins a handshake when its network's turn comes, or refuses the connection where that would be too late. */
  async #handshake(socket: Socket, secure: SecureSide, pass: (channel: SecureChannel) => void): Promise<void> {
    const begin = () => void acceptSecure(socket, secure, pass).on('error', () => socket.destroy());
    const { kind } = await this.#handshakes.run(socket.remoteAddress ?? '?', begin, () => !socket.destroyed);
    if (kind === 'busy' && !socket.destroyed) this.#refuse(socket);
  }

  #refuse(socket: Socket | undefined): void {
    if (!socket) return;
    this.#refused++;
    this.#pending.delete(socket);
    socket.destroy();
  }
}

/** Returns an address in the form used before a port: IPv6 in brackets. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
