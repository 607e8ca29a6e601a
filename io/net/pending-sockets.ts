import type { Socket } from 'node:net';
import { descriptorLimit } from '../os/descriptor-limit.ts';
import { mostCrowded } from './networks.ts';

/** Number of open files that a stream needs besides its connections: libraries, input, media sockets, pipes. */
const FILES_OF_STREAM = 40;
/** Connections that may say nothing even where files are scarce, so that a joining receiver is not displaced at once. */
const PENDING_MIN = 4;
/** Part of the remaining open files that the silent connections of one server may take. */
const PENDING_SHARE = 1 / 6;

/**
 * Number of connections that may be pending at one server of this process: `wanted`, or fewer where the limit of open files
 * is low, so that a stream can still open its source again and admit receivers.
 * @param filesMax limit of open files of the process.
 */
export function pendingMaxFor(wanted: number, filesMax: number = descriptorLimit()): number {
  return Math.min(wanted, Math.max(PENDING_MIN, Math.floor((filesMax - FILES_OF_STREAM) * PENDING_SHARE)));
}

interface Pending {
  readonly socket: Socket;
  readonly address: string;
}

/** Connections that have shown nothing yet. Beyond the limit, the oldest of the most crowded network is closed. */
export class PendingSockets {
  readonly #pendingMax: number;
  readonly #pending = new Map<string, Pending>();

  constructor({ pendingMax }: { readonly pendingMax: number }) {
    this.#pendingMax = pendingMaxFor(pendingMax);
  }

  add(socket: Socket): void {
    const key = keyOf(socket);
    this.#pending.set(key, { socket, address: socket.remoteAddress ?? '?' });
    socket.once('close', () => {
      if (this.#pending.get(key)?.socket === socket) this.#pending.delete(key);
    });
    if (this.#pending.size <= this.#pendingMax) return;
    const oldest = mostCrowded([...this.#pending.values()])[0]?.socket;
    if (!oldest) return;
    this.#pending.delete(keyOf(oldest));
    oldest.destroy();
  }

  /** The peer has shown that it belongs here. @param socket the connection, or TLS on it. */
  establish(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    this.#pending.delete(keyOf(socket));
  }
}

const keyOf = ({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string =>
  `${remoteAddress} ${remotePort}`;
