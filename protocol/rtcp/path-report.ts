import { readUint16, readUint32, writeUint16 } from '../base/big-endian.ts';
import { type WireSequence, wireSequence } from '../rtp/sequence.ts';
import { parseRtcp, serializeRtcp } from './rtcp.ts';

/**
 * Path report, of a receiver that one stream reaches by two paths: an RTCP application packet (RFC 3550 §6.7, name
 * `DFRM`, subtype 14). It is the last packet of a datagram, behind other feedback or alone.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |    newest packet, path 0      |      datagrams, path 0        |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |    newest packet, path 1      |      datagrams, path 1        |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface PathReport {
  /** State of each path, by its number. */
  readonly paths: readonly [PathArrivals, PathArrivals];
}

/** Datagrams that a receiver got by one path. */
export interface PathArrivals {
  /** Newest media packet; the one before the first while none has arrived. */
  readonly newest: WireSequence;
  /** Number of datagrams of any kind, modulo 65,536. */
  readonly datagrams: number;
}

/** Number of paths of a stream. */
export const PATHS = 2;

const NAME = 'DFRM';
const NAME_WORD = 0x4446_524d;
const SUBTYPE = 14;
const DATA_BYTES = 8;
/** RTCP header, SSRC, name and data. */
const REPORT_BYTES = 12 + DATA_BYTES;
const VERSION_AND_SUBTYPE = 0x80 | SUBTYPE;
const APPLICATION = 204;

/** Appends a report to a datagram of RTCP packets, which may be empty. */
export function appendPathReport(datagram: Uint8Array, ssrc: number, { paths }: PathReport): Uint8Array {
  const data = new Uint8Array(DATA_BYTES);
  for (const [path, { newest, datagrams }] of paths.entries()) {
    writeUint16(data, path * 4, newest);
    writeUint16(data, path * 4 + 2, datagrams & 0xffff);
  }
  const report = serializeRtcp([{ kind: 'application', ssrc, subtype: SUBTYPE, name: NAME, data }]);
  const both = new Uint8Array(datagram.length + report.length);
  both.set(datagram);
  both.set(report, datagram.length);
  return both;
}

/** Splits the report off a datagram. @returns `undefined` when its last packet is not a report. */
export function splitPathReport(
  datagram: Uint8Array,
): { readonly rest: Uint8Array; readonly ssrc: number; readonly report: PathReport } | undefined {
  const at = datagram.length - REPORT_BYTES;
  if (at < 0 || at % 4 !== 0 || !isPathPacket(datagram, at, REPORT_BYTES)) return undefined;
  const of = (path: number): PathArrivals => ({
    newest: wireSequence(readUint16(datagram, at + 12 + path * 4)),
    datagrams: readUint16(datagram, at + 14 + path * 4),
  });
  // Bytes like those of a report may be the end of another packet.
  if (!parseRtcp(datagram).ok) return undefined;
  return { rest: datagram.subarray(0, at), ssrc: readUint32(datagram, at + 4), report: { paths: [of(0), of(1)] } };
}

/** Returns a datagram that shows that a path carries: the report's packet without data. */
export const pathProbe = (ssrc: number): Uint8Array =>
  serializeRtcp([{ kind: 'application', ssrc, subtype: SUBTYPE, name: NAME, data: new Uint8Array(0) }]);

/** True for a probe of a path. */
export const isPathProbe = (datagram: Uint8Array): boolean =>
  datagram.length === REPORT_BYTES - DATA_BYTES && isPathPacket(datagram, 0, datagram.length);

function isPathPacket(datagram: Uint8Array, at: number, bytes: number): boolean {
  if (datagram[at] !== VERSION_AND_SUBTYPE || datagram[at + 1] !== APPLICATION) return false;
  return readUint16(datagram, at + 2) === bytes / 4 - 1 && readUint32(datagram, at + 8) === NAME_WORD;
}
