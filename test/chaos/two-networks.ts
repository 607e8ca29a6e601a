import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export const SENDER_ADDRESS = '10.1.0.1';
export const RECEIVER_ADDRESS = '10.1.0.2';
/** Interfaces of the two networks, joined by a cable. */
export const SENDER_INTERFACE = 'veth-sender';
export const RECEIVER_INTERFACE = 'veth-receiver';

/**
 * Two network namespaces with a virtual cable between them: that of this process, for the sender, and another. Requires
 * a process in new namespaces of its own; the kernel removes everything with its last process.
 */
export class TwoNetworks {
  readonly #pid: number;

  static async open(): Promise<TwoNetworks> {
    // nsenter(1) finds processes by their numbers in this namespace.
    execFileSync('mount', ['-t', 'proc', 'proc', '/proc']);
    const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready && exec sleep infinity']);
    await once(holder.stdout, 'data');
    const networks = new TwoNetworks(holder.pid!);
    networks.sender(
      'link set lo up',
      `link add ${SENDER_INTERFACE} type veth peer name ${RECEIVER_INTERFACE}`,
      `link set ${RECEIVER_INTERFACE} netns ${holder.pid}`,
      `addr add ${SENDER_ADDRESS}/24 dev ${SENDER_INTERFACE}`,
      `link set ${SENDER_INTERFACE} up`,
    );
    networks.receiver(
      'link set lo up',
      `addr add ${RECEIVER_ADDRESS}/24 dev ${RECEIVER_INTERFACE}`,
      `link set ${RECEIVER_INTERFACE} up`,
    );
    // Until the kernel knows that the cable is plugged.
    await sleep(200);
    return networks;
  }

  private constructor(pid: number) {
    this.#pid = pid;
  }

  /** Words that run a program in the receiver's network. */
  get entering(): readonly string[] {
    return ['nsenter', '--net', '--target', String(this.#pid)];
  }

  /** Runs ip(8) in the sender's network, a line each. */
  sender(...lines: readonly string[]): void {
    for (const line of lines) execFileSync('ip', line.split(' '));
  }

  receiver(...lines: readonly string[]): void {
    const [program, ...options] = this.entering;
    for (const line of lines) execFileSync(program!, [...options, 'ip', ...line.split(' ')]);
  }

  /** Sends what goes to the sender to a station that does not exist, silently, or stops doing so. */
  blackHole(active: boolean): void {
    const nobody = `neigh replace ${SENDER_ADDRESS} lladdr 02:00:00:00:00:99 dev ${RECEIVER_INTERFACE} nud permanent`;
    this.receiver(active ? nobody : `neigh del ${SENDER_ADDRESS} dev ${RECEIVER_INTERFACE}`);
    const back = `neigh replace ${RECEIVER_ADDRESS} lladdr 02:00:00:00:00:99 dev ${SENDER_INTERFACE} nud permanent`;
    this.sender(active ? back : `neigh del ${RECEIVER_ADDRESS} dev ${SENDER_INTERFACE}`);
  }
}
