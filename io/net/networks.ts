import { isIPv6 } from 'node:net';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { now } from '../os/clock.ts';

/** This machine's network. */
export const LOOPBACK = 'loopback';

/** What one owner has: an IPv4 address, or the /64 of an IPv6 address (RFC 6177 §2 gives a site no less). */
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

/** Those of the network that has the most of them. */
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

/** Networks that are counted; the oldest is forgotten. */
const NETWORKS_MAX = 4_096;

/** Events a second of each network, such as connections. */
export class NetworkBudgets {
  readonly #budget: ConstructorParameters<typeof RateBudget>[0];
  readonly #budgets = new Map<string, RateBudget>();

  constructor(budget: ConstructorParameters<typeof RateBudget>[0]) {
    this.#budget = budget;
  }

  /** Whether one more from this address would be refused. */
  isSpent(address: string): boolean {
    return this.#budgets.get(networkOf(address))?.has(now(), 1) === false;
  }

  /** Whether there is room for one more from this address. */
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
