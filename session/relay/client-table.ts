import { assert } from '../../protocol/base/assert.ts';
import type { Instant, Microseconds } from '../../protocol/base/units.ts';

export interface ClientTableOptions {
  /** Clients held at once; further ones are refused. */
  readonly clientsMax: number;
  /** Idle time after which a client expires, microseconds. */
  readonly idle: Microseconds;
}

/** A bounded table of clients by address; idle clients expire. */
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
    assert(!this.full, 'the table must have room for another client');
    assert(!this.#clients.has(address), 'an address must belong to one client only');
    this.#clients.set(address, client);
  }

  remove(address: string): void {
    this.#clients.delete(address);
  }

  /** Removes the clients that are idle at `now`, and returns them. */
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
