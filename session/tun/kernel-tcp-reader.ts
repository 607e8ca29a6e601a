import { parentPort, workerData } from 'node:worker_threads';
import { now } from '../../io/os/clock.ts';
import { monotonicOffset } from '../../io/os/monotonic-offset.ts';
import { TunDevice } from '../../io/os/tun-device.ts';
import { later, milliseconds } from '../../protocol/base/units.ts';
import type { KernelPacket } from './kernel-tcp-message.ts';

// Thread that reads what the kernel sends: waiting for a packet blocks.

const WAIT = milliseconds(1_000);
/** Packets that are handed on together at most. */
const PACKETS_MAX = 64;
const { fd, mtu } = workerData as { readonly fd: number; readonly mtu: number };
const device = new TunDevice(fd);
const offset = monotonicOffset();
const buffer = new Uint8Array(mtu);

for (;;) {
  device.wait(WAIT);
  const packets: KernelPacket[] = [];
  while (packets.length < PACKETS_MAX) {
    const length = device.read(buffer);
    if (length === 0) break;
    packets.push({ at: later(now(), offset), packet: buffer.slice(0, length) });
  }
  if (packets.length > 0) parentPort?.postMessage(packets);
}
