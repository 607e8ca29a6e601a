import type { PacketizeOptions, PayloadRange } from '../codec.ts';
import { type NalPayloadHeaders, packNalUnits } from '../nal/payload-packing.ts';
import { type NalPayloadStructure, nalPayloadReader, type PayloadLayout } from '../nal/payload-reading.ts';
import { isSingleNalUnitPayload, PAYLOAD_TYPE } from './payload-type.ts';

/** NAL unit header, and that of an aggregation packet. */
const HEADER_BYTES = 1;
/** FU indicator and FU header. */
const FU_HEADER_BYTES = 2;
/** STAP-B and FU-B have a decoding order number after their header (RFC 6184 §5.5). */
const DECODING_ORDER_BYTES = 2;

const SINGLE: PayloadLayout = { kind: 'single' };
const MTAP: PayloadLayout = { kind: 'rejected', cause: 'mtap-unsupported' };
const RESERVED: PayloadLayout = { kind: 'rejected', cause: 'payload-type-reserved' };
const LAYOUTS: Readonly<Record<number, PayloadLayout>> = {
  [PAYLOAD_TYPE.stapA]: { kind: 'aggregate', headerBytes: HEADER_BYTES },
  [PAYLOAD_TYPE.stapB]: { kind: 'aggregate', headerBytes: HEADER_BYTES + DECODING_ORDER_BYTES },
  [PAYLOAD_TYPE.mtap16]: MTAP,
  [PAYLOAD_TYPE.mtap24]: MTAP,
  [PAYLOAD_TYPE.fuA]: { kind: 'fragment', headerBytes: FU_HEADER_BYTES },
  [PAYLOAD_TYPE.fuB]: { kind: 'fragment', headerBytes: FU_HEADER_BYTES + DECODING_ORDER_BYTES },
};

/**
 * Payloads of RFC 6184, of any sender. Decoding order numbers are skipped, since payloads are in order. MTAPs, which
 * carry several frames, are rejected.
 *
 *    single NAL unit    STAP-A (§5.7.1)                          FU-A (§5.8)
 *    +-+-+-+-+-+-+-+-+  +---------------+------+-----+------+-   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+------
 *    |F|NRI| 1 to 23 |  |F|NRI|   24    | size | NAL | size |    |F|NRI|   28    |S|E|0|  Type   | bytes
 *    +-+-+-+-+-+-+-+-+  +---------------+------+-----+------+-   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+------
 */
export const PAYLOAD_STRUCTURE: NalPayloadStructure = {
  headerBytes: HEADER_BYTES,
  aggregate: 'stap',
  typeBits: 0x1f,
  layoutOf({ bytes, payloadAt }: PayloadRange) {
    const type = bytes[payloadAt]! & 0x1f;
    return type >= 1 && type < PAYLOAD_TYPE.stapA ? SINGLE : (LAYOUTS[type] ?? RESERVED);
  },
  fragmentedHeader: (bytes, at) => (bytes[at]! & 0xe0) | (bytes[at + 1]! & 0x1f),
};

export const {
  readRanges: readPayloadRanges,
  read: readPayloads,
  unpack: unpackPayloads,
  salvage: salvagePayloads,
} = nalPayloadReader(PAYLOAD_STRUCTURE);

const HEADERS: NalPayloadHeaders = {
  headerBytes: HEADER_BYTES,
  standsAlone: isSingleNalUnitPayload,

  /** §5.7: F is the bitwise or of the contained NAL units' F, NRI the maximum of theirs. */
  writeAggregateHeader(target, at, nalUnits, { first, last }) {
    let forbidden = 0;
    let reference = 0;
    for (let index = first; index < last; index += 1) {
      const header = nalUnits[index]![0]!;
      forbidden |= header & 0x80;
      reference = Math.max(reference, header & 0x60);
    }
    target[at] = forbidden | reference | PAYLOAD_TYPE.stapA;
  },

  writeFragmentHeaders(target, at, nalUnit, marks) {
    const header = nalUnit[0]!;
    target[at] = (header & 0xe0) | PAYLOAD_TYPE.fuA;
    target[at + 1] = marks | (header & 0x1f);
  },
};

/**
 * Packetizes one frame (RFC 6184, packetization-mode 1): single NAL unit packets, consecutive small NAL units as
 * STAP-A, large ones as FU-A.
 *
 * NAL units of types 0 and 24 to 31 are unspecified in H.264, and RFC 6184 uses these numbers for its packet types, so
 * they are never sent as single NAL unit packets. Other receivers pass them to their decoder, which ignores them (H.264
 * §7.4.1); our receiver returns them unchanged.
 *
 * @returns one array `[headroom | payload]` per packet, contiguous in memory; each byte is copied once.
 */
export function packPayloads(nalUnits: readonly Uint8Array[], options: PacketizeOptions): Uint8Array[] {
  return packNalUnits(nalUnits, HEADERS, options);
}
