import { describe, expect, test } from 'vitest';
import { networkOf } from '../../../io/net/networks.ts';
import { instant } from '../../../protocol/base/units.ts';
import { placeFor } from '../../../session/stream/places.ts';

const LIMITS = { receiversMax: 4, receiversPerAddressMax: 2 };
const holder = (address: string, joinedAt: number, reachable = false) => ({
  address,
  joinedAt: instant(joinedAt),
  reachable,
});

describe('a receiver that wants a place', () => {
  test('gets one while there are free ones', () => {
    expect(placeFor('10.0.0.9', [holder('10.0.0.1', 1)], LIMITS)).toEqual({ evict: undefined });
  });

  test('takes the place of the oldest unreached receiver in the network with the most receivers', () => {
    const holders = [holder('10.0.0.1', 1), holder('10.0.0.2', 3), holder('10.0.0.2', 2), holder('10.0.0.3', 0, true)];
    expect(placeFor('10.0.0.9', holders, LIMITS)).toEqual({ evict: holders[2] });
  });

  test('does not displace receivers that are reached', () => {
    const holders = [1, 2, 3, 4].map((host) => holder(`10.0.0.${host}`, host, true));
    expect(placeFor('10.0.0.9', holders, LIMITS)).toEqual({ refused: '4 receivers are being served' });
  });

  test('displaces its own address before others, and holds no more places there than allowed', () => {
    const own = [holder('10.0.0.9', 5), holder('10.0.0.9', 6, true)];
    expect(placeFor('10.0.0.9', own, LIMITS)).toEqual({ evict: own[0] });
    const reached = own.map((each) => ({ ...each, reachable: true }));
    expect(placeFor('10.0.0.9', reached, LIMITS)).toEqual({ refused: '2 receivers at this address are being served' });
  });

  test('of this machine may have all of them', () => {
    const holders = [1, 2, 3].map((at) => holder('127.0.0.1', at, true));
    expect(placeFor('::1', holders, LIMITS)).toEqual({ evict: undefined });
  });
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['127.0.0.2', 'loopback'],
  ['::1', 'loopback'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('%s is in the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
