import { assert } from '../base/assert.ts';
import { writeUint32 } from '../base/big-endian.ts';
import { hexBytes, utf8Bytes } from '../base/text-codec.ts';
import { type Instant, type Microseconds, seconds } from '../base/units.ts';
import {
  type AddressProofMessage,
  CHALLENGE_BYTES,
  type Mac,
  NONCE_BYTES,
  proofOf,
  SESSION_BYTES,
  serializeAddressProof,
} from './address-proof.ts';

export interface AddressVerifierOptions {
  /** At least 16 random bytes that never leave this process. */
  readonly secret: Uint8Array;
  readonly mac: Mac;
  /** Returns the key of an open session (16 hexadecimal digits); `undefined` when there is no such session. */
  readonly keyOf: (session: string) => Uint8Array | undefined;
}

export interface AddressVerdict {
  /** Reply to the address of the request; never longer than the request. */
  readonly reply?: Uint8Array;
  /** Session to which the address has proved to belong; set again for each repeated proof. */
  readonly proved?: string;
}

/**
 * Length of an epoch. A challenge is valid for one to two epochs: long enough for any retry, too short to be useful to
 * the next owner of an address.
 */
const CHALLENGE_EPOCH: Microseconds = seconds(15);

const NO_VERDICT: AddressVerdict = {};

/**
 * Sender's side of the address proof (`address-proof.ts`). It stores nothing: the challenge is a MAC under a local
 * secret over the epoch, the session, the nonce and the address, and is recomputed when the proof arrives.
 */
export class AddressVerifier {
  readonly #options: AddressVerifierOptions;

  constructor(options: AddressVerifierOptions) {
    assert(options.secret.length >= 16, 'the secret must have at least 16 bytes');
    this.#options = options;
  }

  /** @param address source address and port as text; one address must always have the same text. */
  handle(now: Instant, address: string, message: AddressProofMessage): AddressVerdict {
    if (message.kind !== 'hello' && message.kind !== 'proof') return NO_VERDICT;
    const { session, nonce } = message;
    const key = this.#options.keyOf(session);
    // No reply to unknown sessions: the port must not reflect datagrams of third parties.
    if (key === undefined) return NO_VERDICT;
    const epoch = Math.floor(now / CHALLENGE_EPOCH);
    if (message.kind === 'hello') {
      const challenge = this.#challenge(epoch, address, message);
      return { reply: serializeAddressProof({ kind: 'challenge', session, nonce, challenge }) };
    }
    for (const candidate of [epoch, epoch - 1]) {
      const challenge = this.#challenge(candidate, address, message);
      const expected = proofOf(this.#options.mac, key, { challenge, nonce });
      if (equalInConstantTime(expected, message.proof)) {
        return { reply: serializeAddressProof({ kind: 'confirmed', session, nonce }), proved: session };
      }
    }
    return NO_VERDICT;
  }

  /** The address is last: everything before it has a fixed length, so different inputs never serialize alike. */
  #challenge(
    epoch: number,
    address: string,
    { session, nonce }: { readonly session: string; readonly nonce: Uint8Array },
  ): Uint8Array {
    const addressBytes = utf8Bytes(address);
    const message = new Uint8Array(EPOCH_BYTES + SESSION_BYTES + NONCE_BYTES + addressBytes.length);
    writeUint32(message, 0, epoch);
    message.set(hexBytes(session) ?? [], EPOCH_BYTES);
    message.set(nonce, EPOCH_BYTES + SESSION_BYTES);
    message.set(addressBytes, EPOCH_BYTES + SESSION_BYTES + NONCE_BYTES);
    return this.#options.mac(this.#options.secret, message).slice(0, CHALLENGE_BYTES);
  }
}

const EPOCH_BYTES = 4;

/** Compares every byte, so that the duration does not reveal the position of the first difference. */
function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= left[index]! ^ right[index]!;
  return difference === 0;
}
