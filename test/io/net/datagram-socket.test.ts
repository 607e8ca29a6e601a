import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DatagramSocket, type DatagramSocketOptions } from '../../../io/net/datagram-socket.ts';
import { libraryFunction } from '../../../io/os/c-library.ts';
import { Failure } from '../../../io/os/failure.ts';
import { tryNamespaces } from '../../../io/os/network-namespace.ts';
import { ECT_0 } from '../../../protocol/ecn.ts';
import { HAS_IPV6 } from '../../loopback-session.ts';
import { optional } from '../../optional.ts';
import { until } from './control-peers.ts';

/** As of a session: retransmissions are two bytes longer than a full media packet. */
const FULL = 1_198;
const LIMIT = 1_200;

async function open(options: Partial<DatagramSocketOptions> = {}) {
  const received: Buffer[] = [];
  const socket = await DatagramSocket.open({
    host: '127.0.0.1',
    port: 0,
    lengths: { fullBytes: FULL, bytesMax: LIMIT },
    onDatagram: (datagram) => received.push(Buffer.from(datagram)),
    ...options,
  });
  onTestFinished(() => socket.close());
  return { socket, received };
}

/** Returns numbered datagrams of these lengths in one block of memory, as a packetizer does. */
function adjacent(lengths: readonly number[]): Uint8Array[] {
  const memory = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  return lengths.map((length, index) => {
    const datagram = memory.subarray(offset, offset + length).fill(index + 1);
    offset += length;
    return datagram;
  });
}

describe('datagram boundaries are kept for', () => {
  const runs: [string, readonly number[]][] = [
    ['one', [100]],
    ['full ones', [FULL, FULL, FULL]],
    ['full datagrams and a shorter one', [FULL, FULL, FULL, 17]],
    ['more full datagrams than a system call carries', Array.from({ length: 120 }, () => FULL)],
    ['short datagrams between full ones', [5, FULL, FULL, 3, 4, FULL, 9, FULL]],
    ['a full datagram and one that makes both no longer than the longest', [FULL, 2, FULL, 1]],
    ['the longest datagrams between full ones', [FULL, FULL, LIMIT, FULL, LIMIT, LIMIT, FULL, FULL, FULL]],
    ['datagrams of equal length that are not full', [600, 600, 600, 600]],
  ];

  test.each(runs)('%s', async (_, lengths) => {
    const server = await open();
    const client = await open({ host: '0.0.0.0', peer: { host: '127.0.0.1', port: server.socket.port } });
    const datagrams = adjacent(lengths);
    client.socket.send(datagrams);
    await until('all have come', () => server.received.length >= lengths.length);
    expect(server.received.map((datagram) => [datagram.length, datagram[0]])).toEqual(
      lengths.map((length, index) => [length, index + 1]),
    );
    // And back: a coalesced receive is split where the sender split it.
    server.socket.send(datagrams, { host: '127.0.0.1', port: client.socket.port });
    await until('all have come back', () => client.received.length >= lengths.length);
    expect(client.received.map((datagram) => [datagram.length, datagram[0]])).toEqual(
      lengths.map((length, index) => [length, index + 1]),
    );
  });

  test('datagrams anywhere in memory', async () => {
    const server = await open();
    const client = await open({ host: '0.0.0.0', peer: { host: '127.0.0.1', port: server.socket.port } });
    const scattered = [3, 1, 2].map((byte) => new Uint8Array(FULL).fill(byte));
    client.socket.send(scattered);
    await until('all have come', () => server.received.length === 3);
    expect(server.received).toEqual(scattered.map((datagram) => Buffer.from(datagram)));
  });
});

test('receives from its peer only', async () => {
  const peer = await open();
  const stranger = await open();
  const { socket, received } = await open({ host: '0.0.0.0', peer: { host: '127.0.0.1', port: peer.socket.port } });
  const to = { host: '127.0.0.1', port: socket.port };
  stranger.socket.send([Uint8Array.of(6, 6, 6)], to);
  peer.socket.send([Uint8Array.of(1)], to);
  await until('the peer is heard', () => received.length > 0);
  expect(received).toEqual([Buffer.of(1)]);
});

test('counts the errors of a peer that is gone and continues', async () => {
  const peer = await open();
  const { socket } = await open({ host: '0.0.0.0', peer: { host: '127.0.0.1', port: peer.socket.port } });
  peer.socket.close();
  for (let count = 0; count < 5; count++) {
    socket.send([Uint8Array.of(1)]);
    await new Promise(setImmediate);
  }
  await until('it is counted', () => socket.sendErrors > 0);
});

