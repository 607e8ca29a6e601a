import { utf8Bytes } from '../base/text-codec.ts';
import type { Instant } from '../base/units.ts';

/**
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian. A file is a section header, one interface
 * description per interface, then packets.
 */

/** LINKTYPE_RAW: each packet begins with an IP header. */
export const LINK_TYPE_RAW = 101;

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_COMMENT = 1;
const OPTION_INTERFACE_NAME = 2;
const OPTION_FLAGS = 2;
const INBOUND = 1;
const OUTBOUND = 2;
/** Block type and two block lengths. */
const FRAME_BYTES = 12;
const PACKET_FIELDS_BYTES = 20;

type Option = readonly [code: number, value: Uint8Array];

export interface EnhancedPacket {
  /** Index of the interface description in the file. */
  readonly interfaceIndex: number;
  /** Microseconds since 1970. */
  readonly at: Instant;
  readonly packet: Uint8Array;
  /** Direction as seen by the capturing host. */
  readonly direction?: 'in' | 'out';
  readonly comment?: string | undefined;
}

/** Section header block (§4.1): version 1.0, section length unspecified. */
export function sectionHeader(): Uint8Array {
  const { bytes, view } = block(SECTION_HEADER, 16, []);
  view.setUint32(8, BYTE_ORDER_MAGIC, true);
  view.setUint16(12, 1, true);
  bytes.fill(0xff, 16, 24);
  return bytes;
}

/** Interface description block (§4.2): raw IP, packets of any length, timestamps in microseconds (the default). */
export function interfaceDescription(name: string): Uint8Array {
  const { bytes, view } = block(INTERFACE_DESCRIPTION, 8, [[OPTION_INTERFACE_NAME, utf8Bytes(name)]]);
  view.setUint16(8, LINK_TYPE_RAW, true);
  return bytes;
}

/** Enhanced packet block (§4.3). */
export function enhancedPacket({ interfaceIndex, at, packet, direction, comment }: EnhancedPacket): Uint8Array {
  const options: Option[] = [];
  if (direction) options.push([OPTION_FLAGS, Uint8Array.of(direction === 'in' ? INBOUND : OUTBOUND, 0, 0, 0)]);
  if (comment !== undefined) options.push([OPTION_COMMENT, utf8Bytes(comment)]);
  const { bytes, view } = block(ENHANCED_PACKET, PACKET_FIELDS_BYTES + padded(packet.length), options);
  view.setUint32(8, interfaceIndex, true);
  view.setUint32(12, Math.floor(at / 2 ** 32), true);
  view.setUint32(16, at % 2 ** 32, true);
  view.setUint32(20, packet.length, true);
  view.setUint32(24, packet.length, true);
  bytes.set(packet, 8 + PACKET_FIELDS_BYTES);
  return bytes;
}

/**
 * §3.1: a block with room for its body, which begins at byte 8.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +---------------------------------------------------------------+
 *    |                          Block Type                           |
 *    |                      Block Total Length                       |
 *    /       Block Body (multiple of four bytes), then options       /
 *    |                      Block Total Length                       |
 *    +---------------------------------------------------------------+
 *
 * @param bodyBytes a multiple of four
 */
function block(type: number, bodyBytes: number, options: readonly Option[]) {
  let length = FRAME_BYTES + bodyBytes;
  for (const [, value] of options) length += 4 + padded(value.length);
  if (options.length > 0) length += 4; // opt_endofopt
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  view.setUint32(length - 4, length, true);
  let offset = 8 + bodyBytes;
  for (const [code, value] of options) {
    view.setUint16(offset, code, true);
    view.setUint16(offset + 2, value.length, true);
    bytes.set(value, offset + 4);
    offset += 4 + padded(value.length);
  }
  return { bytes, view };
}

const padded = (length: number): number => (length + 3) & ~3;
