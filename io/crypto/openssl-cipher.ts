import {
  type Aead,
  SRTP_KEY_BYTES,
  SRTP_SALT_BYTES,
  type SrtpCipher,
  TAG_BYTES,
} from '../../protocol/srtp/srtp-cipher.ts';
import { libraryFunction } from '../os/c-library.ts';
import { nodeCipher } from './node-cipher.ts';

/** A pointer of the C library. */
type Pointer = unknown;
type Initialize = (context: Pointer, type: Pointer, engine: null, key: Uint8Array | null, nonce: Uint8Array) => number;
type Update = (
  context: Pointer,
  out: Uint8Array | null,
  length: Uint8Array,
  bytes: Uint8Array,
  count: number,
) => number;
type Finish = (context: Pointer, out: Uint8Array, length: Uint8Array) => number;

/** Functions of openssl/evp.h, which Node exports for addons. */
interface Evp {
  readonly aes128Gcm: Pointer;
  readonly newContext: () => Pointer;
  readonly freeContext: (context: Pointer) => void;
  readonly control: (context: Pointer, type: number, count: number, bytes: Uint8Array) => number;
  readonly initEncryption: Initialize;
  readonly encrypt: Update;
  readonly finishEncryption: Finish;
  readonly initDecryption: Initialize;
  readonly decrypt: Update;
  readonly finishDecryption: Finish;
}

/** Constants of openssl/evp.h. */
const GET_TAG = 0x10;
const SET_TAG = 0x11;

/**
 * AES-128 of the OpenSSL within Node, called directly: one context for each key instead of an object for each packet,
 * which takes a fifth of the time. `undefined` without the optional package koffi, or when a test encryption fails.
 */
export function openSslCipher(): SrtpCipher | undefined {
  if (found === null) found = find();
  return found;
}

let found: SrtpCipher | undefined | null = null;

function find(): SrtpCipher | undefined {
  const evp = loadEvp();
  if (!evp) return undefined;
  const cipher: SrtpCipher = { aead: (key) => new EvpAead(evp, key), keyStream: nodeCipher.keyStream };
  return agrees(cipher) ? cipher : undefined;
}

function loadEvp(): Evp | undefined {
  const initialize = (way: string) =>
    libraryFunction<Initialize>(
      `int EVP_${way}Init_ex(void *context, void *type, void *engine, const void *key, const void *nonce)`,
    );
  const update = (way: string) =>
    libraryFunction<Update>(
      `int EVP_${way}Update(void *context, void *out, void *length, const void *bytes, int count)`,
    );
  const finish = (way: string) =>
    libraryFunction<Finish>(`int EVP_${way}Final_ex(void *context, void *out, void *length)`);
  const functions = {
    newContext: libraryFunction<Evp['newContext']>('void *EVP_CIPHER_CTX_new()'),
    freeContext: libraryFunction<Evp['freeContext']>('void EVP_CIPHER_CTX_free(void *context)'),
    control: libraryFunction<Evp['control']>(
      'int EVP_CIPHER_CTX_ctrl(void *context, int type, int count, void *bytes)',
    ),
    initEncryption: initialize('Encrypt'),
    encrypt: update('Encrypt'),
    finishEncryption: finish('Encrypt'),
    initDecryption: initialize('Decrypt'),
    decrypt: update('Decrypt'),
    finishDecryption: finish('Decrypt'),
  };
  const algorithm = libraryFunction<() => Pointer>('void *EVP_aes_128_gcm()');
  if (!algorithm || Object.values(functions).includes(undefined)) return undefined;
  return { ...(functions as Omit<Evp, 'aes128Gcm'>), aes128Gcm: algorithm() };
}

/** True when this cipher and Node's own agree, and a wrong tag is noticed. */
function agrees(cipher: SrtpCipher): boolean {
  const key = new Uint8Array(SRTP_KEY_BYTES).fill(1);
  const nonce = new Uint8Array(SRTP_SALT_BYTES).fill(2);
  const [associated, plaintext] = [new Uint8Array(16).fill(3), new Uint8Array(100).fill(4)];
  try {
    const [ours, theirs] = [cipher, nodeCipher].map((each) => {
      const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
      each.aead(key).seal(nonce, associated, plaintext, sealed);
      return sealed;
    });
    const opened = new Uint8Array(plaintext.length);
    const accepted = cipher.aead(key).open(nonce, associated, theirs!, opened);
    const same = Buffer.compare(ours!, theirs!) === 0 && Buffer.compare(opened, plaintext) === 0;
    theirs![0] = theirs![0]! ^ 1;
    return accepted && same && !cipher.aead(key).open(nonce, associated, theirs!, opened);
  } catch {
    return false;
  }
}

class EvpAead implements Aead {
  readonly #evp: Evp;
  readonly #key: Uint8Array;
  #encryption: Pointer;
  #decryption: Pointer;

  constructor(evp: Evp, key: Uint8Array) {
    this.#evp = evp;
    this.#key = key;
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, target: Uint8Array): void {
    const evp = this.#evp;
    this.#encryption ??= this.#context(evp.initEncryption, nonce);
    const context = this.#encryption;
    const { length } = plaintext;
    const done =
      evp.initEncryption(context, null, null, null, nonce) === 1 &&
      evp.encrypt(context, null, COUNT, associated, associated.length) === 1 &&
      (length === 0 || evp.encrypt(context, target, COUNT, plaintext, length) === 1) &&
      evp.finishEncryption(context, REST, COUNT) === 1 &&
      evp.control(context, GET_TAG, TAG_BYTES, target.subarray(length)) === 1;
    if (!done) throw new Error('OpenSSL could not encrypt a packet');
  }

  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array, target: Uint8Array): boolean {
    const evp = this.#evp;
    this.#decryption ??= this.#context(evp.initDecryption, nonce);
    const context = this.#decryption;
    const length = sealed.length - TAG_BYTES;
    return (
      evp.initDecryption(context, null, null, null, nonce) === 1 &&
      evp.control(context, SET_TAG, TAG_BYTES, sealed.subarray(length)) === 1 &&
      evp.decrypt(context, null, COUNT, associated, associated.length) === 1 &&
      (length === 0 || evp.decrypt(context, target, COUNT, sealed, length) === 1) &&
      evp.finishDecryption(context, REST, COUNT) === 1
    );
  }

  #context(initialize: Initialize, nonce: Uint8Array): Pointer {
    const context = this.#evp.newContext();
    if (!context || initialize(context, this.#evp.aes128Gcm, null, this.#key, nonce) !== 1) {
      throw new Error('OpenSSL could not set up AES-128-GCM');
    }
    const { freeContext } = this.#evp;
    OWNERS.register(this, () => freeContext(context));
    return context;
  }
}

/** Outputs that are not used: the number of bytes written, and the empty rest of a stream cipher. */
const COUNT = new Uint8Array(4);
const REST = new Uint8Array(16);

/** Frees a context, and with it the key, after its last use. */
const OWNERS = new FinalizationRegistry<() => void>((free) => free());
