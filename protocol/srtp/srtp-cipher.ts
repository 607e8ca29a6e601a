/** Bytes of a session key of AEAD_AES_128_GCM, and of a master key (RFC 7714 §12). */
export const SRTP_KEY_BYTES = 16;
/** Bytes of a salt: master and session salt have the length of the nonce (RFC 7714 §12). */
export const SRTP_SALT_BYTES = 12;
/** Bytes by which a protected packet is longer than the packet itself: the authentication tag. */
export const TAG_BYTES = 16;

/** AES-128 in Galois/Counter Mode under one key (RFC 5116 §5.1). The core contains no cryptography; it is passed in. */
export interface Aead {
  /**
   * Encrypts `plaintext` from offset `from` on into `target` at the same offset, followed by the tag of 16 bytes.
   *
   * @param nonce 12 bytes, never used twice with the same key.
   * @param target at least 16 bytes longer than `plaintext`; they do not share memory. Only the encrypted bytes and the
   * tag are written. `associated` may be its beginning.
   */
  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, target: Uint8Array, from?: number): void;
  /**
   * Decrypts `sealed` from offset `from` on, ciphertext and tag to its end, into `target` at the same offset. Returns
   * false when the tag is wrong; the content of `target` is then undefined.
   *
   * @param target at least as long as `sealed` without the tag, and of other memory.
   */
  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array, target: Uint8Array, from?: number): boolean;
}

/** The two uses of AES-128 in SRTP. */
export interface SrtpCipher {
  /** @param key 16 bytes. */
  aead(key: Uint8Array): Aead;
  /** Returns key stream of AES in counter mode (RFC 3711 §4.1.1). @param counter the first counter block, 16 bytes. */
  keyStream(key: Uint8Array, counter: Uint8Array, bytes: number): Uint8Array;
}
