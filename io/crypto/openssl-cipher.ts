import {
  type Aead,
  SRTP_KEY_BYTES,
  SRTP_SALT_BYTES,
  type SrtpCipher,
  TAG_BYTES,
} from '../../protocol/srtp/srtp-cipher.ts';
import { addressOf, libraryFunction } from '../os/c-library.ts';
import { nodeCipher } from './node-cipher.ts';

/** An address of the C library's memory. Passed as a number, which takes half the time of a buffer. */
type Address = number;
type Initialize = (context: Address, type: Address, engine: Address, key: Address, nonce: Address) => number;
type Update = (context: Address, out: Address, length: Address, bytes: Address, count: number) => number;
type Finish = (context: Address, out: Address, length: Address) => number;

/** Functions of openssl/evp.h, which Node exports for addons. */
interface Evp {
  readonly aes128Gcm: Address;
  readonly newContext: () => Address;
  readonly freeContext: (context: Address) => void;
  readonly control: (context: Address, type: number, count: number, bytes: Address) => number;
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
  const bytes = new Uint8Array(WORK_BYTES);
  const address = addressOf(bytes);
  if (!evp || address === undefined) return undefined;
  const memory = new WorkMemory(bytes, address);
  const cipher: SrtpCipher = { aead: (key) => new EvpAead(evp, key, memory), keyStream: nodeCipher.keyStream };
  return agrees(cipher) ? cipher : undefined;
}

function loadEvp(): Evp | undefined {
  const initialize = (way: string) =>
    libraryFunction<Initialize>(
      `int EVP_${way}Init_ex(size_t context, size_t type, size_t engine, size_t key, size_t nonce)`,
    );
  const update = (way: string) =>
    libraryFunction<Update>(`int EVP_${way}Update(size_t context, size_t out, size_t length, size_t bytes, int count)`);
  const finish = (way: string) =>
    libraryFunction<Finish>(`int EVP_${way}Final_ex(size_t context, size_t out, size_t length)`);
  const functions = {
    newContext: libraryFunction<Evp['newContext']>('size_t EVP_CIPHER_CTX_new()'),
    freeContext: libraryFunction<Evp['freeContext']>('void EVP_CIPHER_CTX_free(size_t context)'),
    control: libraryFunction<Evp['control']>(
      'int EVP_CIPHER_CTX_ctrl(size_t context, int type, int count, size_t bytes)',
    ),
    initEncryption: initialize('Encrypt'),
    encrypt: update('Encrypt'),
    finishEncryption: finish('Encrypt'),
    initDecryption: initialize('Decrypt'),
    decrypt: update('Decrypt'),
    finishDecryption: finish('Decrypt'),
  };
  const algorithm = libraryFunction<() => Address>('size_t EVP_aes_128_gcm()');
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
  readonly #memory: WorkMemory;
  #encryption: Address = 0;
  #decryption: Address = 0;

  constructor(evp: Evp, key: Uint8Array, memory: WorkMemory) {
    this.#evp = evp;
    this.#key = key;
    this.#memory = memory;
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, target: Uint8Array, from = 0): void {
    const evp = this.#evp;
    if (this.#encryption === 0) this.#encryption = this.#context(evp.initEncryption);
    const context = this.#encryption;
    const { bytes, address } = this.#memory;
    const length = plaintext.length - from;
    bytes.set(nonce, NONCE);
    bytes.set(plaintext, TEXT - from);
    bytes.set(associated, TEXT - associated.length);
    const text = address + TEXT;
    const done =
      evp.initEncryption(context, 0, 0, 0, address + NONCE) === 1 &&
      evp.encrypt(context, 0, address + COUNT, text - associated.length, associated.length) === 1 &&
      (length === 0 || evp.encrypt(context, text, address + COUNT, text, length) === 1) &&
      evp.finishEncryption(context, address + REST, address + COUNT) === 1 &&
      evp.control(context, GET_TAG, TAG_BYTES, text + length) === 1;
    if (!done) throw new Error('OpenSSL could not encrypt a packet');
    target.set(this.#memory.text(length + TAG_BYTES), from);
  }

  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array, target: Uint8Array, from = 0): boolean {
    const evp = this.#evp;
    if (this.#decryption === 0) this.#decryption = this.#context(evp.initDecryption);
    const context = this.#decryption;
    const { bytes, address } = this.#memory;
    const length = sealed.length - TAG_BYTES - from;
    bytes.set(nonce, NONCE);
    bytes.set(sealed, TEXT - from);
    bytes.set(associated, TEXT - associated.length);
    const text = address + TEXT;
    const authentic =
      evp.initDecryption(context, 0, 0, 0, address + NONCE) === 1 &&
      evp.control(context, SET_TAG, TAG_BYTES, text + length) === 1 &&
      evp.decrypt(context, 0, address + COUNT, text - associated.length, associated.length) === 1 &&
      (length === 0 || evp.decrypt(context, text, address + COUNT, text, length) === 1) &&
      evp.finishDecryption(context, address + REST, address + COUNT) === 1;
    if (authentic) target.set(this.#memory.text(length), from);
    return authentic;
  }

  #context(initialize: Initialize): Address {
    const { bytes, address } = this.#memory;
    const context = this.#evp.newContext();
    bytes.set(this.#key, TEXT);
    const ready = context !== 0 && initialize(context, this.#evp.aes128Gcm, 0, address + TEXT, 0) === 1;
    bytes.fill(0, TEXT, TEXT + SRTP_KEY_BYTES);
    if (!ready) throw new Error('OpenSSL could not set up AES-128-GCM');
    const { freeContext } = this.#evp;
    OWNERS.register(this, () => freeContext(context));
    return context;
  }
}

/** Memory at a known address in which packets are encrypted, one at a time. */
class WorkMemory {
  readonly bytes: Uint8Array;
  readonly address: Address;
  #text: Uint8Array = new Uint8Array(0);

  constructor(bytes: Uint8Array, address: Address) {
    this.bytes = bytes;
    this.address = address;
  }

  /** Returns the beginning of the text, by the same view as before where the length is the same: most packets are full. */
  text(length: number): Uint8Array {
    if (this.#text.length !== length) this.#text = this.bytes.subarray(TEXT, TEXT + length);
    return this.#text;
  }
}

/** Limit of a packet, and of the data that it authenticates only. */
const PACKET_BYTES_MAX = 65_536;
/** Layout of the work memory: the nonce, two outputs that are not used, the associated data, and behind it the text. */
const [NONCE, COUNT, REST, TEXT] = [0, 16, 32, 64 + PACKET_BYTES_MAX] as const;
const WORK_BYTES = TEXT + PACKET_BYTES_MAX + TAG_BYTES;

/** Frees a context, and with it the key, after its last use. */
const OWNERS = new FinalizationRegistry<() => void>((free) => free());
