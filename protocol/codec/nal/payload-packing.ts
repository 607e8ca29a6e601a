import { assert } from '../../base/assert.ts';
import type { PacketizeOptions } from '../codec.ts';

/** 16-bit size in front of each NAL unit of an aggregation packet (RFC 6184 §5.7.1, RFC 7798 §4.4.2). */
const SIZE_BYTES = 2;
/** Start bit of the FU header (RFC 6184 §5.8, RFC 7798 §4.4.3). */
const START = 0x80;
/** End bit of the FU header. */
const END = 0x40;
/** Below this, headers exceed their contents; no path MTU is that small. */
const PAYLOAD_BYTES_MIN = 16;
/** Upper bound of a UDP datagram. */
const PAYLOAD_BYTES_MAX = 65_535;

/** Headers of an RTP payload format that carries NAL units alone, several together, or in fragments. */
export interface NalPayloadHeaders {
  /** Length of a NAL unit header, and of the payload header in front of aggregated NAL units. */
  readonly headerBytes: number;
  /** True when a payload can consist of this NAL unit: its type is none that the payload format uses itself. */
  standsAlone(nalUnit: Uint8Array): boolean;
  /** Writes the payload header of an aggregation packet with the NAL units `first` to `last` (exclusive). */
  writeAggregateHeader(
    target: Uint8Array,
    at: number,
    nalUnits: readonly Uint8Array[],
    range: { readonly first: number; readonly last: number },
  ): void;
  /**
   * Writes the headers of a fragment: as many bytes as a NAL unit header has, and one more.
   * @param marks start and end bit of the FU header, in place.
   */
  writeFragmentHeaders(target: Uint8Array, at: number, nalUnit: Uint8Array, marks: number): void;
}

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
 * Packetizes one frame: NAL units that fit alone, consecutive small ones together, large ones in fragments. All
 * fragments of a NAL unit except the last fill their payload, as UDP segmentation offload requires: datagrams of one
 * length, of which only the last may be shorter.
 *
 * A NAL unit whose type the payload format uses for its own packets is never sent alone. Aggregated, or in fragments,
 * its type is unambiguous, because such packets are never nested.
 *
 * @returns one array `[headroom | payload]` per packet, contiguous in memory; each byte is copied once.
 */
export function packNalUnits(
  nalUnits: readonly Uint8Array[],
  headers: NalPayloadHeaders,
  options: PacketizeOptions,
): Uint8Array[] {
  const { payloadBytesMax, headroomBytes } = options;
  assert(payloadBytesMax >= PAYLOAD_BYTES_MIN, 'the payload limit must leave room for the payload headers');
  assert(payloadBytesMax <= PAYLOAD_BYTES_MAX, 'the payload limit must fit a datagram and 16-bit sizes');
  assert(headroomBytes >= 0, 'the headroom must not be negative');
  const plans = plan(nalUnits, headers, payloadBytesMax);
  let length = 0;
  for (const { bytes, fragments } of plans) length += bytes + fragments * headroomBytes;
  const buffer = options.allocate?.(length) ?? new Uint8Array(length);
  const packets: Uint8Array[] = [];
  let offset = 0;
  for (const part of plans) {
    const nalUnit = nalUnits[part.first]!;
    if (part.fragments > 1) {
      const stride = fragmentBytes(nalUnit, headers, payloadBytesMax);
      for (let from = headers.headerBytes; from < nalUnit.length; from += stride) {
        const to = Math.min(from + stride, nalUnit.length);
        const bodyAt = offset + headroomBytes + headers.headerBytes + 1;
        const marks = (from === headers.headerBytes ? START : 0) | (to === nalUnit.length ? END : 0);
        headers.writeFragmentHeaders(buffer, offset + headroomBytes, nalUnit, marks);
        buffer.set(nalUnit.subarray(from, to), bodyAt);
        packets.push(buffer.subarray(offset, bodyAt + to - from));
        offset = bodyAt + to - from;
      }
      continue;
    }
    const packet = buffer.subarray(offset, offset + headroomBytes + part.bytes);
    if (part.aggregated) writeAggregate(packet, headroomBytes, { nalUnits, headers, part });
    else packet.set(nalUnit, headroomBytes);
    packets.push(packet);
    offset += packet.length;
  }
  return packets;
}

function plan(nalUnits: readonly Uint8Array[], headers: NalPayloadHeaders, payloadBytesMax: number): Plan[] {
  const plans: Plan[] = [];
  let first = 0;
  while (first < nalUnits.length) {
    let last = first;
    let bytes = headers.headerBytes;
    while (last < nalUnits.length) {
      const { length } = nalUnits[last]!;
      assert(length >= headers.headerBytes, 'a NAL unit must contain its header bytes');
      if (bytes + SIZE_BYTES + length > payloadBytesMax) break;
      bytes += SIZE_BYTES + length;
      last += 1;
    }
    const part =
      last - first > 1
        ? { first, last, fragments: 1, bytes, aggregated: true }
        : planOne(nalUnits[first]!, { first, headers, payloadBytesMax });
    plans.push(part);
    first = part.last;
  }
  return plans;
}

function planOne(
  nalUnit: Uint8Array,
  options: { readonly first: number; readonly headers: NalPayloadHeaders; readonly payloadBytesMax: number },
): Plan {
  const { first, headers, payloadBytesMax } = options;
  const last = first + 1;
  const { length } = nalUnit;
  if (headers.standsAlone(nalUnit)) {
    if (length <= payloadBytesMax) return { first, last, fragments: 1, bytes: length, aggregated: false };
  } else {
    const bytes = headers.headerBytes + SIZE_BYTES + length;
    if (bytes <= payloadBytesMax) return { first, last, fragments: 1, bytes, aggregated: true };
  }
  // The NAL unit header is part of the headers of each fragment.
  const body = length - headers.headerBytes;
  const fragments = Math.ceil(body / fragmentBytes(nalUnit, headers, payloadBytesMax));
  return { first, last, fragments, bytes: body + fragments * (headers.headerBytes + 1), aggregated: false };
}

/**
 * NAL unit bytes in each fragment but the last: as many as fit, or half of them when one fragment would suffice, since
 * start and end bit together are forbidden.
 */
function fragmentBytes(nalUnit: Uint8Array, { headerBytes }: NalPayloadHeaders, payloadBytesMax: number): number {
  const most = payloadBytesMax - headerBytes - 1;
  const all = nalUnit.length - headerBytes;
  return all > most ? most : Math.ceil(all / 2);
}

function writeAggregate(
  packet: Uint8Array,
  headroomBytes: number,
  content: { readonly nalUnits: readonly Uint8Array[]; readonly headers: NalPayloadHeaders; readonly part: Plan },
): void {
  const { nalUnits, headers, part } = content;
  headers.writeAggregateHeader(packet, headroomBytes, nalUnits, part);
  let offset = headroomBytes + headers.headerBytes;
  for (let index = part.first; index < part.last; index += 1) {
    const nalUnit = nalUnits[index]!;
    packet[offset] = nalUnit.length >> 8;
    packet[offset + 1] = nalUnit.length & 0xff;
    packet.set(nalUnit, offset + SIZE_BYTES);
    offset += SIZE_BYTES + nalUnit.length;
  }
}
