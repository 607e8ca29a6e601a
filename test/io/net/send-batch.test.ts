import { expect, onTestFinished } from 'vitest';
import { DatagramSocket, type DatagramSocketOptions } from '../../../io/net/datagram-socket.ts';
import { ECT_1, NOT_ECT } from '../../../protocol/ecn.ts';
import { until } from './control-peers.ts';
import { withKoffi as test } from './with-koffi.ts';

const HOST = '127.0.0.1';
const LENGTHS = { fullBytes: 1_198, bytesMax: 1_200 };

async function open(options: Partial<DatagramSocketOptions> = {}) {
  const received: Buffer[] = [];
  const onDatagram = (datagram: Uint8Array) => received.push(Buffer.from(datagram));
  const socket = await DatagramSocket.open({ host: HOST, port: 0, onDatagram, ...options });
  onTestFinished(() => socket.close());
  return { socket, received, to: { host: HOST, port: socket.port } };
}

/** A frame of a receiver: full datagrams and a shorter one, all with its number. */
const frameOf = (number: number) => [1_198, 1_198, 1_198, 17].map((length) => new Uint8Array(length).fill(number));

test('sends runs to more destinations than a batch holds, each whole and in order', async () => {
  const { socket } = await open();
  const receivers = await Promise.all(Array.from({ length: 150 }, () => open()));
  for (const [index, { to }] of receivers.entries()) {
    socket.queue(frameOf(index), to, LENGTHS, NOT_ECT);
    // One of receivers that do not know the lengths.
    socket.queue([Uint8Array.of(index, 1), Uint8Array.of(index, 2)], to, undefined, NOT_ECT);
  }
  socket.flush();
  for (const [index, { received }] of receivers.entries()) {
    await until('all have come', () => received.length >= 6);
    const expected = [...frameOf(index), Uint8Array.of(index, 1), Uint8Array.of(index, 2)];
    expect(received).toEqual(expected.map((bytes) => Buffer.from(bytes)));
  }
});

test('nothing leaves before the flush, but in front of what is sent at once', async () => {
  const { socket } = await open();
  const { received, to } = await open();
  const { socket: other, received: sentLater, to: toOther } = await open();
  socket.queue([Uint8Array.of(1)], to, LENGTHS, NOT_ECT);
  // Sent after it by another socket, and received before: loopback keeps the order of calls.
  other.send([Uint8Array.of(9)], to);
  await until('the other one has come', () => received.length > 0);
  expect(received.map(([byte]) => byte)).toEqual([9]);
  socket.send([Uint8Array.of(2)], to);
  await until('all have come', () => received.length === 3);
  expect(received.map(([byte]) => byte)).toEqual([9, 1, 2]);
  socket.queue([Uint8Array.of(3)], toOther, LENGTHS, NOT_ECT);
  socket.send([Uint8Array.of(4)], toOther, undefined, ECT_1);
  await until('both have come', () => sentLater.length === 2);
  expect(sentLater.map(([byte]) => byte)).toEqual([3, 4]);
});

test('a queued datagram is a copy, and leaves at the flush or before the socket closes', async () => {
  const { socket } = await open();
  const { received, to } = await open();
  const datagram = Uint8Array.of(1);
  socket.queue([datagram], to, LENGTHS, NOT_ECT);
  datagram[0] = 9;
  socket.flush();
  socket.queue([Uint8Array.of(2)], to, LENGTHS, NOT_ECT);
  socket.close();
  await until('both have come', () => received.length === 2);
  expect(received.map(([byte]) => byte)).toEqual([1, 2]);
});

test('what the kernel refuses is counted, and does not keep what is behind it', async () => {
  const refused: number[] = [];
  const { socket } = await open({ onRefused: (_, to) => refused.push(to!.port) });
  const { received, to } = await open();
  // Nothing can be sent to port 0.
  for (const each of [to, { host: HOST, port: 0 }, to, { host: HOST, port: 0 }, to]) {
    socket.queue(frameOf(7), each, LENGTHS, NOT_ECT);
  }
  socket.flush();
  await until('all have come', () => received.length === 12 && refused.length >= 2);
  expect(received.map(({ length }) => length)).toEqual([
    ...[1_198, 1_198, 1_198, 17],
    ...[1_198, 1_198, 1_198, 17],
    ...[1_198, 1_198, 1_198, 17],
  ]);
  expect(new Set(refused)).toEqual(new Set([0]));
  expect(socket.sendErrors).toBe(8);
});

test('datagrams that no batch can hold are sent at once', async () => {
  const { socket } = await open();
  const { received, to } = await open();
  const many = Array.from({ length: 300 }, (_, index) => new Uint8Array(1_198).fill(index));
  socket.queue(many, to, LENGTHS, NOT_ECT);
  socket.flush();
  await until('all have come', () => received.length === 300);
  expect(received.map(([byte]) => byte)).toEqual(many.map(([byte]) => byte));
});
