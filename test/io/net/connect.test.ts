import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { addressesOf, connected, connectedTo, inTurn } from '../../../io/net/connect.ts';
import { reachableAddresses } from '../../../io/net/host-address.ts';

async function listening(host: string): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

test('reaches a server that listens on one address of a name that has several', async () => {
  const port = await listening('127.0.0.1');
  const { socket, address } = await connectedTo('localhost', port);
  onTestFinished(() => void socket.destroy());
  expect(address).toBe('127.0.0.1');
});

test('rejects with the error of the operating system when no address answers', async () => {
  const port = await listening('127.0.0.1');
  await expect(connected('127.0.0.2', port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('takes the two families in turn, beginning with the first that the resolver names', () => {
  expect(inTurn(['::1', '::2', '127.0.0.1'])).toEqual(['::1', '127.0.0.1', '::2']);
  expect(inTurn(['127.0.0.1', '::1', '::2'])).toEqual(['127.0.0.1', '::1', '::2']);
  expect(inTurn(['127.0.0.1'])).toEqual(['127.0.0.1']);
  expect(inTurn([])).toEqual([]);
});

test('takes an address as it is', async () => {
  expect(await addressesOf('fe80::1%lo')).toEqual(['fe80::1%lo']);
});

test('names the addresses of this machine in place of the unspecified one', () => {
  expect(reachableAddresses('127.0.0.1')).toEqual(['127.0.0.1']);
  for (const bound of ['0.0.0.0', '::']) {
    expect(reachableAddresses(bound).length).toBeGreaterThan(0);
    expect(reachableAddresses(bound)).not.toContain(bound);
  }
});
