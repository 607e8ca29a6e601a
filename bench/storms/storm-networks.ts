import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { configureNetwork } from '../../io/os/network-namespace.ts';
import type { StormRow } from './storm-row.ts';

/** Addresses of the two families; each of the attackers' is in a network of its own. */
const ADDRESSES = {
  4: { near: (network: number) => `10.${network}.0.1`, far: (network: number) => `10.${network}.0.2`, bits: 24 },
  6: { near: (network: number) => `fd00:${network}::1`, far: (network: number) => `fd00:${network}::2`, bits: 64 },
} as const;
const [RECEIVER, ATTACKERS] = [1, 2] as const;
/** Networks of the attackers begin here. */
const FIRST = 100;

/** Three network namespaces: that of this process, for the sender, which also routes between the other two. */
export class StormNetworks {
  readonly #row: StormRow;
  readonly #holders: { readonly receiver: number; readonly attackers: number };

  static async open(row: StormRow): Promise<StormNetworks> {
    // nsenter(1) finds processes by their numbers in this namespace.
    execFileSync('mount', ['-t', 'proc', 'proc', '/proc']);
    const networks = new StormNetworks(row, { receiver: await namespace(), attackers: await namespace() });
    await networks.#configure();
    return networks;
  }

  private constructor(row: StormRow, holders: { readonly receiver: number; readonly attackers: number }) {
    this.#row = row;
    this.#holders = holders;
  }

  get addresses(): { readonly sender: string; readonly receiver: string; readonly attackers: readonly string[] } {
    const { near, far } = ADDRESSES[this.#row.family];
    return { sender: near(RECEIVER), receiver: far(RECEIVER), attackers: this.#attackers };
  }

  /** Words that run a program in the network of the well-behaved receiver. */
  get receiver(): readonly string[] {
    return entering(this.#holders.receiver);
  }

  get attackers(): readonly string[] {
    return entering(this.#holders.attackers);
  }

  get #attackers(): string[] {
    const { far } = ADDRESSES[this.#row.family];
    return Array.from({ length: this.#row.networks }, (_, index) => far(FIRST + index));
  }

  async #configure(): Promise<void> {
    const { near, far, bits } = ADDRESSES[this.#row.family];
    const own = (device: string, address: string, length: number) => `addr add ${address}/${length} dev ${device}`;
    const whole = this.#row.family === 6 ? 128 : 32;
    const sender = ['link set lo up'];
    const ends = { receiver: RECEIVER, attackers: ATTACKERS } as const;
    for (const [name, network] of Object.entries(ends)) {
      const holder = this.#holders[name as keyof typeof ends];
      sender.push(
        `link add to-${name} type veth peer name veth0`,
        `link set veth0 netns ${holder}`,
        `${own(`to-${name}`, near(network), bits)}${this.#row.family === 6 ? ' nodad' : ''}`,
        `link set to-${name} up`,
      );
    }
    await configureNetwork(sender);
    for (const [name, network] of Object.entries(ends)) {
      const holder = this.#holders[name as keyof typeof ends];
      const nodad = this.#row.family === 6 ? ' nodad' : '';
      const inside = ['link set lo up', `${own('veth0', far(network), bits)}${nodad}`, 'link set veth0 up'];
      if (name === 'attackers') {
        for (const address of this.#attackers) inside.push(`${own('veth0', address, whole)}${nodad}`);
      }
      inside.push(`route add default via ${near(network)}`);
      for (const words of inside) ipInside(holder, words);
    }
    await configureNetwork(this.#attackers.map((address) => `route add ${address}/${whole} via ${far(ATTACKERS)}`));
    const setting = this.#row.family === 6 ? 'net.ipv6.conf.all.forwarding=1' : 'net.ipv4.ip_forward=1';
    spawnSync('sysctl', ['-qw', setting]);
  }
}

/** Starts a network namespace. @returns the process that holds it. */
async function namespace(): Promise<number> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready && exec sleep infinity']);
  await once(holder.stdout, 'data');
  return holder.pid!;
}

const entering = (holder: number): readonly string[] => ['nsenter', '--net', '--target', String(holder)];

function ipInside(holder: number, words: string): void {
  const [program, ...options] = entering(holder);
  execFileSync(program!, [...options, 'ip', ...words.split(' ')]);
}
