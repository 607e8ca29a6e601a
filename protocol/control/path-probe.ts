import { readUint32, writeUint32 } from '../base/big-endian.ts';
import { parseRtcp, serializeRtcp } from '../rtcp/rtcp.ts';
import { ADDRESS_PROOF_NAME } from './address-proof.ts';

/**
 * Probes of the path's MTU (RFC 8899): RTCP application packets (RFC 3550 §6.7), name `DFRM`, SSRC 0, each in a datagram
 * of its own.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                     number of the probe                       |  subtype 4, probe: padded with zeros
 *    |                           zeros ...                           |  to the length that is tried
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                     number of the probe                       |  subtype 5, its answer
 *    |                  length of the datagram, bytes                |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const PROBE = 4;
const ANSWER = 5;
const APPLICATION = 204;
/** RTCP header, SSRC and name. */
const HEADER_BYTES = 12;

/** Shortest probe, bytes. */
export const PROBE_BYTES_MIN = HEADER_BYTES + 4;

/** @param bytes length of the datagram, a multiple of four. */
export function serializeProbe({ number, bytes }: { readonly number: number; readonly bytes: number }): Uint8Array {
  const data = new Uint8Array(bytes - HEADER_BYTES);
  writeUint32(data, 0, number);
  return serializeRtcp([{ kind: 'application', ssrc: 0, subtype: PROBE, name: ADDRESS_PROOF_NAME, data }]);
}

/** Returns the answer to a probe, or `undefined` when the datagram is none. */
export function answerToProbe(datagram: Uint8Array): Uint8Array | undefined {
  const number = read(datagram, PROBE)?.[0];
  if (number === undefined) return undefined;
  const data = new Uint8Array(8);
  writeUint32(data, 0, number);
  writeUint32(data, 4, datagram.length);
  return serializeRtcp([{ kind: 'application', ssrc: 0, subtype: ANSWER, name: ADDRESS_PROOF_NAME, data }]);
}

/** True when a datagram is the answer to a probe, as far as its first bytes tell. */
export const isProbeAnswer = (datagram: Uint8Array): boolean =>
  datagram[1] === APPLICATION && datagram[0] === (0x80 | ANSWER);

/** Returns what an answer says, or `undefined` when the datagram is none. */
export function parseProbeAnswer(
  datagram: Uint8Array,
): { readonly number: number; readonly bytes: number } | undefined {
  const words = read(datagram, ANSWER);
  return words?.[1] === undefined ? undefined : { number: words[0]!, bytes: words[1] };
}

/** The first one or two words of an application packet of this subtype. */
function read(datagram: Uint8Array, subtype: number): number[] | undefined {
  if (datagram[1] !== APPLICATION || datagram[0] !== (0x80 | subtype)) return undefined;
  const packets = parseRtcp(datagram);
  const packet = packets.ok ? packets.value[0] : undefined;
  if (packet?.kind !== 'application' || packet.name !== ADDRESS_PROOF_NAME || packet.ssrc !== 0) return undefined;
  const { data } = packet;
  if (data.length < 4) return undefined;
  return data.length < 8 ? [readUint32(data, 0)] : [readUint32(data, 0), readUint32(data, 4)];
}
