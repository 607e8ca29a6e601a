import fc from 'fast-check';
import { expect } from 'vitest';
import { nodeCipher } from '../../../io/crypto/node-cipher.ts';
import { openSslCipher } from '../../../io/crypto/openssl-cipher.ts';
import { optional } from '../../optional.ts';

const direct = openSslCipher();
const withKoffi = optional('koffi', direct !== undefined);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

withKoffi('the OpenSSL within Node, called directly, gives the bytes of node:crypto', () => {
  const [ours, theirs] = [direct!, nodeCipher];
  fc.assert(
    fc.property(
      bytes(16),
      bytes(12),
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ maxLength: 2_000 }),
      fc.nat({ max: 100 }),
      (key, nonce, associated, plaintext, before) => {
        const from = Math.min(before, plaintext.length);
        const [one, other] = [ours, theirs].map((cipher) => {
          const sealed = new Uint8Array(plaintext.length + 20).fill(7);
          cipher.aead(key).seal(nonce, associated, plaintext, sealed, from);
          return sealed;
        });
        expect(one).toEqual(other);
        // Nothing before and nothing behind is written.
        expect([...one!.subarray(0, from), ...one!.subarray(-4)]).toEqual(Array(from + 4).fill(7));
        const sealed = other!.subarray(0, -4);
        for (const cipher of [ours, theirs]) {
          const opened = new Uint8Array(plaintext.length).fill(9);
          expect(cipher.aead(key).open(nonce, associated, sealed, opened, from)).toBe(true);
          expect(opened.subarray(from)).toEqual(plaintext.subarray(from));
          expect([...opened.subarray(0, from)]).toEqual(Array(from).fill(9));
        }
        sealed[sealed.length - 1]! ^= 1;
        expect(ours.aead(key).open(nonce, associated, sealed, new Uint8Array(plaintext.length), from)).toBe(false);
      },
    ),
  );
});

withKoffi('a context is used for many packets, also after a forgery', () => {
  const key = new Uint8Array(16).fill(3);
  const aead = direct!.aead(key);
  const nonce = new Uint8Array(12);
  const associated = new Uint8Array(12);
  for (let packet = 0; packet < 1_000; packet++) {
    nonce[11] = packet;
    nonce[10] = packet >> 8;
    const plaintext = new Uint8Array(packet).fill(packet);
    const sealed = new Uint8Array(packet + 16);
    aead.seal(nonce, associated, plaintext, sealed);
    const opened = new Uint8Array(packet);
    const broken = sealed.slice();
    broken[0]! ^= 1;
    expect(aead.open(nonce, associated, broken, opened)).toBe(false);
    expect(aead.open(nonce, associated, sealed, opened)).toBe(true);
    expect(opened).toEqual(plaintext);
  }
});
