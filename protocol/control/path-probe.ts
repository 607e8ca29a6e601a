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
 *    |       datagrams dropped by the receiver's own system          |  absent when not known
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

/** Content of a probe's acknowledgment. */
export interface PathProbeAnswer {
  readonly number: number;
  /** Length of the probe when it arrived, bytes. */
  readonly bytes: number;
  /** Datagrams dropped so far by the receiver's own system before they were read, modulo 2^32; absent when not known. */
  readonly hostDrops?: number;
}

/**
 * Returns the answer to a probe, or `undefined` when the datagram is none.
 *
 * @param readHostDrops called for a probe only; see `PathProbeAnswer`.
 */
export function answerToProbe(datagram: Uint8Array, readHostDrops?: () => number | undefined): Uint8Array | undefined {
  const number = read(datagram, PROBE)?.[0];
  if (number === undefined) return undefined;
  const hostDrops = readHostDrops?.();
  const data = new Uint8Array(hostDrops === undefined ? 8 : 12);
  writeUint32(data, 0, number);
  writeUint32(data, 4, datagram.length);
  if (hostDrops !== undefined) writeUint32(data, 8, hostDrops % 0x1_0000_0000);
  return serializeRtcp([{ kind: 'application', ssrc: 0, subtype: ANSWER, name: ADDRESS_PROOF_NAME, data }]);
}

/** Parses an acknowledgment; `undefined` for any other datagram. */
export function parseProbeAnswer(datagram: Uint8Array): PathProbeAnswer | undefined {
  const [number, bytes, hostDrops] = read(datagram, ANSWER) ?? [];
  if (number === undefined || bytes === undefined) return undefined;
  return hostDrops === undefined ? { number, bytes } : { number, bytes, hostDrops };
}

/** The first words of an application packet of this subtype, at most three and at least one. */
function read(datagram: Uint8Array, subtype: number): number[] | undefined {
  if (datagram[1] !== APPLICATION || datagram[0] !== (0x80 | subtype)) return undefined;
  const packets = parseRtcp(datagram);
  const packet = packets.ok ? packets.value[0] : undefined;
  if (packet?.kind !== 'application' || packet.name !== ADDRESS_PROOF_NAME || packet.ssrc !== 0) return undefined;
  const { data } = packet;
  if (data.length < 4) return undefined;
  const words = Math.min(3, Math.floor(data.length / 4));
  return Array.from({ length: words }, (_, index) => readUint32(data, index * 4));
}
