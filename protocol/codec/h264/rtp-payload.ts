import { assert } from '../../base/assert.ts';
import type { PacketizeOptions } from '../codec.ts';
import { isSingleNalUnitPayload, PAYLOAD_TYPE } from './payload-type.ts';

export {
  readPayloadRanges,
  readPayloads,
  type Salvage,
  salvagePayloads,
  unpackPayloads,
} from './rtp-payload-reader.ts';

/** NAL unit header of the aggregation packet. */
const STAP_HEADER_BYTES = 1;
/** 16-bit size in front of each NAL unit of an aggregation packet. */
const STAP_SIZE_BYTES = 2;
/** FU indicator and FU header. */
const FU_HEADER_BYTES = 2;
/** Below this, headers exceed their contents; no path MTU is that small. */
const PAYLOAD_BYTES_MIN = 16;
/** Upper bound of a UDP datagram. */
const PAYLOAD_BYTES_MAX = 65_535;

/** NAL units `first` to `last` (exclusive) share a packet, or one NAL unit is split into `fragments` packets. */
interface Plan {
  readonly first: number;
  readonly last: number;
  /** 1 when not fragmented. */
  readonly fragments: number;
  /** Total payload bytes of these packets. */
  readonly bytes: number;
  readonly aggregated: boolean;
}

/**
 * Packetizes one frame (RFC 6184, packetization-mode 1): single NAL unit packets, consecutive small NAL units as
 * STAP-A, large ones as FU-A. All fragments of a NAL unit except the last fill their payload, as UDP segmentation
 * offload requires: datagrams of one length, of which only the last may be shorter.
 *
 *    single NAL unit    STAP-A (§5.7.1)                          FU-A (§5.8)
 *    +-+-+-+-+-+-+-+-+  +---------------+------+-----+------+-   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+------
 *    |F|NRI| 1 to 23 |  |F|NRI|   24    | size | NAL | size |    |F|NRI|   28    |S|E|0|  Type   | bytes
 *    +-+-+-+-+-+-+-+-+  +---------------+------+-----+------+-   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+------
 *
 * NAL units of types 0 and 24 to 31 are unspecified in H.264, and RFC 6184 uses these numbers for its packet types, so
 * they are never sent as single NAL unit packets. In a STAP-A or after an FU header the type is unambiguous, because
 * packet types are never nested (§5.7, §5.8). Other receivers pass them to their decoder, which ignores them (H.264
 * §7.4.1); our receiver returns them unchanged.
 *
 * @param options.payloadBytesMax 16 to 65,535: longest payload, without the RTP header.
 * @param options.headroomBytes free bytes in front of each payload, for the headers of lower layers.
 * @param options.allocate returns zeroed bytes.
 * @returns one array `[headroom | payload]` per packet, contiguous in memory; each byte is copied once.
 */
export function packPayloads(nalUnits: readonly Uint8Array[], options: PacketizeOptions): Uint8Array[] {
  const { payloadBytesMax, headroomBytes } = options;
  assert(payloadBytesMax >= PAYLOAD_BYTES_MIN, 'the payload limit must leave room for the payload headers');
  assert(payloadBytesMax <= PAYLOAD_BYTES_MAX, 'the payload limit must fit a datagram and 16-bit sizes');
  assert(headroomBytes >= 0, 'the headroom must not be negative');
  const plans = plan(nalUnits, payloadBytesMax);
  let length = 0;
  for (const { bytes, fragments } of plans) length += bytes + fragments * headroomBytes;
  const buffer = options.allocate?.(length) ?? new Uint8Array(length);
  const packets: Uint8Array[] = [];
  let offset = 0;
  for (const part of plans) {
    const nalUnit = nalUnits[part.first]!;
    if (part.fragments > 1) {
      const stride = fragmentBytes(nalUnit, payloadBytesMax);
      for (let from = 1; from < nalUnit.length; from += stride) {
        const to = Math.min(from + stride, nalUnit.length);
        const end = offset + headroomBytes + FU_HEADER_BYTES + to - from;
        writeFragment(buffer, offset + headroomBytes, nalUnit, from, to);
        packets.push(buffer.subarray(offset, end));
        offset = end;
      }
      continue;
    }
    const packet = buffer.subarray(offset, offset + headroomBytes + part.bytes);
    if (part.aggregated) writeAggregate(packet, headroomBytes, nalUnits, part);
    else packet.set(nalUnit, headroomBytes);
    packets.push(packet);
    offset += packet.length;
  }
  return packets;
}

