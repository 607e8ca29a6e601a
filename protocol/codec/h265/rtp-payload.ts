import type { PacketizeOptions, PayloadRange } from '../codec.ts';
import { type NalPayloadHeaders, packNalUnits } from '../nal/payload-packing.ts';
import { type NalPayloadStructure, nalPayloadReader, type PayloadLayout } from '../nal/payload-reading.ts';
import { h265NalUnitType, layerId, NAL_UNIT_HEADER_BYTES } from './nal-unit.ts';

/** Types in a payload header that are not NAL unit types (RFC 7798 §4.4). */
export const H265_PAYLOAD_TYPE = { aggregation: 48, fragmentation: 49, contentInformation: 50 } as const;

const SINGLE: PayloadLayout = { kind: 'single' };
const AGGREGATE: PayloadLayout = { kind: 'aggregate', headerBytes: NAL_UNIT_HEADER_BYTES };
const FRAGMENT: PayloadLayout = { kind: 'fragment', headerBytes: NAL_UNIT_HEADER_BYTES + 1 };
const TOO_SHORT: PayloadLayout = { kind: 'rejected', cause: 'payload-too-short' };
const CONTENT_INFORMATION: PayloadLayout = { kind: 'rejected', cause: 'paci-unsupported' };
const RESERVED: PayloadLayout = { kind: 'rejected', cause: 'payload-type-reserved' };

/**
 * Payloads of RFC 7798 without decoding order numbers (sprop-max-don-diff is 0, the default):
 *
 *    single NAL unit packet (§4.4.1)     aggregation packet (§4.4.2)
 *    +---------------+---------------+   +---------------+---------------+------+-----+------+-
 *    |F|  0 to 47  |  LayerId  | TID |   |F|    48     |  LayerId  | TID | size | NAL | size |
 *    +---------------+---------------+   +---------------+---------------+------+-----+------+-
 *
 *    fragmentation unit (§4.4.3)
 *    +---------------+---------------+---------------+------
 *    |F|    49     |  LayerId  | TID |S|E|   Type    | bytes
 *    +---------------+---------------+---------------+------
 */
export const H265_PAYLOAD_STRUCTURE: NalPayloadStructure = {
  headerBytes: NAL_UNIT_HEADER_BYTES,
  aggregate: 'ap',
  typeBits: 0x7e00,
  layoutOf({ bytes, payloadAt, payloadEnd }: PayloadRange) {
    if (payloadEnd - payloadAt < NAL_UNIT_HEADER_BYTES) return TOO_SHORT;
    const type = (bytes[payloadAt]! >> 1) & 0x3f;
    if (type < H265_PAYLOAD_TYPE.aggregation) return SINGLE;
    if (type === H265_PAYLOAD_TYPE.aggregation) return AGGREGATE;
    if (type === H265_PAYLOAD_TYPE.fragmentation) return FRAGMENT;
    return type === H265_PAYLOAD_TYPE.contentInformation ? CONTENT_INFORMATION : RESERVED;
  },
  fragmentedHeader: (bytes, at) => (((bytes[at]! & 0x81) | ((bytes[at + 2]! & 0x3f) << 1)) << 8) | bytes[at + 1]!,
};

const reader = nalPayloadReader(H265_PAYLOAD_STRUCTURE);
/** Reassembles the NAL units of a complete frame from its payloads. */
export const readPayloadRanges = reader.readRanges;
/** `readPayloadRanges` with all NAL units assembled at once. */
export const unpackPayloads = reader.unpack;

const HEADERS: NalPayloadHeaders = {
  headerBytes: NAL_UNIT_HEADER_BYTES,
  standsAlone: (nalUnit) => h265NalUnitType(nalUnit) < H265_PAYLOAD_TYPE.aggregation,

  /** §4.4.2: F is set when it is in any of the NAL units; LayerId and TID are the lowest of theirs. */
  writeAggregateHeader(target, at, nalUnits, { first, last }) {
    let forbidden = 0;
    let lowestLayer = 63;
    let lowestSubLayer = 7;
    for (let index = first; index < last; index += 1) {
      const nalUnit = nalUnits[index]!;
      forbidden |= nalUnit[0]! & 0x80;
      lowestLayer = Math.min(lowestLayer, layerId(nalUnit));
      lowestSubLayer = Math.min(lowestSubLayer, nalUnit[1]! & 7);
    }
    target[at] = forbidden | (H265_PAYLOAD_TYPE.aggregation << 1) | (lowestLayer >> 5);
    target[at + 1] = ((lowestLayer & 0x1f) << 3) | lowestSubLayer;
  },

  writeFragmentHeaders(target, at, nalUnit, marks) {
    target[at] = (nalUnit[0]! & 0x81) | (H265_PAYLOAD_TYPE.fragmentation << 1);
    target[at + 1] = nalUnit[1]!;
    target[at + 2] = marks | h265NalUnitType(nalUnit);
  },
};

/** Packetizes one frame as RFC 7798 says, its NAL units in decoding order. */
export function packH265Payloads(nalUnits: readonly Uint8Array[], options: PacketizeOptions): Uint8Array[] {
  return packNalUnits(nalUnits, HEADERS, options);
}
