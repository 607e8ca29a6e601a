import { assert } from '../base/assert.ts';
import { type Instant, later, type Microseconds, microseconds, milliseconds } from '../base/units.ts';
import type { Endpoint } from '../endpoint.ts';
import { parseRtcp } from '../rtcp/rtcp.ts';
import {
  type AddressProofMessage,
  type Mac,
  NONCE_BYTES,
  parseAddressProof,
  proofOf,
  serializeAddressProof,
} from './address-proof.ts';

export interface AddressProverOptions {
  /** 16 hexadecimal digits, from `welcome`. */
  readonly session: string;
  /** From `welcome`. */
  readonly key: Uint8Array;
  /** Eight random bytes; the last one makes room for the number of the attempt. */
  readonly nonce: Uint8Array;
  readonly mac: Mac;
}

export type AddressProverEvent = {
  readonly kind: 'confirmed';
  /** From a hello to its challenge, the fastest of those seen. Exact: each hello has a nonce of its own. */
  readonly roundTrip: Microseconds;
};

/** Sooner than any round trip worth streaming over would only double the questions. */
const RETRY_FIRST: Microseconds = milliseconds(100);
const RETRY_MAX: Microseconds = milliseconds(1_000);

/** Attempts that can be told apart; an answer to an older one is ignored. */
const ATTEMPTS = 256;

/**
 * The receiver's side of the address proof (`address-proof.ts`). A hello waits in `pollTransmit` from the beginning;
 * it is repeated, with the last proof, until the sender confirms. It never gives up: how long to wait is the
 * session's to decide.
 */
export class AddressProver implements Endpoint<AddressProverEvent> {
  readonly #options: AddressProverOptions;
  readonly #helloSentAt: (Instant | undefined)[] = new Array<Instant | undefined>(ATTEMPTS).fill(undefined);
  #attempt = 0;
  #helloPending = true;
  #proof: Uint8Array | undefined;
  #proofPending = false;
  #retryAt: Instant | undefined;
  #retryAfter: Microseconds = RETRY_FIRST;
  #roundTrip: Microseconds | undefined;
  #confirmed = false;
  #event: AddressProverEvent | undefined;

  constructor(options: AddressProverOptions) {
    assert(options.nonce.length === NONCE_BYTES, 'a nonce has eight bytes');
    this.#options = options;
  }

  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** Datagrams that are no answer to this prover are ignored: the port is shared with the media. */
  handleDatagram(now: Instant, datagram: Uint8Array): void {
    const packets = parseRtcp(datagram);
    if (!packets.ok) return;
    for (const packet of packets.value) {
      if (packet.kind !== 'application') continue;
      const message = parseAddressProof(packet);
      if (message.ok && message.value !== undefined) this.#handle(now, message.value);
    }
  }

  #handle(now: Instant, message: AddressProofMessage): void {
    if (this.#confirmed || message.session !== this.#options.session) return;
    const sentAt = this.#sentAtOf(message.nonce);
    if (sentAt === undefined) return;
    if (message.kind === 'challenge') {
      this.#roundTrip = microseconds(Math.min(this.#roundTrip ?? Number.POSITIVE_INFINITY, now - sentAt));
      const proof = proofOf(this.#options.mac, this.#options.key, message);
      const { session, nonce } = message;
      this.#proof = serializeAddressProof({ kind: 'proof', session, nonce, proof });
      this.#proofPending = true;
      // The proof has as long to be answered as the hello had.
      this.#retryAt = later(now, this.#retryAfter);
    }
    // Without a challenge there was no proof to confirm.
    if (message.kind === 'confirmed' && this.#roundTrip !== undefined) {
      this.#confirmed = true;
      this.#helloPending = false;
      this.#proofPending = false;
      this.#retryAt = undefined;
      this.#event = { kind: 'confirmed', roundTrip: this.#roundTrip };
    }
  }

  /** When the hello with this nonce left; `undefined`: it is none of ours. */
  #sentAtOf(nonce: Uint8Array): Instant | undefined {
    for (let index = 0; index < NONCE_BYTES - 1; index++) {
      if (nonce[index] !== this.#options.nonce[index]) return undefined;
    }
    return this.#helloSentAt[nonce[NONCE_BYTES - 1]!];
  }

  handleTimeout(now: Instant): void {
    if (this.#retryAt === undefined || now < this.#retryAt) return;
    this.#helloPending = true;
    // The proof may be what was lost; its challenge may also be too old by now, which the new hello mends.
    this.#proofPending = this.#proof !== undefined;
    this.#retryAfter = microseconds(Math.min(this.#retryAfter * 2, RETRY_MAX));
    this.#retryAt = later(now, this.#retryAfter);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    if (this.#proofPending) {
      this.#proofPending = false;
      return this.#proof;
    }
    if (!this.#helloPending) return undefined;
    this.#helloPending = false;
    this.#retryAt ??= later(now, this.#retryAfter);
    const nonce = this.#options.nonce.slice();
    nonce[NONCE_BYTES - 1] = this.#attempt;
    this.#helloSentAt[this.#attempt] = now;
    this.#attempt = (this.#attempt + 1) % ATTEMPTS;
    return serializeAddressProof({ kind: 'hello', session: this.#options.session, nonce });
  }

  pollEvent(): AddressProverEvent | undefined {
    const event = this.#event;
    this.#event = undefined;
    return event;
  }

  pollTimeout(): Instant | undefined {
    return this.#retryAt;
  }
}
