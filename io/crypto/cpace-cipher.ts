import { createHash, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import type { CpaceCipher } from '../../protocol/control/cpace.ts';

/** Heads of an X25519 key in DER: PKCS #8 (RFC 5958) and SubjectPublicKeyInfo (RFC 8410 §4); 32 bytes follow. */
const PRIVATE_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b656e032100', 'hex');

/** SHA-512 and X25519 of node:crypto. */
export const cpaceCipher: CpaceCipher = {
  sha512: (bytes) => new Uint8Array(createHash('sha512').update(bytes).digest()),
  x25519: (scalar, point) => {
    const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, scalar]), format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, point]), format: 'der', type: 'spki' });
    try {
      return new Uint8Array(diffieHellman({ privateKey, publicKey }));
    } catch {
      // OpenSSL refuses the neutral element (RFC 7748 §6.1).
      return undefined;
    }
  },
};
