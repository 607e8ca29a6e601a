import { expect, test } from 'vitest';
import { nodeCipher } from '../../../io/crypto/node-cipher.ts';
import { IncomingContext } from '../../../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../../../protocol/srtp/outgoing-context.ts';
import type { SrtpCipher } from '../../../protocol/srtp/srtp-cipher.ts';
import { deriveSessionKey } from '../../../protocol/srtp/srtp-keys.ts';
import { hex, plain } from '../bytes.ts';

/** RFC 3711 appendix B.3; its salt of AES-CM has 14 bytes, of which the last two do not matter here. */
const MASTER_KEY = hex('E1F97A0D3E018BE0D64FA32C06DE4139');
const MASTER_SALT_OF_CM = hex('0EC675AD498AFEEBB6960B3AABE6');

test('the key stream is that of RFC 3711, appendix B.2', () => {
  const key = hex('2B7E151628AED2A6ABF7158809CF4F3C');
  const counter = hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000');
  expect(plain(nodeCipher.keyStream(key, counter, 32))).toEqual(
    hex('E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB'),
  );
});

test('key derivation is that of RFC 3711, appendix B.3', () => {
  // The derivation here takes the 96 bits of an AEAD, so the last two bytes of the RFC's salt are added by the cipher.
  const withLongSalt: SrtpCipher = {
    ...nodeCipher,
    keyStream: (key, counter, bytes) => {
      const whole = counter.slice();
      whole.set(MASTER_SALT_OF_CM.subarray(12), 12);
      return nodeCipher.keyStream(key, whole, bytes);
    },
  };
  const master = { key: MASTER_KEY, salt: MASTER_SALT_OF_CM.slice(0, 12) };
  const derived = deriveSessionKey(withLongSalt, master, 'rtp');
  expect(plain(derived.key)).toEqual(hex('C61E7A93744F39EE10734AFE3FF7A087'));
  expect(plain(derived.salt)).toEqual(hex('30CBBC08863D8C85D49DB34A'));
  const ofRtcp = deriveSessionKey(withLongSalt, master, 'rtcp');
  expect(plain(ofRtcp.key)).toEqual(hex('4C1AA45A81F73D61C800BBB00FBB1EAA'));
  expect(plain(ofRtcp.salt)).toEqual(hex('9581C7AD87B3E530BF3E4454'));
});

/** Master key and salt of RFC 9335, appendix A.2. */
const MASTER = { key: hex('000102030405060708090a0b0c0d0e0f'), salt: hex('a0a1a2a3a4a5a6a7a8a9aaab') };

test('session keys of AEAD_AES_128_GCM are those of RFC 9335, appendix A.2', () => {
  const derived = deriveSessionKey(nodeCipher, MASTER, 'rtp');
  expect(plain(derived.key)).toEqual(hex('077c6143cb221bc355ff23d5f984a16e'));
  expect(plain(derived.salt)).toEqual(hex('9af3e95364ebac9c99c5a7c4'));
});

test.each([
  [
    'A.2.1, one-byte header extension',
    '900f1235 decafbad cafebabe bede0001 51000200 abababab abababab abababab abababab',
    '900f1235 decafbad cafebabe c0de0001 39972dc9 572c4d99 e8fc355d e743fb2e 94f9d8ff 54e72f41 93bbc5c7 4ffab0fa 9fa0fbeb',
  ],
  [
    'A.2.2, two-byte header extension',
    '900f1236 decafbad cafebabe 10000001 05020002 abababab abababab abababab abababab',
    '900f1236 decafbad cafebabe c2de0001 bb75a4c5 45cd1f41 3bdb7daa 2b1e3263 de313667 c9632490 81b35a65 f5cb6c88 b394235f',
  ],
  [
    'A.2.3, one-byte header extension and CSRCs',
    '920f1238 decafbad cafebabe 0001e240 0000b26e bede0001 51000200 abababab abababab abababab abababab',
    '920f1238 decafbad cafebabe 63bbccc4 a7f695c4 c0de0001 8ad7c71f ac70a80c 92866b4c 6ba98546 ef913586 e95ffaaf fe956885 bb0647a8 bc094ac8',
  ],
  [
    'A.2.4, two-byte header extension and CSRCs',
    '920f1239 decafbad cafebabe 0001e240 0000b26e 10000001 05020002 abababab abababab abababab abababab',
    '920f1239 decafbad cafebabe 3680524f 8d312b00 c2de0001 c78d1200 38422bc1 11a7187a 18246f98 0c059cc6 bc9df8b6 26394eca 344e4b05 d80fea83',
  ],
])('Cryptex: RFC 9335, appendix %s, both ways', (_name, clear, protectedText) => {
  const options = { cipher: nodeCipher, masterKeys: () => MASTER };
  expect(plain(new OutgoingContext(options).protect(hex(clear)))).toEqual(hex(protectedText));
  expect(plain(new IncomingContext(options).unprotect(hex(protectedText))!)).toEqual(hex(clear));
});

/** Session key and salt of RFC 7714 §16 and §17 ("Quid pro quo"), which has no master key. */
const SESSION_KEY = hex('000102030405060708090a0b0c0d0e0f');
const SESSION_SALT = hex('51756964 2070726f 2071756f');
const withSessionKey: SrtpCipher = {
  ...nodeCipher,
  keyStream: (_key, _counter, bytes) => (bytes === SESSION_SALT.length ? SESSION_SALT : SESSION_KEY),
};
const SESSION = { cipher: withSessionKey, masterKeys: () => MASTER };

test('SRTP is that of RFC 7714 §16.1, both ways', () => {
  const clear =
    '8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573';
  const wire =
    '8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce';
  expect(plain(new OutgoingContext(SESSION).protect(hex(clear)))).toEqual(hex(wire));
  expect(plain(new IncomingContext(SESSION).unprotect(hex(wire))!)).toEqual(hex(clear));
});

test('SRTCP is that of RFC 7714 §17.1, both ways', () => {
  const clear =
    '81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef';
  const wire =
    '81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4';
  const outgoing = new OutgoingContext(SESSION);
  // The vector has the SRTCP index 0x5d4; indices begin with 1 here.
  for (let index = 1; index < 0x5d4; index++) outgoing.protect(hex(clear));
  expect(plain(outgoing.protect(hex(clear)))).toEqual(hex(wire));
  expect(plain(new IncomingContext(SESSION).unprotect(hex(wire))!)).toEqual(hex(clear));
});
