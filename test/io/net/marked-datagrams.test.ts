import { afterEach, describe, expect, onTestFinished } from 'vitest';
import { DatagramSocket } from '../../../io/net/datagram-socket.ts';
import { addressOf, libraryFunction } from '../../../io/os/c-library.ts';
import { CE, ECT_0, ECT_1, type Ecn, NOT_ECT } from '../../../protocol/ecn.ts';
import { HAS_IPV6 } from '../../loopback-session.ts';
import { optional } from '../../optional.ts';
import { until } from './control-peers.ts';

const hasCalls = libraryFunction('int fcntl(int fd, int command, int argument)') !== undefined;
const withCalls = optional('koffi on Linux', hasCalls && addressOf(new Uint8Array(4_096)) !== undefined);

const sockets: DatagramSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** Two sockets, of which the second reads the marks of the first; and what arrives, up to `count` datagrams. */
async function pair(host: string, count: number, bound = host) {
  const received: { readonly bytes: readonly number[]; readonly ecn: Ecn | undefined; readonly port: number }[] = [];
  let isDone: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    isDone = resolve;
  });
  const sender = await DatagramSocket.open({ host: bound, port: 0, onDatagram: () => {} });
  const receiver = await DatagramSocket.open({
    ...{ host, port: 0, readsEcn: true, lengths: { fullBytes: 8, bytesMax: 1_200 } },
    peer: { host, port: sender.port },
    onDatagram: (datagram, { port }, ecn) => {
      received.push({ bytes: [...datagram], ecn, port });
      if (received.length === count) isDone();
    },
  });
  sockets.push(sender, receiver);
  return { sender, receiver, received, done, to: { host, port: receiver.port } };
}

describe('a socket that reads ECN bits', () => {
  for (const host of ['127.0.0.1', '::1']) {
    withCalls(`returns them with each datagram, in order, over ${host}`, async () => {
      const marks = [NOT_ECT, ECT_1, ECT_0, CE, CE, ECT_0];
      const { sender, received, done, to } = await pair(host, marks.length);
      for (const [index, ecn] of marks.entries()) sender.send([Uint8Array.of(index, 7)], to, undefined, ecn);
      await done;
      expect(received).toEqual(marks.map((ecn, index) => ({ bytes: [index, 7], ecn, port: sender.port })));
    });
  }

  withCalls('receives more than one system call returns', async () => {
    const { sender, received, done, to } = await pair('127.0.0.1', 700);
    const datagrams = Array.from({ length: 700 }, (_, index) => Uint8Array.of(index >> 8, index & 0xff));
    sender.send(datagrams, to, undefined, ECT_0);
    await done;
    expect(received.map(({ bytes }) => bytes)).toEqual(datagrams.map((datagram) => [...datagram]));
    expect(new Set(received.map(({ ecn }) => ecn))).toEqual(new Set([ECT_0]));
  });

  withCalls('receives the parts of a run that left in one system call', async () => {
    const { sender, received, done, to } = await pair('127.0.0.1', 5);
    const run = [1, 2, 3, 4].map((value) => new Uint8Array(400).fill(value));
    sender.send([...run, Uint8Array.of(5)], to, { fullBytes: 400, bytesMax: 1_200 }, CE);
    await done;
    expect(received.map(({ bytes, ecn }) => [bytes.length, bytes[0], ecn])).toEqual([
      ...[1, 2, 3, 4].map((value) => [400, value, CE]),
      [1, 5, CE],
    ]);
  });

  optional('koffi, and IPv6 on the loopback interface', hasCalls && HAS_IPV6)(
    'gets them from an IPv6 socket that sends to an IPv4 address',
    async () => {
      const { sender, received, done, to } = await pair('127.0.0.1', 2, '::');
      const mapped = { host: '::ffff:127.0.0.1', port: to.port };
      sender.send([Uint8Array.of(1)], mapped, undefined, ECT_0);
      sender.send([Uint8Array.of(2)], mapped, undefined, ECT_1);
      await done;
      expect(received.map(({ bytes, ecn }) => [bytes[0], ecn])).toEqual([
        [1, ECT_0],
        [2, ECT_1],
      ]);
    },
  );

  withCalls('counts the error of a peer that is gone, and goes on reading', async () => {
    const { sender, receiver, received, done, to } = await pair('127.0.0.1', 1);
    const { port } = sender;
    sender.close();
    receiver.send([Uint8Array.of(1)]);
    await until('it is counted', () => receiver.sendErrors > 0);
    const again = await DatagramSocket.open({ host: '127.0.0.1', port, onDatagram: () => {} });
    sockets.push(again);
    again.send([Uint8Array.of(2)], to, undefined, CE);
    await done;
    expect(received).toEqual([{ bytes: [2], ecn: CE, port }]);
  });

  withCalls('hears of arrivals beside another handler of the signal', async () => {
    const before = process.listeners('SIGIO');
    process.removeAllListeners('SIGIO');
    const other = () => {};
    process.on('SIGIO', other);
    onTestFinished(() => {
      process.removeListener('SIGIO', other);
    });
    await pair('127.0.0.1', 1);
    await pair('127.0.0.1', 1);
    const added = process.listeners('SIGIO').filter((each) => each !== other);
    expect(added).toHaveLength(1);
    if (before.length > 0) expect(added).toEqual(before);
  });

  withCalls('leaves the reads to Node on a processor whose structures it does not know', async () => {
    const arch = Object.getOwnPropertyDescriptor(process, 'arch')!;
    Object.defineProperty(process, 'arch', { ...arch, value: 's390x' });
    onTestFinished(() => {
      Object.defineProperty(process, 'arch', arch);
    });
    const { sender, received, done, to } = await pair('127.0.0.1', 1);
    sender.send([Uint8Array.of(1)], to, undefined, ECT_0);
    await done;
    expect(received[0]).toMatchObject({ bytes: [1], ecn: undefined });
  });

  withCalls('leaves nothing to read after it is closed', async () => {
    const { sender, receiver, received, done, to } = await pair('127.0.0.1', 1);
    sender.send([Uint8Array.of(1)], to, undefined, ECT_0);
    await done;
    sender.send([Uint8Array.of(2)], to, undefined, ECT_0);
    receiver.close();
    const next = await pair('127.0.0.1', 1);
    next.sender.send([Uint8Array.of(3)], next.to, undefined, CE);
    await next.done;
    expect(received).toHaveLength(1);
  });
});
