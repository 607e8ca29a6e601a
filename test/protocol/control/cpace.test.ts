import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpaceCipher } from '../../../io/crypto/cpace-cipher.ts';
import { CpaceExchange, cpaceGenerator, cpaceKey } from '../../../protocol/control/cpace.ts';
import { hex, plain } from '../bytes.ts';

/** draft-irtf-cfrg-cpace, appendix B.1: group X25519, hash SHA-512. */
const SESSION = hex('7e4b4791d6a8ef019b936c79fb7f2c57');
const GENERATOR = hex('64e8099e3ea682cfdc5cb665c057ebb514d06bf23ebc9f743b51b82242327074');
const SCALAR_A = hex('21b4f4bd9e64ed355c3eb676a28ebedaf6d8f17bdc365995b319097153044080');
const SCALAR_B = hex('848b0779ff415f0af4ea14df9dd1d3c29ac41d836c7808896c4eba19c51ac40a');
const SHARE_A = hex('1b02dad6dbd29a07b6d28c9e04cb2f184f0734350e32bb7e62ff9dbcfdb63d15');
const SHARE_B = hex('20cda5955f82c4931545bcbf40758ce1010d7db4db2a907013d79c7a8fcf957f');
const POINT = hex('f97fdfcfff1c983ed6283856a401de3191ca919902b323c5f950c9703df7297a');
const KEY = hex(
  'a051ee5ee2499d16da3f69f430218b8ea94a18a45b67f9e86495b382c33d14a5c38cecc0cc834f960e39e0d1bf7d76b9ef5d54eecc5e0f386c97ad12da8c3d5f',
);

test('generator, shares, point and key are those of the draft, appendix B.1', () => {
  const generator = cpaceGenerator(cpaceCipher, {
    secret: new TextEncoder().encode('Password'),
    channel: hex('6f630b425f726573706f6e6465720b415f696e69746961746f72'),
    session: SESSION,
  });
  expect(generator).toEqual(GENERATOR);
  expect(cpaceCipher.x25519(SCALAR_A, generator)).toEqual(SHARE_A);
  expect(cpaceCipher.x25519(SCALAR_B, generator)).toEqual(SHARE_B);
  expect(cpaceCipher.x25519(SCALAR_A, SHARE_B)).toEqual(POINT);
  expect(cpaceCipher.x25519(SCALAR_B, SHARE_A)).toEqual(POINT);
  const associated = ['ADa', 'ADb'].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
  const key = cpaceKey(cpaceCipher, { session: SESSION, point: POINT, shares: [SHARE_A, SHARE_B], associated });
  expect(key).toEqual(KEY);
});

const exchange = (passphrase: string, scalar: Uint8Array, session = SESSION) =>
  new CpaceExchange(cpaceCipher, { passphrase, session }, scalar);

test('two ends agree exactly when passphrase and session are the same', () => {
  const scalar = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const passphrase = fc.constantFrom('a passphrase', 'another passphrase');
  const session = fc.constantFrom(SESSION, new Uint8Array(16));
  fc.assert(
    fc.property(fc.tuple(scalar, scalar), fc.tuple(passphrase, passphrase), fc.tuple(session, session), (...inputs) => {
      const [scalars, passphrases, sessions] = inputs;
      const receiver = exchange(passphrases[0], scalars[0], sessions[0]);
      const sender = exchange(passphrases[1], scalars[1], sessions[1]);
      const [one, other] = [receiver.key('initiator', sender.share), sender.key('responder', receiver.share)];
      const same = passphrases[0] === passphrases[1] && sessions[0] === sessions[1];
      expect(Buffer.compare(one!, other!) === 0).toBe(same);
    }),
    { numRuns: 40 },
  );
});

test('a passphrase is the same in any Unicode composition', () => {
  const [composed, decomposed] = ['sch\u00f6n', 'scho\u0308n'].map((text) => exchange(text, SCALAR_A).share);
  expect(composed).toEqual(decomposed);
});

test.each([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])('refuses the point of low order %s (draft, appendix B.1.10)', (point) => {
  expect(exchange('a passphrase', SCALAR_A).key('initiator', hex(point))).toBeUndefined();
});

test('refuses a share of another length, and takes any other', () => {
  const own = exchange('a passphrase', SCALAR_A);
  for (const length of [0, 31, 33]) expect(own.key('responder', new Uint8Array(length).fill(9))).toBeUndefined();
  expect(plain(own.key('responder', new Uint8Array(32).fill(9))!)).toHaveLength(64);
});
