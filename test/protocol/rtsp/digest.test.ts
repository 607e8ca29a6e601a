import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DigestHash, digestChallenges, digestResponse, parseDigestAnswer } from '../../../protocol/rtsp/digest.ts';

const hash: DigestHash = (algorithm, text) =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');

const EXAMPLE = {
  user: 'Mufasa',
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  uri: '/dir/index.html',
  protection: { count: '00000001', clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
};

test.each([
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
] as const)('computes and reads the answer of RFC 7616 §3.9.1 with %s', (algorithm, response) => {
  const answer = { ...EXAMPLE, algorithm };
  expect(digestResponse('GET', answer, { password: 'Circle of Life', hash })).toBe(response);
  const text =
    `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=${algorithm}, ` +
    `nonce="${EXAMPLE.nonce}", nc=00000001, cnonce="${EXAMPLE.protection.clientNonce}", qop=auth, response="${response}", ` +
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
  expect(parseDigestAnswer(text)).toEqual({ ...answer, response });
});

test('computes the answer of clients without qop (RFC 2617 §3.2.2.1, as in RFC 2069)', () => {
  const answer = {
    user: 'u',
    realm: 'r',
    nonce: 'n',
    uri: 'rtsp://h/f',
    algorithm: 'MD5',
    protection: undefined,
  } as const;
  const [secret, request] = [hash('MD5', 'u:r:p'), hash('MD5', 'PLAY:rtsp://h/f')];
  expect(digestResponse('PLAY', answer, { password: 'p', hash })).toBe(hash('MD5', `${secret}:n:${request}`));
});

test('offers SHA-256, and MD5 at the end, where players look', () => {
  expect(digestChallenges({ realm: 'dropframe', nonce: 'ab' })).toEqual([
    'Digest realm="dropframe", nonce="ab", algorithm=SHA-256, qop="auth"',
    'Digest realm="dropframe", nonce="ab", algorithm=MD5',
  ]);
});

const COMPLETE = `Digest username="u", realm="r", nonce="n", uri="/", response="${'0'.repeat(32)}"`;
test.each([
  'Basic dTpw',
  'Digest',
  'Digest username="u"',
  `${COMPLETE}, username="v"`,
  `${COMPLETE}, algorithm=SHA-1`,
  `${COMPLETE}, qop=auth-int, nc=00000001, cnonce="x"`,
  `${COMPLETE}, qop=auth, nc=1, cnonce="x"`,
  COMPLETE.replace('0'.repeat(32), 'x'),
])('%s is no answer', (text) => {
  expect(parseDigestAnswer(text)).toBeUndefined();
});

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseDigestAnswer(`Digest ${text}`);
      parseDigestAnswer(`${COMPLETE}, ${text}`);
    }),
  );
});
