import { assert } from '../../protocol/base/assert.ts';
import type { Instant, Microseconds } from '../../protocol/base/instant.ts';

export interface ClientTableOptions {
  /** Clients held at once; further ones find no room. */
  readonly clientsMax: number;
  /** A client of which nothing was seen for longer than this is forgotten, microseconds. */
  readonly idle: Microseconds;
}

/** Who is served: a bounded number of clients by their address, the idle ones forgotten. */
export class ClientTable<Client extends { readonly lastActiveAt: Instant }> {
  readonly #options: ClientTableOptions;
  readonly #clients = new Map<string, Client>();

  constructor(options: ClientTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  get full(): boolean {
    return this.#clients.size >= this.#options.clientsMax;
  }

  find(address: string): Client | undefined {
    return this.#clients.get(address);
  }

  add(address: string, client: Client): void {
    assert(!this.full, 'who is added was found room for');
    assert(!this.#clients.has(address), 'an address is one client');
    this.#clients.set(address, client);
  }

  remove(address: string): void {
    this.#clients.delete(address);
  }

  /** Forgets the clients that are idle at `now`, and returns them. */
  expire(now: Instant): Client[] {
    const expired: Client[] = [];
    for (const [address, client] of this.#clients) {
      if (now - client.lastActiveAt <= this.#options.idle) continue;
      this.#clients.delete(address);
      expired.push(client);
    }
    return expired;
  }

  [Symbol.iterator](): IterableIterator<Client> {
    return this.#clients.values();
  }
}
