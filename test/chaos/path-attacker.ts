import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTun, TunDevice } from '../../io/os/tun-device.ts';
import { type Captured, capture } from './ip-forgery.ts';

export const SENDER_ADDRESS = '10.2.0.1';
export const RECEIVER_ADDRESS = '10.2.0.2';
const POLL_MS = 1;
const PACKET_BYTES_MAX = 65_536;

export type Way = 'to-sender' | 'to-receiver';

/** Packets that the attacker puts on the path in place of one, in this order; packets of other protocols are passed on. */
export type Attack = (captured: Captured, way: Way) => readonly Uint8Array[];

/**
 * An attacker on the path: this process, in a network namespace between that of the sender and that of the receiver. Every
 * packet between them is read from one TUN device and written to the other, or not. Requires new namespaces.
 */
export class PathAttacker {
  readonly #devices: Readonly<Record<Way, TunDevice>>;
  readonly #holders: Readonly<Record<Way, number>>;
  readonly #buffer = new Uint8Array(PACKET_BYTES_MAX);
  attack: Attack = ({ packet }) => [packet];
  /** Payloads of both channels and ways, as they came. */
  readonly seen: Uint8Array[] = [];

  static async open(): Promise<PathAttacker> {
    execFileSync('mount', ['-t', 'proc', 'proc', '/proc']);
    const ends = { 'to-sender': await network(), 'to-receiver': await network() };
    const fds = { 'to-sender': createTun('to-sender'), 'to-receiver': createTun('to-receiver') };
    join('to-sender', ends['to-sender'], [SENDER_ADDRESS, RECEIVER_ADDRESS]);
    join('to-receiver', ends['to-receiver'], [RECEIVER_ADDRESS, SENDER_ADDRESS]);
    return new PathAttacker(fds, ends);
  }

  private constructor(fds: Readonly<Record<Way, number>>, holders: Readonly<Record<Way, number>>) {
    this.#devices = { 'to-sender': new TunDevice(fds['to-sender']), 'to-receiver': new TunDevice(fds['to-receiver']) };
    this.#holders = holders;
    void this.#forward();
  }

  /** Words that run a program in the network at the end of a way. */
  entering(way: Way): readonly string[] {
    return ['nsenter', '--net', '--target', String(this.#holders[way])];
  }

  async #forward(): Promise<never> {
    for (;;) {
      this.#forwardAll('to-receiver');
      this.#forwardAll('to-sender');
      await sleep(POLL_MS);
    }
  }

  /** Packets of a way come from the device at the other end. */
  #forwardAll(way: Way): void {
    const source = this.#devices[way === 'to-sender' ? 'to-receiver' : 'to-sender'];
    for (let length = source.read(this.#buffer); length > 0; length = source.read(this.#buffer)) {
      const packet = this.#buffer.slice(0, length);
      const captured = capture(packet);
      if (captured) this.seen.push(packet.subarray(captured.payloadAt));
      for (const each of captured ? this.attack(captured, way) : [packet]) this.#devices[way].write(each);
    }
  }
}

/** Starts a network namespace. @returns the process that holds it. */
async function network(): Promise<number> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready && exec sleep infinity']);
  await once(holder.stdout, 'data');
  return holder.pid!;
}

/** Moves a device into a network, which reaches the other address through it. */
function join(device: string, holder: number, [local, peer]: readonly [string, string]): void {
  execFileSync('ip', ['link', 'set', device, 'netns', String(holder)]);
  const inside = (line: string) =>
    execFileSync('nsenter', ['--net', '--target', String(holder), 'ip', ...line.split(' ')]);
  inside('link set lo up');
  inside(`addr add ${local} peer ${peer} dev ${device}`);
  inside(`link set ${device} up`);
}
