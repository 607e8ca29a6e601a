import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { PendingSockets, pendingMaxFor } from '../../../io/net/pending-sockets.ts';

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  destroyed = false;

  constructor(remoteAddress: string, remotePort: number) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function connections(pendingMax: number) {
  const pending = new PendingSockets({ pendingMax });
  const open = (address: string, port: number): FakeSocket => {
    const socket = new FakeSocket(address, port);
    pending.add(socket as unknown as Socket);
    return socket;
  };
  return { pending, open };
}

test('the oldest connection of the most crowded network makes way', () => {
  const { open } = connections(3);
  const other = open('192.0.2.9', 1);
  const crowd = [1, 2, 3, 4].map((port) => open('192.0.2.1', port));
  expect(other.destroyed).toBe(false);
  expect(crowd.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false]);
});

test('established and closed connections do not count', () => {
  const { pending, open } = connections(2);
  const known = open('192.0.2.1', 1);
  pending.establish(known);
  open('192.0.2.1', 2).destroy();
  const others = [3, 4].map((port) => open('192.0.2.1', port));
  expect([known, ...others].map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
  open('192.0.2.1', 5);
  expect([known, ...others].map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
});

test('fewer connections may be pending where open files are scarce', () => {
  const limits = [24, 64, 256, 1024, Number.POSITIVE_INFINITY];
  expect(limits.map((filesMax) => pendingMaxFor(64, filesMax))).toEqual([4, 4, 36, 64, 64]);
});
