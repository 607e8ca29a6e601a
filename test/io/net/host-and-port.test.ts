import { expect, it } from 'vitest';
import { addressAndQuery } from '../../../io/net/host-and-port.ts';

it('keeps a second question mark within the query', () => {
  expect(addressAndQuery('/?token=secret?')).toEqual(['/', 'token=secret?']);
  expect(addressAndQuery('/page.js')).toEqual(['/page.js', '']);
  expect(addressAndQuery('')).toEqual(['', '']);
  expect(addressAndQuery('host:7000?')).toEqual(['host:7000', '']);
});
