/**
 * Runs inside `dropframe link --tun`, or without it for comparison. `tun-probe ADDRESS MEGABITS SECONDS` sends small
 * datagrams to itself at ADDRESS while two other processes send TCP at that rate (0: none; Infinity: unlimited), and
 * prints a JSON line with the datagram delays in microseconds and the TCP throughput.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { argv, hrtime, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { percentile, sorted } from '../lab/metrics/percentile.ts';

const TCP_PORT = 7_001;
const UDP_PORT = 7_002;
const PROBE_MS = 5;
const WRITE_BYTES = 65_536;
/** Warm-up of connections and compilers, milliseconds. */
const WARM_UP_MS = 2_000;

const [, , address = '127.0.0.1', rate = '0', length = '10', role = 'probe'] = argv;
const bytesPerMs = (Number(rate) * 1_000) / 8;
const lengthMs = Number(length) * 1_000;

function sink(): void {
  let bytes = 0;
  createServer((socket) => socket.on('data', (chunk) => (bytes += chunk.length))).listen(TCP_PORT, '0.0.0.0', () =>
    process.send?.('ready'),
  );
  process.on('message', () => process.send?.(bytes));
}

/** Sends the due bytes every millisecond; without a rate, as much as possible. */
async function source(): Promise<void> {
  const socket = createConnection({ host: address, port: TCP_PORT, noDelay: true });
  await once(socket, 'connect');
  const chunk = Buffer.alloc(WRITE_BYTES);
  if (bytesPerMs === Number.POSITIVE_INFINITY) {
    const fill = () => {
      while (socket.write(chunk));
    };
    socket.on('drain', fill);
    fill();
    return;
  }
  const startedAt = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = Math.floor((performance.now() - startedAt) * bytesPerMs);
    // Bytes that were not sent in time are not made up in one burst.
    const take = Math.min(due - sent, WRITE_BYTES);
    sent = due;
    if (take > 0) socket.write(chunk.subarray(0, take));
  }, 1);
}

async function probe(): Promise<void> {
  const self = fileURLToPath(import.meta.url);
  const start = (name: string) => fork(self, [address, rate, length, name]);
  const children: ChildProcess[] = [];
  if (bytesPerMs > 0) {
    const receiving = start('sink');
    await once(receiving, 'message');
    children.push(receiving, start('source'));
  }
  const socket = createSocket('udp4').bind(UDP_PORT);
  await once(socket, 'listening');
  const delays: number[] = [];
  socket.on('message', (message) => delays.push(Number(hrtime.bigint() - message.readBigInt64LE()) / 1_000));
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const carried = async () => {
    const [sinkProcess] = children;
    if (!sinkProcess) return 0;
    sinkProcess.send('how much?');
    return ((await once(sinkProcess, 'message')) as [number])[0];
  };
  const [startedAt, before] = [performance.now(), await carried()];
  const timer = setInterval(() => {
    const message = Buffer.alloc(64);
    message.writeBigInt64LE(hrtime.bigint());
    socket.send(message, UDP_PORT, address);
  }, PROBE_MS);
  await new Promise((resolve) => setTimeout(resolve, lengthMs));
  clearInterval(timer);
  const megabits = (((await carried()) - before) * 8) / 1_000 / (performance.now() - startedAt);
  for (const child of children) child.kill();
  const sortedDelays = sorted(delays);
  const at = (share: number) => Math.round(percentile(sortedDelays, share) ?? Number.NaN);
  stdout.write(`${JSON.stringify({ count: delays.length, p50: at(0.5), p99: at(0.99), megabits })}\n`);
  socket.close();
}

// Exits with the parent.
process.on('disconnect', () => process.exit(0));
if (role === 'sink') sink();
else if (role === 'source') await source();
else await probe();
