import type { Socket } from 'node:net';
import { LOOPBACK, networkOf } from './networks.ts';

/** Open connections of each network, so that none can take all of a server's. Loopback is exempt: all programs of the machine share it. */
export class NetworkShares {
  readonly #perNetworkMax: number;
  readonly #open = new Map<string, number>();

  constructor({ perNetworkMax }: { readonly perNetworkMax: number }) {
    this.#perNetworkMax = perNetworkMax;
  }

  /** Counts a connection until it closes. Returns false, and counts nothing, when its network has as many as it may. */
  admits(socket: Pick<Socket, 'remoteAddress' | 'once'>): boolean {
    const network = networkOf(socket.remoteAddress ?? '?');
    if (network === LOOPBACK) return true;
    const open = this.#open.get(network) ?? 0;
    if (open >= this.#perNetworkMax) return false;
    this.#open.set(network, open + 1);
    socket.once('close', () => {
      const left = this.#open.get(network)! - 1;
      if (left > 0) this.#open.set(network, left);
      else this.#open.delete(network);
    });
    return true;
  }
}
