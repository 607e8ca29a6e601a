import { isIPv6 } from 'node:net';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { now } from '../os/clock.ts';

/** Network of this machine's loopback addresses. */
export const LOOPBACK = 'loopback';

/** Returns the network of one owner: `LOOPBACK`, an IPv4 address, or an IPv6 /64 (RFC 6177 §2: the least of a site). */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  if (plain.startsWith('127.') || plain === '::1') return LOOPBACK;
  if (!isIPv6(plain)) return plain;
  const [before = '', after] = (plain.split('%')[0] ?? plain).split('::');
  const groups = before === '' ? [] : before.split(':');
  const behind = after === undefined || after === '' ? [] : after.split(':');
  if (after !== undefined) while (groups.length + behind.length < 8) groups.push('0');
  return [...groups, ...behind]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** Returns the holders in the network with the most holders. */
export function mostCrowded<Holder extends { readonly address: string }>(holders: readonly Holder[]): Holder[] {
  const networks = new Map<string, Holder[]>();
  for (const holder of holders) {
    const network = networkOf(holder.address);
    const others = networks.get(network);
    if (others) others.push(holder);
    else networks.set(network, [holder]);
  }
  let crowd: Holder[] = [];
  for (const each of networks.values()) if (each.length > crowd.length) crowd = each;
  return crowd;
}

/** Limit of tracked networks; beyond it, the oldest is removed. */
const NETWORKS_MAX = 4_096;

/** Rate limit per network for events such as connections. */
export class NetworkBudgets {
  readonly #budget: ConstructorParameters<typeof RateBudget>[0];
  readonly #budgets = new Map<string, RateBudget>();

  constructor(budget: ConstructorParameters<typeof RateBudget>[0]) {
    this.#budget = budget;
  }

  /** True when `allows` would refuse another event from this address. */
  isSpent(address: string): boolean {
    return this.#budgets.get(networkOf(address))?.has(now(), 1) === false;
  }

  /** Takes back an event from this address. */
  restore(address: string): void {
    this.#budgets.get(networkOf(address))?.earn(1);
  }

  /** Counts an event from this address. Returns true when its network is within the limit. */
  allows(address: string): boolean {
    const network = networkOf(address);
    let budget = this.#budgets.get(network);
    if (!budget) {
      if (this.#budgets.size >= NETWORKS_MAX) this.#budgets.delete(this.#budgets.keys().next().value!);
      budget = new RateBudget(this.#budget);
      this.#budgets.set(network, budget);
    }
    return budget.spend(now(), 1);
  }
}
