import { assert } from '../base/assert.ts';
import { utf8Bytes } from '../base/text-codec.ts';

/** Primitives of CPACE-X25519-SHA512. Passed in, because the core contains no cryptography. */
export interface CpaceCipher {
  sha512(bytes: Uint8Array): Uint8Array;
  /**
   * X25519 (RFC 7748 §5): the u-coordinate of `scalar` times the point with this u-coordinate, 32 bytes each.
   * `undefined` when the result is the neutral element, as for points of low order.
   */
  x25519(scalar: Uint8Array, point: Uint8Array): Uint8Array | undefined;
}

/** Inputs that both ends of an exchange know beforehand. */
export interface CpaceContext {
  readonly passphrase: string;
  /** Value that only these two ends of this connection have, so that an exchange cannot be passed on to another. */
  readonly session: Uint8Array;
}

/** Bytes of a share. */
export const SHARE_BYTES = 32;

const GENERATOR_LABEL = utf8Bytes('CPace255');
const KEY_LABEL = utf8Bytes('CPace255_ISK');
/** Channel identifier of this use: the roles, and the protocol. */
const CHANNEL = utf8Bytes('dropframe control: receiver, sender');
/** Input block of SHA-512, bytes. */
const HASH_BLOCK_BYTES = 128;

/**
 * CPace (draft-irtf-cfrg-cpace, CPACE-X25519-SHA512, initiator and responder): two ends that know a passphrase agree on
 * a key, and a party without it learns from the exchange only whether one guess was right.
 *
 *     receiver, initiator                       sender, responder
 *     Ya = a · G(passphrase, session)   ---->
 *                                       <----   Yb = b · G(passphrase, session)
 *     key = SHA-512(label, session, a · Yb, Ya, Yb) = SHA-512(label, session, b · Ya, Ya, Yb)
 */
export class CpaceExchange {
  readonly #cipher: CpaceCipher;
  readonly #session: Uint8Array;
  readonly #scalar: Uint8Array;
  /** This end's share, 32 bytes. */
  readonly share: Uint8Array;

  /** @param scalar 32 random bytes, for this exchange alone. */
  constructor(cipher: CpaceCipher, context: CpaceContext, scalar: Uint8Array) {
    this.#cipher = cipher;
    this.#session = context.session;
    this.#scalar = scalar;
    const generator = cpaceGenerator(cipher, {
      secret: utf8Bytes(context.passphrase.normalize('NFC')),
      channel: CHANNEL,
      session: context.session,
    });
    const share = cipher.x25519(scalar, generator);
    assert(share !== undefined, 'the generator must not have low order (probability 2^-250)');
    this.share = share;
  }

  /** Returns the key, 64 bytes; `undefined` when the other end's share is not one. */
  key(role: 'initiator' | 'responder', otherShare: Uint8Array): Uint8Array | undefined {
    if (otherShare.length !== SHARE_BYTES) return undefined;
    const point = this.#cipher.x25519(this.#scalar, otherShare);
    if (!point) return undefined;
    const shares = role === 'initiator' ? [this.share, otherShare] : [otherShare, this.share];
    return cpaceKey(this.#cipher, { session: this.#session, point, shares: shares as [Uint8Array, Uint8Array] });
  }
}

/** Computes the key (draft §7.2): SHA-512 of label, session and point, and the transcript of both shares. */
export function cpaceKey(
  cipher: CpaceCipher,
  { session, point, shares, associated = [NOTHING, NOTHING] }: CpaceTranscript,
): Uint8Array {
  return cipher.sha512(withLengths([KEY_LABEL, session, point, shares[0], associated[0], shares[1], associated[1]]));
}

export interface CpaceTranscript {
  readonly session: Uint8Array;
  /** The shared point. */
  readonly point: Uint8Array;
  /** Shares of initiator and responder. */
  readonly shares: readonly [Uint8Array, Uint8Array];
  /** Associated data of the two; not used here. */
  readonly associated?: readonly [Uint8Array, Uint8Array];
}

const NOTHING = new Uint8Array(0);

/**
 * Computes the generator (draft §7.1 and §8.2): the hash of label, secret, padding to a whole block, channel and session,
 * mapped to the curve. The padding keeps the secret in a block of its own.
 */
export function cpaceGenerator(
  cipher: CpaceCipher,
  { secret, channel, session }: Readonly<Record<'secret' | 'channel' | 'session', Uint8Array>>,
): Uint8Array {
  const before = withLengths([GENERATOR_LABEL, secret]).length;
  const padding = new Uint8Array(Math.max(0, HASH_BLOCK_BYTES - 1 - before));
  const hash = cipher.sha512(withLengths([GENERATOR_LABEL, secret, padding, channel, session]));
  return elligator2(hash.slice(0, SHARE_BYTES));
}

/** Concatenates strings, each after its length in LEB128 (draft §5.3). */
function withLengths(strings: readonly Uint8Array[]): Uint8Array {
  const bytes: number[] = [];
  for (const string of strings) {
    let { length } = string;
    for (; length >= 0x80; length >>>= 7) bytes.push((length & 0x7f) | 0x80);
    bytes.push(length, ...string);
  }
  return Uint8Array.from(bytes);
}

/** Field of Curve25519, its coefficient A, and the non-square 2 that Elligator 2 uses with it (RFC 9380 §6.7.1). */
const FIELD = 2n ** 255n - 19n;
const A = 486_662n;
const NON_SQUARE = 2n;

/** Maps 32 bytes to the u-coordinate of a point on Curve25519 (RFC 9380 §6.7.1; draft appendix D). */
function elligator2(bytes: Uint8Array): Uint8Array {
  const r = littleEndian(bytes) % 2n ** 255n;
  const v = modulo(-A * inverse(1n + NON_SQUARE * r * r));
  const isSquare = power(modulo(v * v * v + A * v * v + v), (FIELD - 1n) / 2n) !== FIELD - 1n;
  let u = isSquare ? v : modulo(-v - A);
  const encoded = new Uint8Array(SHARE_BYTES);
  for (let index = 0; index < SHARE_BYTES; index++, u >>= 8n) encoded[index] = Number(u & 0xffn);
  return encoded;
}

const modulo = (value: bigint): bigint => ((value % FIELD) + FIELD) % FIELD;

const inverse = (value: bigint): bigint => power(modulo(value), FIELD - 2n);

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = modulo(square * square)) {
    if ((rest & 1n) === 1n) result = modulo(result * square);
  }
  return result;
}

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
