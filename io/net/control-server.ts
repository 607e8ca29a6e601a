import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { Failure } from '../os/failure.ts';
import { addressCause } from './datagram-socket.ts';

export interface ControlServerOptions {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  /** Connections that have not yet said what they want; the oldest is closed when another comes. */
  readonly pendingMax: number;
  /** All connections; one more is refused. */
  readonly connectionsMax: number;
  /** How long a connection may take to say what it wants, milliseconds. */
  readonly patienceMs: number;
  readonly onConnection: (pending: PendingConnection) => void;
}

/** A connection of which nothing is known yet. */
export interface PendingConnection {
  readonly socket: Socket;
  /** The peer's address and port, as text. */
  readonly peer: string;
  /** It has said what it wants: it no longer counts as pending. */
  established(): void;
}

export interface ControlServerCounters {
  readonly accepted: number;
  /** Closed unheard: too many connections, too slow to speak, or pushed out by newer ones. */
  readonly refused: number;
  readonly open: number;
}

const BACKLOG = 511;

/** The accept loop of the control port: many clients, none of which can keep the others out by saying nothing. */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  readonly #pending = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  #accepted = 0;
  #refused = 0;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    // Half-open: a peer that has finished speaking still hears our last words.
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

  /** Fails with one line when the address cannot be had. */
  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error) =>
        reject(new Failure(`cannot listen on TCP ${bracketed(host)}:${port}: ${addressCause(error)}`));
      this.#server.once('error', refuse);
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.off('error', refuse);
        // From here on errors are of single accepts (no descriptors left, say): the next may go well.
        this.#server.on('error', () => this.#refused++);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    this.#sockets.add(socket);
    this.#pending.add(socket);
    if (this.#pending.size > this.#options.pendingMax) this.#refuse(this.#pending.values().next().value);
    const timer = setTimeout(() => this.#refuse(socket), this.#options.patienceMs);
    socket.on('error', () => {}); // reported by who owns the socket; until someone does, a reset is no event
    socket.once('close', () => {
      clearTimeout(timer);
      this.#pending.delete(socket);
      this.#sockets.delete(socket);
    });
    this.#options.onConnection({
      socket,
      peer: `${bracketed(socket.remoteAddress ?? '?')}:${socket.remotePort ?? '?'}`,
      established: () => {
        clearTimeout(timer);
        this.#pending.delete(socket);
      },
    });
  }

  #refuse(socket: Socket | undefined): void {
    if (!socket) return;
    this.#refused++;
    this.#pending.delete(socket);
    socket.destroy();
  }
}

/** An address as it stands in front of a port. */
export const bracketed = (host: string): string => (isIPv6(host) ? `[${host}]` : host);
