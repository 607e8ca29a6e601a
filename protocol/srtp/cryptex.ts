import { readUint16 } from '../base/big-endian.ts';
import { EXTENSION_HEADER_BYTES, RTP_HEADER_BYTES } from '../rtp/rtp-packet.ts';

/**
 * Cryptex (RFC 9335): CSRCs and header extension are encrypted with the payload. The profile's upper byte signals this:
 * 0xBEDE becomes 0xC0DE, 0x1000 becomes 0xC2DE. Encrypted and authenticated parts, in cipher order:
 *
 *    +------------------------+----------------------+-------------+----------------------+------------+
 *    | fixed header, 12 bytes | profile, length: 4   | CSRCs, 4 CC | header extension     | payload    |
 *    +------------------------+----------------------+-------------+----------------------+------------+
 *    |<------------ authenticated ------------------>|<----------------- encrypted ------------------->|
 *
 * On the wire the CSRCs precede profile and length (RFC 3550 §5.1), so those two change places before and after.
 */
const CLEAR_TO_CRYPTEX: ReadonlyMap<number, number> = new Map([
  [0xbede, 0xc0de],
  [0x1000, 0xc2de],
]);
const CRYPTEX_TO_CLEAR: ReadonlyMap<number, number> = new Map(
  [...CLEAR_TO_CRYPTEX].map(([clear, code]) => [code, clear]),
);

/** Where the encrypted part of a packet begins, and how its header changes. */
export interface CryptexLayout {
  /** Number of CSRCs that change places with the extension's first four bytes. */
  csrcs: number;
  /** Profile after the change; `undefined` without a header extension that Cryptex covers. */
  profile: number | undefined;
  /** Bytes that are authenticated and not encrypted, in the cipher's order. */
  clearBytes: number;
}

/**
 * Reads the layout of an RTP packet that is to be encrypted. Overwrites `layout`, so that nothing is allocated.
 *
 * @returns false when the packet is malformed, or has a header extension of another kind than RFC 8285.
 */
export const readClearLayout = (packet: Uint8Array, cryptex: boolean, layout: CryptexLayout): boolean =>
  cryptex ? readCryptex(packet, packet.length, CLEAR_TO_CRYPTEX, layout) : readPlain(packet, packet.length, layout);

/**
 * Reads the layout of a protected RTP packet.
 *
 * @param end end of the ciphertext. @returns false also when the header extension is not encrypted and has to be.
 */
export const readProtectedLayout = (
  packet: Uint8Array,
  end: number,
  cryptex: boolean,
  layout: CryptexLayout,
): boolean => (cryptex ? readCryptex(packet, end, CRYPTEX_TO_CLEAR, layout) : readPlain(packet, end, layout));

function readCryptex(
  packet: Uint8Array,
  end: number,
  profiles: ReadonlyMap<number, number>,
  layout: CryptexLayout,
): boolean {
  const csrcs = packet[0]! & 0x0f;
  const headerEnd = RTP_HEADER_BYTES + csrcs * 4;
  layout.csrcs = 0;
  layout.profile = undefined;
  layout.clearBytes = headerEnd;
  if ((packet[0]! & EXTENSION) === 0) return headerEnd <= end;
  if (headerEnd + EXTENSION_HEADER_BYTES > end) return false;
  layout.csrcs = csrcs;
  layout.profile = profiles.get(readUint16(packet, headerEnd));
  layout.clearBytes = RTP_HEADER_BYTES + EXTENSION_HEADER_BYTES;
  return layout.profile !== undefined;
}

/** Without Cryptex the whole header is in the clear, with CSRCs and extension (RFC 3711 §3.1). */
function readPlain(packet: Uint8Array, end: number, layout: CryptexLayout): boolean {
  const headerEnd = RTP_HEADER_BYTES + (packet[0]! & 0x0f) * 4;
  layout.csrcs = 0;
  layout.profile = undefined;
  layout.clearBytes = headerEnd;
  if ((packet[0]! & EXTENSION) !== 0) {
    if (headerEnd + EXTENSION_HEADER_BYTES > end) return false;
    layout.clearBytes += EXTENSION_HEADER_BYTES + readUint16(packet, headerEnd + 2) * 4;
  }
  return layout.clearBytes <= end;
}

/** X bit of the first byte. */
const EXTENSION = 0x10;

/** Moves the extension's first four bytes in front of the CSRCs, in place. */
export function moveExtensionHeaderForward(packet: Uint8Array, csrcs: number): void {
  if (csrcs === 0) return;
  const from = RTP_HEADER_BYTES + csrcs * 4;
  const header = packet.slice(from, from + EXTENSION_HEADER_BYTES);
  packet.copyWithin(RTP_HEADER_BYTES + EXTENSION_HEADER_BYTES, RTP_HEADER_BYTES, from);
  packet.set(header, RTP_HEADER_BYTES);
}

/** Undoes `moveExtensionHeaderForward`. */
export function moveExtensionHeaderBack(packet: Uint8Array, csrcs: number): void {
  if (csrcs === 0) return;
  const header = packet.slice(RTP_HEADER_BYTES, RTP_HEADER_BYTES + EXTENSION_HEADER_BYTES);
  const to = RTP_HEADER_BYTES + csrcs * 4;
  packet.copyWithin(RTP_HEADER_BYTES, RTP_HEADER_BYTES + EXTENSION_HEADER_BYTES, to + EXTENSION_HEADER_BYTES);
  packet.set(header, to);
}
