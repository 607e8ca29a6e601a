import type { Aead, SrtpCipher } from './srtp-cipher.ts';
import { deriveSessionKey, type MasterKeys } from './srtp-keys.ts';

/**
 * Packets of one SSRC under one master key. RFC 3711 §9.2 allows 2^48 and, for SRTCP, 2^31; the advantage against
 * AES-GCM stays below 2^-55 with three SSRCs of this many packets of 1,200 bytes (NIST SP 800-38D; σ² / 2^129).
 */
export const EPOCH_PACKETS = 2 ** 28;

/** A session key in use. */
export interface EpochKey {
  readonly aead: Aead;
  /** Session salt, 12 bytes. */
  readonly salt: Uint8Array;
}

/** Keys in memory: the current epoch, its neighbours, and one that is replaced. */
const EPOCHS_MAX = 4;

/** Session keys of one direction for SRTP or SRTCP, one for each epoch, derived when first used. */
export class EpochKeys {
  readonly #cipher: SrtpCipher;
  readonly #masterKeys: MasterKeys;
  readonly #kind: 'rtp' | 'rtcp';
  readonly #keys = new Map<number, EpochKey>();
  #epoch = -1;
  #key: EpochKey | undefined;

  constructor(cipher: SrtpCipher, masterKeys: MasterKeys, kind: 'rtp' | 'rtcp') {
    this.#cipher = cipher;
    this.#masterKeys = masterKeys;
    this.#kind = kind;
  }

  of(epoch: number): EpochKey {
    if (epoch !== this.#epoch) {
      this.#key = this.#keys.get(epoch) ?? this.#derive(epoch);
      this.#epoch = epoch;
    }
    return this.#key!;
  }

  #derive(epoch: number): EpochKey {
    const { key, salt } = deriveSessionKey(this.#cipher, this.#masterKeys(epoch), this.#kind);
    const derived = { aead: this.#cipher.aead(key), salt };
    if (this.#keys.size >= EPOCHS_MAX) this.#keys.delete(Math.min(...this.#keys.keys()));
    this.#keys.set(epoch, derived);
    return derived;
  }
}

/**
 * Writes the nonce of a packet (RFC 7714 §8.1 and §9.1): session salt XOR
 *
 *     0           2                       6                                   12
 *    +-----------+-----------------------+-----------------------------------+
 *    |     0     |         SSRC          |   packet index, 48 bits           |   SRTP: roll-over counter, sequence
 *    +-----------+-----------------------+-----------------------------------+   SRTCP: 17 zero bits, SRTCP index
 */
export function writeNonce(nonce: Uint8Array, salt: Uint8Array, ssrc: number, index: number): void {
  const high = Math.floor(index / 2 ** 32);
  nonce[0] = salt[0]!;
  nonce[1] = salt[1]!;
  nonce[2] = salt[2]! ^ (ssrc >>> 24);
  nonce[3] = salt[3]! ^ (ssrc >>> 16);
  nonce[4] = salt[4]! ^ (ssrc >>> 8);
  nonce[5] = salt[5]! ^ ssrc;
  nonce[6] = salt[6]! ^ (high >>> 8);
  nonce[7] = salt[7]! ^ high;
  nonce[8] = salt[8]! ^ (index >>> 24);
  nonce[9] = salt[9]! ^ (index >>> 16);
  nonce[10] = salt[10]! ^ (index >>> 8);
  nonce[11] = salt[11]! ^ index;
}