function plan(nalUnits: readonly Uint8Array[], payloadBytesMax: number): Plan[] {
  const plans: Plan[] = [];
  let first = 0;
  while (first < nalUnits.length) {
    let last = first;
    let bytes = STAP_HEADER_BYTES;
    while (last < nalUnits.length) {
      const length = nalUnits[last]!.length;
      assert(length > 0, 'a NAL unit must contain its header byte');
      if (bytes + STAP_SIZE_BYTES + length > payloadBytesMax) break;
      bytes += STAP_SIZE_BYTES + length;
      last += 1;
    }
    const part =
      last - first > 1
        ? { first, last, fragments: 1, bytes, aggregated: true }
        : planOne(nalUnits, first, payloadBytesMax);
    plans.push(part);
    first = part.last;
  }
  return plans;
}

function planOne(nalUnits: readonly Uint8Array[], first: number, payloadBytesMax: number): Plan {
  const nalUnit = nalUnits[first]!;
  const last = first + 1;
  const { length } = nalUnit;
  if (isSingleNalUnitPayload(nalUnit)) {
    if (length <= payloadBytesMax) return { first, last, fragments: 1, bytes: length, aggregated: false };
  } else {
    const bytes = STAP_HEADER_BYTES + STAP_SIZE_BYTES + length;
    if (bytes <= payloadBytesMax) return { first, last, fragments: 1, bytes, aggregated: true };
  }
  // The NAL unit header is part of the FU headers.
  const fragments = Math.ceil((length - 1) / fragmentBytes(nalUnit, payloadBytesMax));
  return { first, last, fragments, bytes: length - 1 + fragments * FU_HEADER_BYTES, aggregated: false };
}

/**
 * NAL unit bytes in each fragment but the last: as many as fit, or half of them when one fragment would suffice, since
 * start and end bit together are forbidden (§5.8).
 */
function fragmentBytes(nalUnit: Uint8Array, payloadBytesMax: number): number {
  const most = payloadBytesMax - FU_HEADER_BYTES;
  const all = nalUnit.length - 1;
  return all > most ? most : Math.ceil(all / 2);
}

/** §5.7: F is the bitwise or of the contained NAL units' F, NRI the maximum of theirs. */
function writeAggregate(packet: Uint8Array, headroomBytes: number, nalUnits: readonly Uint8Array[], part: Plan): void {
  let forbidden = 0;
  let reference = 0;
  let offset = headroomBytes + STAP_HEADER_BYTES;
  for (let index = part.first; index < part.last; index += 1) {
    const nalUnit = nalUnits[index]!;
    const header = nalUnit[0]!;
    forbidden |= header & 0x80;
    reference = Math.max(reference, header & 0x60);
    packet[offset] = nalUnit.length >> 8;
    packet[offset + 1] = nalUnit.length & 0xff;
    packet.set(nalUnit, offset + STAP_SIZE_BYTES);
    offset += STAP_SIZE_BYTES + nalUnit.length;
  }
  packet[headroomBytes] = forbidden | reference | PAYLOAD_TYPE.stapA;
}

/** Writes the payload with bytes `from` … `to` of the NAL unit; byte 1, after its header, is the first. */
function writeFragment(target: Uint8Array, offset: number, nalUnit: Uint8Array, from: number, to: number): void {
  const header = nalUnit[0]!;
  const startBit = from === 1 ? 0x80 : 0;
  const endBit = to === nalUnit.length ? 0x40 : 0;
  target[offset] = (header & 0xe0) | PAYLOAD_TYPE.fuA;
  target[offset + 1] = startBit | endBit | (header & 0x1f);
  target.set(nalUnit.subarray(from, to), offset + FU_HEADER_BYTES);
}
