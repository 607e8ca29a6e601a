import { concatenated } from '../../base/concatenated.ts';
import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import type { PackedParts, PacketizeOptions, PayloadRange } from '../codec.ts';
import { isAv1Entry } from './importance.ts';
import { leb128Bytes, OBU_TYPE, obuType, readLeb128, withoutSize, writeLeb128 } from './obu.ts';

/** Bits of the aggregation header ("RTP Payload Format For AV1" §4.4). */
const FLAG = { continues: 0x80, isContinued: 0x40, newSequence: 0x08 };
const COUNT_SHIFT = 4;
const RESERVED = 0x07;
/** Elements of a packet whose number the header can state. */
const ELEMENTS_MAX = 3;
/** Shortest fragment worth its place; a remainder of a packet below that stays empty. */
const FRAGMENT_BYTES_MIN = 8;

/**
 * Packetizes the OBUs of a temporal unit, without sizes ("RTP Payload Format For AV1" §4).
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+
 *     |Z|Y| W |N|  0  |  then W elements; each but the last behind its length, leb128
 *     +-+-+-+-+-+-+-+-+
 *
 * Z: the first element continues an OBU. Y: the last one is continued. N: first packet of a coded video sequence.
 */
export function packAv1(
  parts: readonly Uint8Array[],
  { payloadBytesMax, headroomBytes, allocate = (bytes) => new Uint8Array(bytes) }: PacketizeOptions,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let elements: Uint8Array[] = [];
  let continues = false;
  const room = (): number =>
    elements.reduce((left, { length }) => left - leb128Bytes(length) - length, payloadBytesMax - 1);
  const finish = (isContinued: boolean): void => {
    const newSequence = packets.length === 0 && isAv1Entry(parts);
    const flags = (continues ? FLAG.continues : 0) | (isContinued ? FLAG.isContinued : 0);
    const header = flags | (elements.length << COUNT_SHIFT) | (newSequence ? FLAG.newSequence : 0);
    packets.push(writePacket(header, elements, headroomBytes, allocate));
    elements = [];
    continues = isContinued;
  };
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const [left, rest] = [room(), part.length - at];
      const fits = rest <= left || left >= FRAGMENT_BYTES_MIN;
      if (elements.length > 0 && (elements.length === ELEMENTS_MAX || !fits)) {
        finish(false);
        continue;
      }
      const end = Math.min(part.length, at + left);
      elements.push(part.subarray(at, end));
      at = end;
      if (at < part.length) finish(true);
    }
  }
  if (elements.length > 0) finish(false);
  return packets;
}

function writePacket(
  header: number,
  elements: readonly Uint8Array[],
  headroomBytes: number,
  allocate: (bytes: number) => Uint8Array,
): Uint8Array {
  const last = elements.length - 1;
  const bytes = elements.reduce((sum, { length }, index) => sum + length + (index < last ? leb128Bytes(length) : 0), 0);
  const packet = allocate(headroomBytes + 1 + bytes);
  packet[headroomBytes] = header;
  let at = headroomBytes + 1;
  for (const [index, element] of elements.entries()) {
    if (index < last) at = writeLeb128(packet, at, element.length);
    packet.set(element, at);
    at += element.length;
  }
  return packet;
}

/** Reassembles the OBUs of a temporal unit, without sizes and temporal delimiters. */
export function readAv1(payloads: readonly PayloadRange[]): Parsed<PackedParts> {
  const obus: Uint8Array[][] = [];
  let isOpen = false;
  for (const { bytes, payloadAt, payloadEnd } of payloads) {
    const packet = readPacket(bytes, payloadAt, payloadEnd);
    if (!packet) return malformed('av1-elements');
    if (packet.continues !== isOpen) return malformed('av1-fragments');
    for (const [index, element] of packet.elements.entries()) {
      if (index === 0 && isOpen) obus.at(-1)!.push(element);
      else obus.push([element]);
    }
    isOpen = packet.isContinued;
  }
  if (isOpen) return malformed('av1-incomplete');
  const parts = obus
    .map((pieces) => withoutSize(concatenated(pieces.map((piece) => piece.slice()))))
    .filter((obu) => obuType(obu) !== OBU_TYPE.temporalDelimiter);
  if (parts.length === 0) return malformed('av1-empty');
  return parsed({ count: parts.length, bytes: parts.reduce((sum, { length }) => sum + length, 0), parts });
}

/** True when the bytes can be a payload: whole elements, of which the first is, or continues, an OBU. */
export function looksLikeAv1(payload: Uint8Array): boolean {
  const packet = readPacket(payload, 0, payload.length);
  if (!packet || ((payload[0] ?? 0) & RESERVED) !== 0) return false;
  return packet.continues ? !packet.newSequence : obuType(packet.elements[0]!) !== undefined;
}

/** True when a temporal unit can begin with this payload: with an OBU that does not belong to a frame before it. */
export function startsAv1(payload: Uint8Array): boolean {
  const packet = readPacket(payload, 0, payload.length);
  if (!packet || packet.continues) return false;
  const type = obuType(packet.elements[0]!);
  return type !== undefined && type !== OBU_TYPE.tileGroup && type !== OBU_TYPE.redundantFrameHeader;
}

/** True for a payload that begins a coded video sequence. */
export const beginsAv1Sequence = (payload: Uint8Array): boolean =>
  readPacket(payload, 0, payload.length)?.newSequence === true;

interface Packet {
  readonly continues: boolean;
  readonly isContinued: boolean;
  readonly newSequence: boolean;
  /** At least one, none of them empty. */
  readonly elements: readonly Uint8Array[];
}

function readPacket(bytes: Uint8Array, from: number, end: number): Packet | undefined {
  if (end - from < 2) return undefined;
  const header = bytes[from]!;
  const count = (header >> COUNT_SHIFT) & 3;
  const elements: Uint8Array[] = [];
  for (let at = from + 1; at < end; ) {
    // The last of a stated number of elements takes the rest.
    const isRest = elements.length + 1 === count;
    const length = isRest ? { value: end - at, bytes: 0 } : readLeb128(bytes, at, end);
    if (!length || length.value === 0) return undefined;
    const begin = at + length.bytes;
    at = begin + length.value;
    if (at > end) return undefined;
    elements.push(bytes.subarray(begin, at));
  }
  if (elements.length === 0 || (count > 0 && elements.length !== count)) return undefined;
  const has = (flag: number): boolean => (header & flag) !== 0;
  return {
    ...{ continues: has(FLAG.continues), isContinued: has(FLAG.isContinued), newSequence: has(FLAG.newSequence) },
    elements,
  };
}
