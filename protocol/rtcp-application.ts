import { assert } from './assert.ts';
import { readUint32, writeUint32 } from './big-endian.ts';
import { malformed, type Parsed, parsed } from './parsed.ts';
import { newRtcpPacket, RTCP_TYPE, type RtcpBlock } from './rtcp-block.ts';

/**
 * Application-defined packet (RFC 3550 §6.7): the header, whose count is the subtype, then
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
  /** Four characters, a byte each. */
  readonly name: string;
  /** Whole words. */
  readonly data: Uint8Array;
}

const NAME_BYTES = 4;
const DATA_OFFSET = 8;

export function parseApplication({ count, body }: RtcpBlock): Parsed<ApplicationPacket> {
  if (body.length < DATA_OFFSET) return malformed('application-cut');
  return parsed({
    kind: 'application',
    ssrc: readUint32(body, 0),
    subtype: count,
    name: String.fromCharCode(body[4]!, body[5]!, body[6]!, body[7]!),
    data: body.subarray(DATA_OFFSET),
  });
}

export function serializeApplication({ ssrc, subtype, name, data }: ApplicationPacket): Uint8Array {
  assert(name.length === NAME_BYTES, 'the name of an application packet has four bytes');
  const packet = newRtcpPacket(subtype, RTCP_TYPE.application, DATA_OFFSET + data.length);
  writeUint32(packet, 4, ssrc);
  for (let index = 0; index < NAME_BYTES; index++) packet[8 + index] = name.charCodeAt(index);
  packet.set(data, 12);
  return packet;
}
