import { assert } from '../base/assert.ts';
import { readUint16, writeUint16 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { RTP_HEADER_BYTES } from '../rtp/rtp-packet.ts';
import { type WireSequence, wireSequence } from '../rtp/sequence.ts';
import type { CodingKey } from './coding-coefficients.ts';
import { LENGTH_BYTES } from './source-symbols.ts';

/**
 * Window and coefficients of a repair symbol: the Repair FEC Payload ID of RFC 8681 §4.1.3 except for its last field.
 * The RFC numbers source symbols with 32 bits of their own. Here a media packet is one symbol, numbered by its RTP
 * sequence number, so source packets need no trailer and receivers without repair support take the media unchanged.
 */
export interface RepairHeader extends CodingKey {
  /** Number of packets in the window, "NSS" in the RFC: 1…4095. */
  readonly windowPackets: number;
  /** Oldest packet of the window. */
  readonly firstSequence: WireSequence;
}

/**
 * Payload of a repair packet, which is an RTP packet with its own SSRC, payload type and sequence numbers:
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

/** Largest value of the twelve bits of NSS. */
export const WINDOW_PACKETS_MAX = 0xfff;

/** Shortest symbol: a source symbol holds an RTP packet, which is at least a header. */
const SYMBOL_BYTES_MIN = LENGTH_BYTES + RTP_HEADER_BYTES;

/** The symbol in the result is a view of `payload`. */
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
  assert(header.windowPackets >= 1, 'a repair symbol must cover at least one packet');
  assert(header.windowPackets <= WINDOW_PACKETS_MAX, 'the size of a repair window must fit in 12 bits');
  assert(header.density >= 0, 'the density must fit in 4 bits');
  assert(header.density <= 0x0f, 'the density must fit in 4 bits');
  const payload = new Uint8Array(REPAIR_HEADER_BYTES + symbol.length);
  writeUint16(payload, 0, header.repairKey);
  writeUint16(payload, 2, (header.density << 12) | header.windowPackets);
  writeUint16(payload, 4, header.firstSequence);
  payload.set(symbol, REPAIR_HEADER_BYTES);
  return payload;
}
