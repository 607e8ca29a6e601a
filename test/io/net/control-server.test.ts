import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ControlServer } from '../../../io/net/control-server.ts';
import { Failure } from '../../../io/os/failure.ts';
import { HAS_IPV6 } from '../../loopback-session.ts';
import { optional } from '../../optional.ts';
import { frame, HELLO, listening, Peer, until } from './control-peers.ts';

describe('listening', () => {
  test('on a busy port fails in one line that names it', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const attempt = listening({ port });
    await expect(attempt).rejects.toBeInstanceOf(Failure);
    await expect(attempt).rejects.toThrow(`cannot listen on TCP 127.0.0.1:${port}: the port is in use`);
    taken.close();
  });

  test('on a foreign address fails too', async () => {
    await expect(listening({ host: '203.0.113.1' })).rejects.toThrow('this machine does not have this address');
  });

  const named = async (host: string, bracketed: string) => {
    const { server, heard } = await listening({ host });
    const peer = await Peer.to(server.port, { host });
    await until('it is accepted', () => heard.length === 1);
    expect(heard[0]?.pending.peer).toBe(`${bracketed}:${peer.socket.localPort}`);
  };

  test('names its peers', () => named('127.0.0.1', '127.0.0.1'));

  optional('IPv6 on the loopback interface', HAS_IPV6)('names IPv6 peers', () => named('::1', '[::1]'));

  test('returns at once if it was closed before', async () => {
    const server = new ControlServer({
      host: '127.0.0.1',
      port: 0,
      pendingMax: 1,
      connectionsMax: 1,
      firstMessageTimeoutMs: 1,
      onConnection: () => {},
    });
    await server.close();
    expect(server.counters).toEqual({ accepted: 0, refused: 0, open: 0 });
  });
});

describe('silent peers', () => {
  test('are closed after the timeout, and others are not', async () => {
    const { server, heard } = await listening({ firstMessageTimeoutMs: 150 });
    const silent = await Peer.to(server.port);
    const dripping = await Peer.to(server.port);
    const spoken = await Peer.to(server.port);
    spoken.socket.write(frame(HELLO));
    // Slow loris: a byte at intervals, and never a complete message.
    const bytes = frame(HELLO);
    let sent = 0;
    const drip = setInterval(() => dripping.socket.write(bytes.subarray(sent, ++sent)), 20);
    await until('both are closed', () => silent.closed && dripping.closed);
    clearInterval(drip);
    expect(server.counters).toMatchObject({ accepted: 3, refused: 2, open: 1 });
    expect(heard.filter(({ messages }) => messages.length > 0)).toHaveLength(1);
    expect(spoken.closed).toBe(false);
  });

  test('are displaced by newer ones, the oldest first', async () => {
    const { server, heard } = await listening({ pendingMax: 2 });
    const peers: Peer[] = [];
    for (let count = 0; count < 4; count++) {
      peers.push(await Peer.to(server.port));
      await until('it is accepted', () => heard.length === count + 1);
    }
    await until('two are closed', () => peers.filter(({ closed }) => closed).length === 2);
    expect(peers.map(({ closed }) => closed)).toEqual([true, true, false, false]);
  });
});

test('refuses connections beyond the limit, and accepts more after one has closed', async () => {
  const { server, heard } = await listening({ connectionsMax: 2 });
  const first = await Peer.to(server.port);
  const second = await Peer.to(server.port);
  for (const peer of [first, second]) peer.socket.write(frame(HELLO));
  await until('both messages have arrived', () => heard.filter(({ messages }) => messages.length === 1).length === 2);
  const third = await Peer.to(server.port);
  await until('the third is closed', () => third.closed);
  expect(server.counters).toMatchObject({ accepted: 2, refused: 1, open: 2 });
  first.socket.destroy();
  await until('the first is gone', () => server.counters.open === 1);
  const fourth = await Peer.to(server.port);
  fourth.socket.write(frame(HELLO));
  await until('the fourth message has arrived', () => heard.at(-1)?.messages.length === 1);
  expect(second.closed).toBe(false);
});

test('bounds two thousand silent connections without locking others out', async () => {
  const { server, heard } = await listening({ pendingMax: 64, connectionsMax: 256 });
  const early = await Peer.to(server.port);
  early.socket.write(frame(HELLO));
  await until('the early message has arrived', () => heard[0]?.messages.length === 1);
  let openMax = 0;
  const flood: Promise<unknown>[] = [];
  for (let count = 0; count < 2_000; count++) {
    flood.push(Peer.to(server.port).catch(() => {}));
    if (count % 50 === 49) await new Promise(setImmediate);
    openMax = Math.max(openMax, server.counters.open);
  }
  const late = await Peer.to(server.port);
  late.socket.write(frame(HELLO));
  await Promise.all(flood);
  await until('the late message has arrived', () => heard.filter(({ messages }) => messages.length === 1).length === 2);
  await until('the flood has gone down', () => server.counters.open <= 66);
  expect(openMax).toBeLessThanOrEqual(256);
  // Some of the flood is reset before it is accepted; without most of it the test would prove nothing.
  expect(server.counters.accepted + server.counters.refused).toBeGreaterThanOrEqual(1_000);
  early.socket.write(frame({ kind: 'play' }));
  await until('another early message has arrived', () => heard[0]?.messages.length === 2);
  expect(early.closed).toBe(false);
});
