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
  /** Session from `welcome`, 16 hexadecimal digits. */
  readonly session: string;
  /** Session key from `welcome`. */
  readonly key: Uint8Array;
  /** Eight random bytes; the last one is replaced by the attempt's number. */
  readonly nonce: Uint8Array;
  readonly mac: Mac;
}

export type AddressProverEvent = {
  readonly kind: 'confirmed';
  /** Shortest time from a hello to its challenge. Exact, because each hello has its own nonce. */
  readonly roundTrip: Microseconds;
};

/** First retry interval. A shorter one would only duplicate hellos on any usable path. */
const RETRY_FIRST: Microseconds = milliseconds(100);
const RETRY_MAX: Microseconds = milliseconds(1_000);

/** Number of attempts that the nonce can distinguish; answers to older ones are ignored. */
const ATTEMPTS = 256;

/**
 * Receiver's side of the address proof (`address-proof.ts`). A hello is ready in `pollTransmit` from the start; it is
 * repeated, together with the last proof, until the sender confirms. It never gives up: the session decides on a
 * timeout.
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
    assert(options.nonce.length === NONCE_BYTES, 'the nonce must have 8 bytes');
    this.#options = options;
  }

  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** Ignores datagrams that do not answer this prover: the port is shared with the media. */
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
      // The proof gets the same time for an answer as the hello.
      this.#retryAt = later(now, this.#retryAfter);
    }
    // A confirmation before any challenge cannot be genuine.
    if (message.kind === 'confirmed' && this.#roundTrip !== undefined) {
      this.#confirmed = true;
      this.#helloPending = false;
      this.#proofPending = false;
      this.#retryAt = undefined;
      this.#event = { kind: 'confirmed', roundTrip: this.#roundTrip };
    }
  }

  /** Returns the send time of the hello with this nonce, `undefined` when the nonce is not ours. */
  #sentAtOf(nonce: Uint8Array): Instant | undefined {
    for (let index = 0; index < NONCE_BYTES - 1; index++) {
      if (nonce[index] !== this.#options.nonce[index]) return undefined;
    }
    return this.#helloSentAt[nonce[NONCE_BYTES - 1]!];
  }

  handleTimeout(now: Instant): void {
    if (this.#retryAt === undefined || now < this.#retryAt) return;
    this.#helloPending = true;
    // Either the proof was lost, or its challenge has expired; the new hello obtains another challenge.
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
