import type { Socket } from 'node:net';
import { mostCrowded } from './networks.ts';

interface Pending {
  readonly socket: Socket;
  readonly address: string;
}

/** Connections that have shown nothing yet. Beyond the limit, the oldest of the most crowded network is closed. */
export class PendingSockets {
  readonly #pendingMax: number;
  readonly #pending = new Map<string, Pending>();

  constructor({ pendingMax }: { readonly pendingMax: number }) {
    this.#pendingMax = pendingMax;
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
