import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { NetworkShares } from '../../../io/net/network-shares.ts';

const from = (remoteAddress: string) => Object.assign(new EventEmitter(), { remoteAddress });

test('a network has its share of the connections, which comes back as they close', () => {
  const shares = new NetworkShares({ perNetworkMax: 2 });
  const first = from('192.0.2.1');
  expect([first, from('192.0.2.1'), from('192.0.2.1')].map((each) => shares.admits(each as never))).toEqual([
    ...[true, true, false],
  ]);
  expect(shares.admits(from('192.0.2.2') as never)).toBe(true);
  first.emit('close');
  expect(shares.admits(from('192.0.2.1') as never)).toBe(true);
  expect(shares.admits(from('192.0.2.1') as never)).toBe(false);
});

test('loopback has no share, as all programs of the machine use it', () => {
  const shares = new NetworkShares({ perNetworkMax: 1 });
  for (let count = 0; count < 5; count++) expect(shares.admits(from('127.0.0.1') as never)).toBe(true);
});
