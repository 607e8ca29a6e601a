import { assert } from '../base/assert.ts';
import { readUint32, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock, writeRtcpHeader } from './rtcp-block.ts';

/**
 * Application-defined packet (RFC 3550 §6.7): the header, with the subtype in place of the count, then
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                           SSRC/CSRC                           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                          name (ASCII)                         |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                   application-dependent data ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface ApplicationPacket {
  readonly kind: 'application';
  readonly ssrc: number;
  /** 0…31. */
  readonly subtype: number;
  /** Four ASCII characters. */
  readonly name: string;
  /** A whole number of 32-bit words. */
  readonly data: Uint8Array;
}

const NAME_BYTES = 4;
const DATA_OFFSET = 8;

export function parseApplication({ count, bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<ApplicationPacket> {
  if (bodyEnd - bodyAt < DATA_OFFSET) return malformed('application-truncated');
  return parsed({
    kind: 'application',
    ssrc: readUint32(bytes, bodyAt),
    subtype: count,
    name: String.fromCharCode(bytes[bodyAt + 4]!, bytes[bodyAt + 5]!, bytes[bodyAt + 6]!, bytes[bodyAt + 7]!),
    data: bytes.subarray(bodyAt + DATA_OFFSET, bodyEnd),
  });
}

/** Size of the whole packet. */
export const applicationBytes = ({ data }: ApplicationPacket): number => RTCP_HEADER_BYTES + DATA_OFFSET + data.length;

export function writeApplication(target: Uint8Array, offset: number, packet: ApplicationPacket): void {
  const { ssrc, subtype, name, data } = packet;
  assert(name.length === NAME_BYTES, 'the name of an application-defined packet must have 4 bytes');
  const header = { count: subtype, packetType: RTCP_TYPE.application, bodyBytes: DATA_OFFSET + data.length };
  const body = writeRtcpHeader(target, offset, header);
  writeUint32(target, body, ssrc);
  for (let index = 0; index < NAME_BYTES; index++) target[body + 4 + index] = name.charCodeAt(index);
  target.set(data, body + DATA_OFFSET);
}
