import { createServer, type Socket } from 'node:net';
import { now } from '../../io/os/clock.ts';
import { causeOf } from '../../io/os/failure.ts';
import { monotonicOffset } from '../../io/os/monotonic-offset.ts';
import { setTcp } from '../../io/os/network-namespace.ts';
import { TunDevice } from '../../io/os/tun-device.ts';
import { type Instant, later } from '../../protocol/base/units.ts';
import { parseIpPacket, swapAddresses } from '../../protocol/ip-packet.ts';
import { AccessUnitDeframer } from '../../sim/tcp/access-unit-framing.ts';
import { UNSENT_BYTES_MAX } from '../lanes/tcp-limits.ts';
import type { FromKernelTcp, KernelPacket, ToKernelTcp } from './kernel-tcp-message.ts';
import { KernelTcpSender } from './kernel-tcp-sender.ts';
import { setUpNetwork } from './tun-network.ts';
import { TUN_ADDRESSES } from './tun-path.ts';
import { threadOf } from './tun-thread.ts';

// First process of the namespaces of a lane: it has both ends of its TCP connection, and the device through which their
// packets go to the lane and come back. When it ends, the kernel removes the device and the network.

const MTU = 1_500;
const PORT = 6_004;
const offset = monotonicOffset();
const machineTime = (): Instant => later(now(), offset);

function post(message: FromKernelTcp): void {
  process.send?.(message);
}

// The lane's process has ended.
process.on('disconnect', () => process.exit(0));
// A Ctrl-C at the terminal is for the lane's process, which ends this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

/** Reads the frames of a connection. */
function receive(socket: Socket): void {
  const deframer = new AccessUnitDeframer();
  const port = socket.remotePort ?? 0;
  socket.on('error', () => {}); // the sending end reports it
  socket.on('data', (chunk) => {
    const units = deframer.push(chunk);
    if (units === 'malformed') return void socket.destroy();
    for (const { stream, frame } of units) post({ kind: 'complete', port, stream, frame, at: machineTime() });
  });
}

async function run(): Promise<void> {
  const { fd } = await setUpNetwork(MTU);
  await setTcp({ congestionControl: undefined, notsentLowat: UNSENT_BYTES_MAX });
  const device = new TunDevice(fd);
  const reader = threadOf('kernel-tcp-reader', { fd, mtu: MTU });
  reader.on('message', (packets: readonly KernelPacket[]) => post({ kind: 'sent', packets }));
  reader.on('error', (error) => {
    post({ kind: 'failed', why: causeOf(error) });
    process.exit(1);
  });
  let sender: KernelTcpSender | undefined;
  process.on('message', (message: ToKernelTcp) => {
    switch (message.kind) {
      case 'connect':
        sender?.close();
        sender = new KernelTcpSender({ host: TUN_ADDRESSES.ipv4.across, port: PORT, localPort: message.port }, post);
        return;
      case 'unit':
        return sender?.send(message.unit, machineTime());
      case 'packets':
        for (const packet of message.packets) deliver(device, packet);
        return;
      default:
        message satisfies never;
    }
  });
  const server = createServer(receive);
  server.listen(PORT, '0.0.0.0', () => post({ kind: 'ready' }));
}

/** Gives a packet to the kernel as if another machine had sent it. */
function deliver(device: TunDevice, packet: Uint8Array): void {
  const parsed = parseIpPacket(packet);
  if (!parsed.ok) return;
  swapAddresses(packet, parsed.value);
  device.write(packet);
}

run().catch((error: unknown) => {
  post({ kind: 'failed', why: causeOf(error) });
  process.exitCode = 1;
  process.disconnect?.();
});
