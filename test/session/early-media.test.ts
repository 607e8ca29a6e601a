import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { makeIdentity } from '../../io/crypto/identity.ts';
import { until } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';
import { differences } from '../simulated-session.ts';

const identity = makeIdentity();
const passphrase = 'correct horse';

/** A listener whose n-th connection is handled by `handle`. */
async function listener(handle: (socket: Socket, index: number) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    handle(socket, sockets.push(socket) - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return { sockets, port: typeof address === 'object' && address ? address.port : 0 };
}

/** Passes the n-th connection on to a port. */
const proxy = (portOf: (index: number) => number) =>
  listener((socket, index) => {
    const onward = connect(portOf(index), '127.0.0.1');
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });

test('over TCP, the connection for media is opened while the session is agreed on, and says nothing', async () => {
  const heard: number[] = [];
  const { port, sockets } = await listener((socket, index) => socket.on('data', () => heard.push(index)));
  const { client } = receive(port, { transport: 'tcp' });
  await until('both are open', () => sockets.length === 2 && heard.length > 0);
  expect(heard).toEqual([0]);
  client.stop();
  await until('both are closed', () => sockets.every(({ destroyed, readableEnded }) => destroyed || readableEnded));
});

test('over UDP there is one connection', async () => {
  const { port, sockets } = await listener((socket) => socket.once('data', () => setImmediate(() => socket.destroy())));
  const { waited } = receive(port, { transport: 'udp', timeoutMs: 3_000 });
  await until('it has tried', () => waited.length > 0);
  expect(sockets).toHaveLength(1);
});

test('a media connection that leads to another sender is not used', async () => {
  const { server } = await serve(madeUpUnits(60), { identity, passphrase });
  const { server: other } = await serve(madeUpUnits(60), { identity: makeIdentity(), passphrase });
  const { port } = await proxy((index) => (index % 2 === 0 ? server.port : other.port));
  const { run, received } = receive(port, { transport: 'tcp', passphrase, timeoutMs: 2_500 });
  await expect(run).rejects.toThrow();
  expect(received).toEqual([]);
});

test.each(['fails', 'is closed by the sender'])('a media connection that %s is opened again', async (how) => {
  const { server, sent } = await serve(madeUpUnits(60), { identity });
  const second = how === 'fails' ? 1 : await deaf();
  const { port } = await proxy((index) => (index === 1 ? second : server.port));
  const { run, received } = receive(port, { transport: 'tcp', fingerprint: identity.fingerprint });
  expect(await run).toBe('end-of-stream');
  expect(differences(received, sent)).toEqual([]);
});

/** Port of a listener that closes each connection. */
const deaf = async (): Promise<number> => (await listener((socket) => socket.destroy())).port;
