import { assert } from '../base/assert.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { hexBytes, hexText } from '../base/text-codec.ts';
import { serializeRtcp } from '../rtcp/rtcp.ts';
import type { ApplicationPacket } from '../rtcp/rtcp-application.ts';

/**
 * How a receiver proves that it holds its session's key and that it receives at the address it sends from: a sender
 * that streamed to any address named to it could be turned on a third party. Four RTCP application packets (RFC 3550
 * §6.7, name `DFRM`, SSRC 0), told apart by their subtype:
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
 * The proof repeats the nonce because the sender kept nothing to look it up in.
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

/** A message authentication code of 32 bytes: HMAC-SHA-256. An argument, because the core has no cryptography. */
export type Mac = (key: Uint8Array, message: Uint8Array) => Uint8Array;

export const ADDRESS_PROOF_NAME = 'DFRM';
export const SESSION_BYTES = 8;
export const NONCE_BYTES = 8;
export const CHALLENGE_BYTES = 16;
export const MAC_BYTES = 32;

const KINDS = ['hello', 'challenge', 'proof', 'confirmed'] as const;
/** What follows session and nonce. The hello's are there to make it as long as the challenge that answers it. */
const TAIL_BYTES = { hello: CHALLENGE_BYTES, challenge: CHALLENGE_BYTES, proof: MAC_BYTES, confirmed: 0 } as const;
const TAIL_OFFSET = SESSION_BYTES + NONCE_BYTES;

/** The message as a datagram of its own: reduced-size RTCP (RFC 5506). */
export const serializeAddressProof = (message: AddressProofMessage): Uint8Array =>
  serializeRtcp([addressProofPacket(message)]);

function addressProofPacket(message: AddressProofMessage): ApplicationPacket {
  const session = hexBytes(message.session);
  assert(session?.length === SESSION_BYTES, 'a session is named by eight bytes');
  assert(message.nonce.length === NONCE_BYTES, 'a nonce has eight bytes');
  const data = new Uint8Array(TAIL_OFFSET + TAIL_BYTES[message.kind]);
  data.set(session);
  data.set(message.nonce, SESSION_BYTES);
  const tail = tailOf(message);
  assert(tail.length === 0 || tail.length === TAIL_BYTES[message.kind], 'challenge and proof have their full length');
  data.set(tail, TAIL_OFFSET);
  return { kind: 'application', ssrc: 0, subtype: KINDS.indexOf(message.kind), name: ADDRESS_PROOF_NAME, data };
}

function tailOf(message: AddressProofMessage): Uint8Array {
  if (message.kind === 'challenge') return message.challenge;
  if (message.kind === 'proof') return message.proof;
  return NOTHING;
}

const NOTHING = new Uint8Array(0);

/** `undefined`: an application packet, but not one of these. */
export function parseAddressProof(packet: ApplicationPacket): Parsed<AddressProofMessage | undefined> {
  const kind = KINDS[packet.subtype];
  if (packet.name !== ADDRESS_PROOF_NAME || kind === undefined) return parsed(undefined);
  const { data } = packet;
  // A longer hello is welcome: it pads itself. The others have one length.
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

/** MAC(key, challenge ‖ nonce): what the proof is. */
export function proofOf(
  mac: Mac,
  key: Uint8Array,
  { challenge, nonce }: { readonly challenge: Uint8Array; readonly nonce: Uint8Array },
): Uint8Array {
  const message = new Uint8Array(CHALLENGE_BYTES + NONCE_BYTES);
  message.set(challenge);
  message.set(nonce, CHALLENGE_BYTES);
  const proof = mac(key, message);
  assert(proof.length === MAC_BYTES, 'the MAC has 32 bytes');
  return proof;
}
