// Run by a test inside a network namespace whose loopback interface is slow: sends more runs of datagrams than the socket's
// buffer takes, with a single datagram to another address after some of them, and prints how many of each length came.
import { createSocket } from 'node:dgram';
import { DatagramSocket } from '../../../io/net/datagram-socket.ts';

const host = process.argv[2]!;
const LENGTH = 1_200;
const RUN = 20;
const RUNS = 600;
const counts: Record<number, number> = {};
const family = host.includes(':') ? 'udp6' : 'udp4';
const sinks = [createSocket(family), createSocket(family)];
for (const sink of sinks) {
  sink.on('message', ({ length }) => {
    counts[length] = (counts[length] ?? 0) + 1;
  });
  await new Promise<void>((resolve) => sink.bind(0, host, resolve));
  sink.setRecvBufferSize(4_000_000);
}
const [first, second] = sinks.map((sink) => ({ host, port: sink.address().port }));
const sender = await DatagramSocket.open({ host, port: 0, reusesMemory: true, onDatagram: () => {} });
const run = Array.from({ length: RUN }, () => new Uint8Array(LENGTH).fill(1));
let sent = 0;
for (let index = 0; index < RUNS; index++) {
  sender.send(run, first, { fullBytes: LENGTH, bytesMax: LENGTH });
  sent += RUN;
  if (index % 40 !== 39) continue;
  sender.send([new Uint8Array(60)], second);
  sent += 1;
  await new Promise(setImmediate);
}
// What is joined to a long datagram is missing: the wait ends when nothing more comes.
const received = () => Object.values(counts).reduce((sum, count) => sum + count, 0);
for (let before = -1; received() < sent && received() > before; ) {
  before = received();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
}
console.log(JSON.stringify({ counts, errors: sender.sendErrors }));
for (const socket of [sender, ...sinks]) socket.close();
