import { assert } from '../base/assert.ts';
import { writeUint32 } from '../base/big-endian.ts';
import type { Mac } from '../control/address-proof.ts';
import { SRTP_KEY_BYTES, SRTP_SALT_BYTES, type SrtpCipher } from './srtp-cipher.ts';

/** Master key and master salt of one direction (RFC 3711 §3.2.1), or the session key and salt derived from them. */
export interface SrtpKey {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes (RFC 7714 §12). */
  readonly salt: Uint8Array;
}

/** Returns the master key of an epoch: a run of packet indices that share one (`EPOCH_PACKETS`). */
export type MasterKeys = (epoch: number) => SrtpKey;

/** Labels of the key derivation (RFC 3711 §4.3.2). Authentication keys (1 and 4) do not exist with an AEAD. */
const LABELS = { rtp: { key: 0, salt: 2 }, rtcp: { key: 3, salt: 5 } } as const;

/**
 * Derives session key and salt (RFC 3711 §4.3, with a key derivation rate of 0; RFC 7714 §11): key stream of AES in
 * counter mode under the master key, from the counter block
 *
 *     master salt (112 bits; the 96 bits of an AEAD are followed by zeros)  XOR  label at byte 7,  then 16 zero bits
 */
export function deriveSessionKey(cipher: SrtpCipher, master: SrtpKey, kind: 'rtp' | 'rtcp'): SrtpKey {
  assert(master.key.length === SRTP_KEY_BYTES, 'an AES-128 master key must have 16 bytes');
  assert(master.salt.length === SRTP_SALT_BYTES, 'an AEAD master salt must have 12 bytes');
  const derive = (label: number, bytes: number): Uint8Array => {
    const counter = new Uint8Array(16);
    counter.set(master.salt);
    counter[LABEL_AT] = counter[LABEL_AT]! ^ label;
    return cipher.keyStream(master.key, counter, bytes);
  };
  const labels = LABELS[kind];
  return { key: derive(labels.key, SRTP_KEY_BYTES), salt: derive(labels.salt, SRTP_SALT_BYTES) };
}

/** The label is the upper byte of a 56-bit key identifier that is aligned to the right of the 112-bit salt. */
const LABEL_AT = 7;

/** Roles of the two ends, which have different keys. */
export type SrtpDirection = 'to-receiver' | 'to-sender';

/**
 * Returns the master keys of a direction: HKDF-Expand (RFC 5869 §2.3) of the session's secret, one block for each
 * epoch. Key management with a range of packet indices for each master key (<From, To>, RFC 3711 §8.1.1) needs no
 * message: both ends know the index of each packet.
 *
 * @param secret 32 bytes, of this session alone. @param mac HMAC-SHA-256.
 */
export function sessionMasterKeys(mac: Mac, secret: Uint8Array, direction: SrtpDirection): MasterKeys {
  assert(secret.length >= 32, 'an HKDF pseudorandom key must be at least as long as the hash output');
  const label = `dropframe srtp ${direction}`;
  return (epoch) => {
    const message = new Uint8Array(label.length + 5);
    for (let index = 0; index < label.length; index++) message[index] = label.charCodeAt(index);
    writeUint32(message, label.length, epoch);
    message[label.length + 4] = 1;
    const block = mac(secret, message);
    return { key: block.slice(0, SRTP_KEY_BYTES), salt: block.slice(SRTP_KEY_BYTES, SRTP_KEY_BYTES + SRTP_SALT_BYTES) };
  };
}