test('counts datagrams that cannot be sent', async () => {
  const { socket } = await open();
  // Longer than UDP allows.
  socket.send([new Uint8Array(70_000)], { host: '127.0.0.1', port: socket.port });
  await until('it is counted', () => socket.sendErrors > 0);
});

test('sends nothing after a close, which is idempotent', async () => {
  const { socket } = await open();
  socket.close();
  socket.close();
  socket.send([Uint8Array.of(1)], { host: '127.0.0.1', port: 9 });
});

test('reports a busy port in one line', async () => {
  const { socket } = await open();
  const attempt = open({ port: socket.port });
  await expect(attempt).rejects.toBeInstanceOf(Failure);
  await expect(attempt).rejects.toThrow(`cannot open UDP 127.0.0.1:${socket.port}: the port is in use`);
});

optional('IPv6 on the loopback interface', HAS_IPV6)('works over IPv6', async () => {
  const server = await open({ host: '::1' });
  const client = await open({ host: '::', peer: { host: '::1', port: server.socket.port } });
  client.socket.send(adjacent([FULL, FULL, 8]));
  await until('all have come', () => server.received.length === 3);
  expect(server.received.map(({ length }) => length)).toEqual([FULL, FULL, 8]);
});

const namespaces = await tryNamespaces();

optional('network namespaces', 'arguments' in namespaces)(
  'sends one by one what the kernel refuses as a batch, because the MTU of the path is below the datagrams',
  () => {
    const script = `ip link set lo mtu 1000 up && exec "$0" --import tsx "$1"`;
    const arguments_ = 'arguments' in namespaces ? namespaces.arguments : [];
    const file = join(import.meta.dirname, 'small-mtu.ts');
    const output = execFileSync('unshare', [...arguments_, 'sh', '-c', script, process.execPath, file], {
      encoding: 'utf8',
    });
    // The bits are those of the first attempt, too; without koffi they are not read.
    const marks = [libraryFunction('int fcntl(int fd, int command, int argument)') ? ECT_0 : null];
    expect(JSON.parse(output)).toEqual({ received: 32, bytes: [LIMIT], marks, refused: 0 });
  },
);

// IPv6 leaves through Node, IPv4 by a system call of ours.
optional('network namespaces', 'arguments' in namespaces)(
  'keeps datagrams apart that wait for a slow interface',
  () => {
    const arguments_ = 'arguments' in namespaces ? namespaces.arguments : [];
    const script = `ip link set lo up && tc qdisc add dev lo root tbf rate 60mbit burst 100k limit 60mb && exec "$0" --import tsx "$@"`;
    const file = join(import.meta.dirname, 'slow-interface.ts');
    for (const host of HAS_IPV6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
      const output = execFileSync('unshare', [...arguments_, 'sh', '-c', script, process.execPath, file, host], {
        encoding: 'utf8',
      });
      const { counts, errors } = JSON.parse(output) as { counts: Record<string, number>; errors: number };
      expect([host, Object.keys(counts), errors]).toEqual([host, ['60', '1200'], 0]);
      // A busy machine reads late, and its kernel drops some.
      expect(counts['1200']).toBeGreaterThan(6_000);
    }
  },
);

test('datagrams beyond the limit are not taken, and those of its length are', async () => {
  const { socket, received } = await open({ receivedBytesMax: 1_000 });
  const client = await open();
  const to = { host: '127.0.0.1', port: socket.port };
  const lengths = [1_000, 1_001, 60_000, 999, 1];
  for (const length of lengths) client.socket.send([new Uint8Array(length)], to);
  await until('the last one has come', () => received.at(-1)?.length === 1);
  expect(received.map(({ length }) => length)).toEqual([1_000, 999, 1]);
});

optional('Linux and koffi', libraryFunction('int getpid()') !== undefined)(
  'the kernel gives datagrams beyond the limit no room in the receive buffer',
  async () => {
    const { socket, received } = await open({ receivedBytesMax: 1_000 });
    const client = await open();
    const to = { host: '127.0.0.1', port: socket.port };
    // Together ten times the buffer; this turn reads none of them.
    for (let count = 0; count < 1_200; count++) client.socket.send([new Uint8Array(65_000)], to);
    client.socket.send([new Uint8Array(10)], to);
    await until('the short one has come', () => received.length > 0);
    expect([received.map(({ length }) => length), socket.receiveDrops]).toEqual([[10], 1_200]);
  },
);
