import { type AddressProofMessage, parseAddressProof } from '../../protocol/control/address-proof.ts';
import { parseRtcp } from '../../protocol/rtcp/rtcp.ts';

/** RTCP packet type of application-defined packets (RFC 3550 §12.1), used by the address proof. */
const RTCP_APPLICATION = 204;
/** Limit of parsed bytes of a datagram; no valid hello is longer. */
const BYTES_MAX = 1_472;

/** True for a challenge of the address proof. */
export const isChallenge = (datagram: Uint8Array): boolean => readProof(datagram)?.kind === 'challenge';

/**
 * Returns the message of the address proof in a datagram, or `undefined` when there is none: other packets of this type
 * are feedback of a receiver.
 */
export function readProof(datagram: Uint8Array): AddressProofMessage | undefined {
  if (datagram[1] !== RTCP_APPLICATION) return undefined;
  const packets = parseRtcp(datagram.subarray(0, BYTES_MAX));
  const packet = packets.ok ? packets.value[0] : undefined;
  const message = packet?.kind === 'application' ? parseAddressProof(packet) : undefined;
  return message?.ok ? message.value : undefined;
}
