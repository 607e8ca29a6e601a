import { assert } from '../base/assert.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { hexBytes, hexText } from '../base/text-codec.ts';
import { serializeRtcp } from '../rtcp/rtcp.ts';
import type { ApplicationPacket } from '../rtcp/rtcp-application.ts';

/**
 * Proof that a receiver holds its session's key and receives at the address it sends from; without it, a sender could
 * be made to stream to a third party. Four RTCP application packets (RFC 3550 §6.7, name `DFRM`, SSRC 0), distinguished
 * by subtype:
 *
 *     receiver                                                     sender
 *        | -- 0 hello      session, nonce, 16 zero bytes ------------> |   no answer is longer than its question,
 *        | <- 1 challenge  session, nonce, challenge ----------------- |   and nothing is stored for an address
 *        | -- 2 proof      session, nonce, MAC(key, challenge,nonce) > |   that has not proved itself
 *        | <- 3 confirmed  session, nonce ---------------------------- |
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |V=2|0| subtype |  APP = 204    |  length = 10, 10, 14 or 6     |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                           SSRC = 0                            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |     'D'       |      'F'      |      'R'      |      'M'      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                       session (8 bytes)                       |
 *    |                                                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                   receiver's nonce (8 bytes)                  |
 *    |                                                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   hello: 16 zero bytes; challenge: 16 bytes; proof: 32 bytes  |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The proof repeats the nonce because the sender keeps no state to look it up in.
 */
export type AddressProofMessage =
  | { readonly kind: 'hello'; readonly session: string; readonly nonce: Uint8Array }
  | {
      readonly kind: 'challenge';
      readonly session: string;
      readonly nonce: Uint8Array;
      /** 16 bytes. */
      readonly challenge: Uint8Array;
    }
  | {
      readonly kind: 'proof';
      readonly session: string;
      readonly nonce: Uint8Array;
      /** 32 bytes. */
      readonly proof: Uint8Array;
    }
  | { readonly kind: 'confirmed'; readonly session: string; readonly nonce: Uint8Array };

/** Message authentication code of 32 bytes: HMAC-SHA-256. Passed in, because the core contains no cryptography. */
export type Mac = (key: Uint8Array, message: Uint8Array) => Uint8Array;

export const ADDRESS_PROOF_NAME = 'DFRM';
export const SESSION_BYTES = 8;
export const NONCE_BYTES = 8;
export const CHALLENGE_BYTES = 16;
export const MAC_BYTES = 32;

const KINDS = ['hello', 'challenge', 'proof', 'confirmed'] as const;
/** Bytes after session and nonce. The hello is padded to the length of the challenge that answers it. */
const TAIL_BYTES = { hello: CHALLENGE_BYTES, challenge: CHALLENGE_BYTES, proof: MAC_BYTES, confirmed: 0 } as const;
const TAIL_OFFSET = SESSION_BYTES + NONCE_BYTES;

/** Serializes the message as a datagram of its own: reduced-size RTCP (RFC 5506). */
export const serializeAddressProof = (message: AddressProofMessage): Uint8Array =>
  serializeRtcp([addressProofPacket(message)]);

function addressProofPacket(message: AddressProofMessage): ApplicationPacket {
  const session = hexBytes(message.session);
  assert(session?.length === SESSION_BYTES, 'the session identifier must have 8 bytes');
  assert(message.nonce.length === NONCE_BYTES, 'the nonce must have 8 bytes');
  const data = new Uint8Array(TAIL_OFFSET + TAIL_BYTES[message.kind]);
  data.set(session);
  data.set(message.nonce, SESSION_BYTES);
  const tail = tailOf(message);
  assert(
    tail.length === 0 || tail.length === TAIL_BYTES[message.kind],
    'challenge and proof must have their full length',
  );
  data.set(tail, TAIL_OFFSET);
  return { kind: 'application', ssrc: 0, subtype: KINDS.indexOf(message.kind), name: ADDRESS_PROOF_NAME, data };
}

function tailOf(message: AddressProofMessage): Uint8Array {
  if (message.kind === 'challenge') return message.challenge;
  if (message.kind === 'proof') return message.proof;
  return NOTHING;
}

const NOTHING = new Uint8Array(0);

/** Returns the message; `undefined` for any other application packet. */
export function parseAddressProof(packet: ApplicationPacket): Parsed<AddressProofMessage | undefined> {
  const kind = KINDS[packet.subtype];
  if (packet.name !== ADDRESS_PROOF_NAME || kind === undefined) return parsed(undefined);
  const { data } = packet;
  // A hello may be longer than needed, since it is padding; the others have one length.
  const whole = TAIL_OFFSET + TAIL_BYTES[kind];
  if (data.length < whole || (kind !== 'hello' && data.length > whole)) return malformed('address-proof-length');
  const session = hexText(data.subarray(0, SESSION_BYTES));
  const nonce = data.slice(SESSION_BYTES, TAIL_OFFSET);
  const tail = data.slice(TAIL_OFFSET);
  switch (kind) {
    case 'challenge':
      return parsed({ kind, session, nonce, challenge: tail });
    case 'proof':
      return parsed({ kind, session, nonce, proof: tail });
    default:
      return parsed({ kind, session, nonce });
  }
}

/** Computes the proof: MAC(key, challenge ‖ nonce). */
export function proofOf(
  mac: Mac,
  key: Uint8Array,
  { challenge, nonce }: { readonly challenge: Uint8Array; readonly nonce: Uint8Array },
): Uint8Array {
  const message = new Uint8Array(CHALLENGE_BYTES + NONCE_BYTES);
  message.set(challenge);
  message.set(nonce, CHALLENGE_BYTES);
  const proof = mac(key, message);
  assert(proof.length === MAC_BYTES, 'the MAC must have 32 bytes');
  return proof;
}
