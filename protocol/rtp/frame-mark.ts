import type { Importance } from '../access-unit.ts';
import { assert } from '../base/assert.ts';
import { readUint16, readUint24, writeUint16, writeUint24 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { type Ticks, ticks } from '../base/units.ts';
import { ONE_BYTE_PROFILE, parseElements } from './header-extension.ts';
import { EXTENSION_HEADER_BYTES, type HeaderExtension } from './rtp-packet.ts';

/**
 * Frame number, packet index and packet count of a packet's frame, in an RTP header extension of our own (RFC 8285
 * §4.2, one-byte form). Any one packet of a frame tells the receiver which of the others are missing.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            0xBEDE             |        length = 2 or 3        |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | ID=1  | L=6   |K|R|D|N| resv. |         frame number          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |         packet index          |         packet count          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | ID=2  | L=2   |          decode lead, 90 kHz ticks            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Exactly one of K (random access point), R (other frames refer to this one) and D (discardable: no frame refers to it)
 * is set. N: the frame is decoded and not shown. Reserved bits are sent as 0 and ignored. The last word is present only
 * when the decode lead is not 0.
 */
export interface FrameMark {
  /** Ascends by one per frame in decode order, modulo 65536. */
  readonly frameNumber: number;
  /** Index of the packet within its frame: 0…packetCount-1. */
  readonly packetIndex: number;
  /** Number of packets in the frame: 1…65535. */
  readonly packetCount: number;
  readonly importance: Importance;
  /** True for a frame that is decoded but not shown. */
  readonly decodeOnly?: boolean;
  /** Presentation time minus decode time: 0…2^24-1, which is 186 seconds. */
  readonly decodeLead: Ticks;
}

/** Facts about a packet that its short mark leaves out. */
export interface EdgeContext {
  /** True in the last packet of a frame: the marker bit of the RTP header. */
  readonly marker: boolean;
  /** Number of a frame at most 4,095 frames away, to which the frame number is extended: 0…65535. */
  readonly near: number;
}

/** URNs of the elements in session descriptions (RFC 8285 §5). */
export const FRAME_MARK_URN = 'urn:dropframe:frame-mark';
export const FRAME_EDGE_URN = 'urn:dropframe:frame-edge';
export const DECODE_LEAD_URN = 'urn:dropframe:decode-lead';

/** Element ids on the wire. Fixed, because both ends of a session are ours. */
export const FRAME_MARK_ELEMENT = 1;
export const DECODE_LEAD_ELEMENT = 2;
export const FRAME_EDGE_ELEMENT = 3;

export const DECODE_LEAD_MAX: Ticks = ticks(0xff_ffff);

const FRAME_MARK_DATA_BYTES = 7;
const DECODE_LEAD_DATA_BYTES = 3;
const FRAME_MARK_HEAD = (FRAME_MARK_ELEMENT << 4) | (FRAME_MARK_DATA_BYTES - 1);
const DECODE_LEAD_HEAD = (DECODE_LEAD_ELEMENT << 4) | (DECODE_LEAD_DATA_BYTES - 1);

/**
 * Short form of the frame mark, for the first and the last packet of a frame. The marker bit of the RTP header tells
 * which of the two it is, so that the packet index is not needed.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | ID=3  | L=2   |Imp|N|      frame number       | packet count  |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Imp: importance, 0 key, 1 reference, 2 discardable. N: the frame is decoded and not shown. Frame number: the low 13
 * bits. Packet count: 1…255; longer frames carry the long form.
 */
const FRAME_EDGE_DATA_BYTES = 3;
const FRAME_EDGE_HEAD = (FRAME_EDGE_ELEMENT << 4) | (FRAME_EDGE_DATA_BYTES - 1);

/** Longest frame whose packets are marked by the short form. */
const EDGE_PACKETS_MAX = 0xff;

const IMPORTANCES: readonly (Importance | undefined)[] = ['key', 'reference', 'discardable', undefined];
const EDGE_NUMBER_RANGE = 0x2000;
const EDGE_DECODE_ONLY = 1 << 21;

const KEY = 0x80;
const REFERENCE = 0x40;
const DISCARDABLE = 0x20;
const DECODE_ONLY = 0x10;
const IMPORTANCE = KEY | REFERENCE | DISCARDABLE;

/**
 * Returns the frame mark, `undefined` when a well-formed extension has none.
 * @param edge to read the short form too.
 */
export function parseFrameMark(extension: HeaderExtension, edge?: EdgeContext): Parsed<FrameMark | undefined> {
  const { profile, data } = extension;
  const mark = readFrameMark({ profile, bytes: data, start: 0, end: data.length }, edge);
  return typeof mark === 'string' ? malformed(mark) : parsed(mark);
}

/** A header extension whose data are `bytes[start…end]`. */
interface ExtensionRange {
  readonly profile: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * Like `parseFrameMark`, for an extension within a datagram.
 * @returns the reason when the extension is malformed.
 */
export function readFrameMark(range: ExtensionRange, edge?: EdgeContext): FrameMark | string | undefined {
  const { profile, bytes, start, end } = range;
  if (profile === ONE_BYTE_PROFILE) {
    // Fast path for the layouts that our sender writes, at 50,000 packets a second; the general path below is
    // equivalent.
    const head = bytes[start];
    const bytesOfMark = head === FRAME_MARK_HEAD ? 8 : head === FRAME_EDGE_HEAD && edge ? 4 : Number.NaN;
    const rest = end - start - bytesOfMark;
    if (rest === 0 || (rest === 4 && bytes[start + bytesOfMark] === DECODE_LEAD_HEAD)) {
      const lead = ticks(rest === 0 ? 0 : readUint24(bytes, start + bytesOfMark + 1));
      return bytesOfMark === 4 ? readFrameEdge(bytes, start + 1, lead, edge!) : readMark(bytes, start + 1, lead);
    }
  }
  const elements = parseElements({ profile, data: bytes.subarray(start, end) });
  if (!elements.ok) return elements.malformed;
  let mark: Uint8Array | undefined;
  let short: Uint8Array | undefined;
  let decodeLead = ticks(0);
  for (const { id, data } of elements.value) {
    if (id === FRAME_MARK_ELEMENT && data.length === FRAME_MARK_DATA_BYTES) mark ??= data;
    if (id === FRAME_EDGE_ELEMENT && data.length === FRAME_EDGE_DATA_BYTES) short ??= data;
    if (id === DECODE_LEAD_ELEMENT && data.length === DECODE_LEAD_DATA_BYTES) decodeLead = ticks(readUint24(data, 0));
  }
  if (mark) return readMark(mark, 0, decodeLead);
  return short && edge ? readFrameEdge(short, 0, decodeLead, edge) : undefined;
}

function readMark(data: Uint8Array, offset: number, decodeLead: Ticks): FrameMark | string {
  const importance = importanceOf(data[offset]! & IMPORTANCE);
  if (importance === undefined) return 'frame-mark-importance';
  const packetIndex = readUint16(data, offset + 3);
  const packetCount = readUint16(data, offset + 5);
  if (packetIndex >= packetCount) return 'frame-mark-index';
  const frameNumber = readUint16(data, offset + 1);
  if ((data[offset]! & DECODE_ONLY) === 0) return { frameNumber, packetIndex, packetCount, importance, decodeLead };
  return { frameNumber, packetIndex, packetCount, importance, decodeOnly: true, decodeLead };
}

/** Reads the three bytes of data at `offset`. @returns the reason when they are malformed. */
function readFrameEdge(
  data: Uint8Array,
  offset: number,
  decodeLead: Ticks,
  { marker, near }: EdgeContext,
): FrameMark | string {
  const fields = readUint24(data, offset);
  const importance = IMPORTANCES[fields >> 22];
  if (importance === undefined) return 'frame-mark-importance';
  const packetCount = fields & EDGE_PACKETS_MAX;
  if (packetCount === 0) return 'frame-mark-index';
  const low = (fields >> 8) & (EDGE_NUMBER_RANGE - 1);
  const ahead = (low - near) & (EDGE_NUMBER_RANGE - 1);
  const frameNumber = (near + (ahead < EDGE_NUMBER_RANGE / 2 ? ahead : ahead - EDGE_NUMBER_RANGE)) & 0xffff;
  const packetIndex = marker ? packetCount - 1 : 0;
  if ((fields & EDGE_DECODE_ONLY) === 0) return { frameNumber, packetIndex, packetCount, importance, decodeLead };
  return { frameNumber, packetIndex, packetCount, importance, decodeOnly: true, decodeLead };
}

function importanceOf(bits: number): Importance | undefined {
  switch (bits) {
    case KEY:
      return 'key';
    case REFERENCE:
      return 'reference';
    case DISCARDABLE:
      return 'discardable';
    default:
      return undefined;
  }
}

/**
 * Packets of a frame that carry its mark: `every` one, or its `edges`: the first, the last, every 32nd, and from eight
 * packets on the middle one, so that the frame of the packets between them follows from their sequence numbers.
 */
export type MarkedPackets = 'every' | 'edges';

const MARK_INTERVAL_PACKETS = 32;
/** Shortest frame with a mark in its middle: both of its edges are lost together more often than all three. */
const MIDDLE_MARK_PACKETS = 8;

/** Longest extension with a frame mark. */
export const FRAME_MARK_BYTES_MAX = 16;

/**
 * Size of the whole extension of a packet with its header, bytes: 8 or 12, 4 more with a decode lead; 0 when the packet
 * carries no mark.
 */
export function frameMarkBytes(
  { packetIndex, packetCount, decodeLead }: Pick<FrameMark, 'packetIndex' | 'packetCount' | 'decodeLead'>,
  marked: MarkedPackets = 'every',
): number {
  const lead = decodeLead === 0 ? 0 : 4;
  if (marked === 'every') return 12 + lead;
  if (packetIndex === 0 || packetIndex === packetCount - 1) return (packetCount <= EDGE_PACKETS_MAX ? 8 : 12) + lead;
  const isMiddle = packetCount >= MIDDLE_MARK_PACKETS && packetIndex === packetCount >> 1;
  return isMiddle || packetIndex % MARK_INTERVAL_PACKETS === 0 ? 12 + lead : 0;
}

/** Writes the whole extension, `frameMarkBytes(mark, marked)` long and not 0, at `offset`. */
export function writeFrameMark(
  target: Uint8Array,
  offset: number,
  mark: FrameMark,
  marked: MarkedPackets = 'every',
): void {
  assert(mark.packetIndex < mark.packetCount, 'the packet index must be below the packet count');
  assert(mark.packetCount <= 0xffff, 'the packet count must fit in 16 bits');
  assert(mark.decodeLead >= 0, 'the decode time of a frame must not be after its presentation time');
  assert(mark.decodeLead <= DECODE_LEAD_MAX, 'the decode lead must fit in 24 bits');
  const bytes = frameMarkBytes(mark, marked);
  const leadBytes = mark.decodeLead === 0 ? 0 : 4;
  const leadAt = offset + bytes - leadBytes;
  writeUint16(target, offset, ONE_BYTE_PROFILE);
  writeUint16(target, offset + 2, (bytes - EXTENSION_HEADER_BYTES) / 4);
  if (bytes - leadBytes === 8) writeFrameEdge(target, offset + 4, mark);
  else writeMark(target, offset + 4, mark);
  if (leadBytes === 0) return;
  target[leadAt] = DECODE_LEAD_HEAD;
  writeUint24(target, leadAt + 1, mark.decodeLead);
}

function writeMark(target: Uint8Array, offset: number, mark: FrameMark): void {
  const { importance } = mark;
  target[offset] = FRAME_MARK_HEAD;
  const flag = importance === 'key' ? KEY : importance === 'reference' ? REFERENCE : DISCARDABLE;
  target[offset + 1] = mark.decodeOnly === true ? flag | DECODE_ONLY : flag;
  writeUint16(target, offset + 2, mark.frameNumber);
  writeUint16(target, offset + 4, mark.packetIndex);
  writeUint16(target, offset + 6, mark.packetCount);
}

/** Writes the element, four bytes, at `offset`. */
function writeFrameEdge(target: Uint8Array, offset: number, mark: FrameMark): void {
  const { packetIndex, packetCount, frameNumber } = mark;
  assert(packetCount <= EDGE_PACKETS_MAX, 'the packet count must fit in 8 bits');
  assert(
    packetIndex === 0 || packetIndex === packetCount - 1,
    'only the first and the last packet have the short form',
  );
  const importance = IMPORTANCES.indexOf(mark.importance);
  const fields = (importance << 22) | ((frameNumber & (EDGE_NUMBER_RANGE - 1)) << 8) | packetCount;
  target[offset] = FRAME_EDGE_HEAD;
  writeUint24(target, offset + 1, mark.decodeOnly === true ? fields | EDGE_DECODE_ONLY : fields);
}
