import { expect, test } from 'vitest';
import { parseRistAddress } from '../../../session/rist/rist-address.ts';

test.each([
  ['rist://127.0.0.1:5000', { host: '127.0.0.1', port: 5_000, bufferMs: undefined }],
  ['rist://@127.0.0.1:5000', { host: '127.0.0.1', port: 5_000, bufferMs: undefined }],
  ['rist://@:5000', { host: '0.0.0.0', port: 5_000, bufferMs: undefined }],
  ['rist://@[::1]:5000/?buffer=300', { host: '::1', port: 5_000, bufferMs: 300 }],
])('%s is where a stream is received', (text, place) => {
  expect(parseRistAddress(text, 'receive')).toEqual(place);
});

test.each([
  ['rist://127.0.0.1:5001', 'receive', 'the port must be even'],
  ['rist://127.0.0.1', 'receive', 'expected rist://HOST:PORT'],
  ['rist://:5000', 'receive', 'expected rist://HOST:PORT'],
  ['rist://127.0.0.1:0', 'receive', 'the port must be from'],
  ['rist://127.0.0.1:65536', 'receive', 'the port must be from'],
  ['rist://127.0.0.1:5000?buffer=soon', 'receive', 'buffer is in milliseconds'],
  ['rist://127.0.0.1:5000?secret=x&aes-type=128', 'receive', "'secret' in the URL: only the simple profile"],
  ['rist://127.0.0.1:5000?buffer=300', 'send', "'buffer' in the URL: only the simple profile"],
  ['rist://@:5000', 'send', 'waits for a receiver that connects'],
] as const)('%s cannot be used to %s, and it says why', (text, use, cause) => {
  expect(parseRistAddress(text, use)).toContain(cause);
});
