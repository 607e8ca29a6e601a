import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect } from 'vitest';
import { DirectSend } from '../../../io/net/direct-send.ts';
import { withKoffi as test } from './with-koffi.ts';

const HOST = '127.0.0.1';
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

async function bound(): Promise<{ readonly socket: Socket; readonly port: number }> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return { socket, port: socket.address().port };
}

test('sends datagrams unchanged, also from the middle of a buffer', async () => {
  const receiver = await bound();
  const sender = await bound();
  const direct = new DirectSend(sender.socket);
  const arrived = once(receiver.socket, 'message') as Promise<[Buffer, { port: number }]>;
  const large = Uint8Array.from({ length: 100 }, (_, index) => index);
  expect(direct.send(large.subarray(10, 14), { host: HOST, port: receiver.port })).toBe(true);
  const [message, from] = await arrived;
  expect([...message]).toEqual([10, 11, 12, 13]);
  expect(from.port).toBe(sender.port);
});

test('leaves datagrams that it cannot send to Node', async () => {
  const sender = await bound();
  const direct = new DirectSend(sender.socket);
  expect(direct.send(Uint8Array.of(1), { host: '::1', port: 9 })).toBe(false);
  expect(direct.send(new Uint8Array(70_000), { host: HOST, port: sender.port })).toBe(false);
});
