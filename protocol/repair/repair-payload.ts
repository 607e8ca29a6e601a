import { assert } from '../base/assert.ts';
import { readUint16, writeUint16 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { RTP_HEADER_BYTES } from '../rtp/rtp-packet.ts';
import { type WireSequence, wireSequence } from '../rtp/sequence.ts';
import type { CodingKey } from './coding-coefficients.ts';
import { LENGTH_BYTES } from './source-symbols.ts';

/**
 * Which packets a repair symbol is the sum of, and with which coefficients: the Repair FEC Payload ID of RFC 8681
 * §4.1.3, but for its last field. The RFC counts source symbols with 32 bits of their own; here a media packet is one
 * symbol, so the RTP sequence number counts them and no source packet needs a trailer: a receiver that has never
 * heard of repair takes the media as it is.
 */
export interface RepairHeader extends CodingKey {
  /** The packets of the window, "NSS" in the RFC: 1…4095. */
  readonly windowPackets: number;
  /** The oldest packet of the window. */
  readonly firstSequence: WireSequence;
}

/**
 * The payload of a repair packet, an RTP packet with an SSRC, a payload type and sequence numbers of its own:
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |          repair key           |density|    window packets     |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |        first sequence         |                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               |
 *    |      repair symbol: as long as the window's longest source    |
 *    |      symbol (see source-symbols.ts)                           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface RepairPayload extends RepairHeader {
  readonly symbol: Uint8Array;
}

export const REPAIR_HEADER_BYTES = 6;

/** What the twelve bits of the RFC's NSS hold. */
export const WINDOW_PACKETS_MAX = 0xfff;

/** A source symbol is an RTP packet's, so that no sum of them is shorter than its header. */
const SYMBOL_BYTES_MIN = LENGTH_BYTES + RTP_HEADER_BYTES;

/** The symbol is a view of `payload`. */
export function parseRepairPayload(payload: Uint8Array): Parsed<RepairPayload> {
  if (payload.length < REPAIR_HEADER_BYTES + SYMBOL_BYTES_MIN) return malformed('repair-too-short');
  const windowPackets = readUint16(payload, 2) & WINDOW_PACKETS_MAX;
  if (windowPackets === 0) return malformed('repair-window-empty');
  return parsed({
    repairKey: readUint16(payload, 0),
    density: payload[2]! >> 4,
    windowPackets,
    firstSequence: wireSequence(readUint16(payload, 4)),
    symbol: payload.subarray(REPAIR_HEADER_BYTES),
  });
}

export function serializeRepairPayload(header: RepairPayload): Uint8Array {
  const { symbol } = header;
  assert(header.windowPackets >= 1, 'a repair symbol is the sum of something');
  assert(header.windowPackets <= WINDOW_PACKETS_MAX, 'the window is counted with twelve bits');
  assert(header.density >= 0, 'the density has four bits');
  assert(header.density <= 0x0f, 'the density has four bits');
  const payload = new Uint8Array(REPAIR_HEADER_BYTES + symbol.length);
  writeUint16(payload, 0, header.repairKey);
  writeUint16(payload, 2, (header.density << 12) | header.windowPackets);
  writeUint16(payload, 4, header.firstSequence);
  payload.set(symbol, REPAIR_HEADER_BYTES);
  return payload;
}
