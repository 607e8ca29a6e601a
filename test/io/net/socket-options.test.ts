import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { DirectSend } from '../../../io/net/direct-send.ts';
import { receiveDrops } from '../../../io/net/receive-drops.ts';
import { segmentsReceived } from '../../../io/net/tcp-segments.ts';
import { withKoffi as test } from './with-koffi.ts';

const HOST = '127.0.0.1';

test('counts the segments of an open connection only', async () => {
  const server = createServer((socket) => socket.resume()).listen(0, HOST);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, HOST);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const before = segmentsReceived(accepted)!;
  for (let message = 0; message < 10; message++) {
    client.write('x');
    await once(accepted, 'data');
  }
  expect(segmentsReceived(accepted)! - before).toBeGreaterThanOrEqual(10);
  client.destroy();
  await once(accepted, 'close');
  expect(segmentsReceived(accepted)).toBeUndefined();
});

test('counts the datagrams dropped at a full receive buffer', async () => {
  const receiver = createSocket({ type: 'udp4', recvBufferSize: 20_000 }).bind(0, HOST);
  const sender = createSocket('udp4').bind(0, HOST);
  onTestFinished(() => {
    receiver.close();
    sender.close();
  });
  await Promise.all([once(receiver, 'listening'), once(sender, 'listening')]);
  expect(receiveDrops(receiver)).toBe(0);
  const direct = new DirectSend(sender);
  // Sent within one turn of the event loop, so that nothing is read meanwhile.
  for (let index = 0; index < 100; index++)
    direct.send(new Uint8Array(1_000), { host: HOST, port: receiver.address().port });
  let received = 0;
  receiver.on('message', () => received++);
  const drops = receiveDrops(receiver)!;
  expect(drops).toBeGreaterThan(0);
  while (received < 100 - drops) await new Promise((resolve) => setImmediate(resolve));
  expect(received).toBe(100 - drops);
});
