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

/** URNs of the two elements in session descriptions (RFC 8285 §5). */
export const FRAME_MARK_URN = 'urn:dropframe:frame-mark';
export const DECODE_LEAD_URN = 'urn:dropframe:decode-lead';

/** Element ids on the wire. Fixed, because both ends of a session are ours. */
export const FRAME_MARK_ELEMENT = 1;
export const DECODE_LEAD_ELEMENT = 2;

export const DECODE_LEAD_MAX: Ticks = ticks(0xff_ffff);

const FRAME_MARK_DATA_BYTES = 7;
const DECODE_LEAD_DATA_BYTES = 3;
const FRAME_MARK_HEAD = (FRAME_MARK_ELEMENT << 4) | (FRAME_MARK_DATA_BYTES - 1);
const DECODE_LEAD_HEAD = (DECODE_LEAD_ELEMENT << 4) | (DECODE_LEAD_DATA_BYTES - 1);

const KEY = 0x80;
const REFERENCE = 0x40;
const DISCARDABLE = 0x20;
const DECODE_ONLY = 0x10;
const IMPORTANCE = KEY | REFERENCE | DISCARDABLE;

/** Returns the frame mark, `undefined` when a well-formed extension has none. */
export function parseFrameMark(extension: HeaderExtension): Parsed<FrameMark | undefined> {
  const { profile, data } = extension;
  const mark = readFrameMark(profile, data, 0, data.length);
  return typeof mark === 'string' ? malformed(mark) : parsed(mark);
}

/**
 * Like `parseFrameMark`, for an extension whose data are `bytes[start…end]`.
 * @returns the reason when the extension is malformed.
 */
export function readFrameMark(
  profile: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): FrameMark | string | undefined {
  if (profile === ONE_BYTE_PROFILE && bytes[start] === FRAME_MARK_HEAD) {
    // Fast path for the layout that our sender writes, at 50,000 packets a second; the general path below is
    // equivalent.
    const length = end - start;
    if (length === 8) return readMark(bytes, start + 1, ticks(0));
    if (length === 12 && bytes[start + 8] === DECODE_LEAD_HEAD) {
      return readMark(bytes, start + 1, ticks(readUint24(bytes, start + 9)));
    }
  }
  const elements = parseElements({ profile, data: bytes.subarray(start, end) });
  if (!elements.ok) return elements.malformed;
  let mark: Uint8Array | undefined;
  let decodeLead = ticks(0);
  for (const element of elements.value) {
    if (element.id === FRAME_MARK_ELEMENT && element.data.length === FRAME_MARK_DATA_BYTES) mark ??= element.data;
    if (element.id === DECODE_LEAD_ELEMENT && element.data.length === DECODE_LEAD_DATA_BYTES) {
      decodeLead = ticks(readUint24(element.data, 0));
    }
  }
  return mark === undefined ? undefined : readMark(mark, 0, decodeLead);
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

/** Size of the whole extension with its header, bytes: 12, or 16 with a decode lead. */
export const frameMarkBytes = (mark: Pick<FrameMark, 'decodeLead'>): 12 | 16 => (mark.decodeLead === 0 ? 12 : 16);

/** Writes the whole extension, `frameMarkBytes(mark)` long, at `offset`. */
export function writeFrameMark(target: Uint8Array, offset: number, mark: FrameMark): void {
  assert(mark.packetIndex < mark.packetCount, 'the packet index must be below the packet count');
  assert(mark.packetCount <= 0xffff, 'the packet count must fit in 16 bits');
  assert(mark.decodeLead >= 0, 'the decode time of a frame must not be after its presentation time');
  assert(mark.decodeLead <= DECODE_LEAD_MAX, 'the decode lead must fit in 24 bits');
  const { importance } = mark;
  const bytes = frameMarkBytes(mark);
  writeUint16(target, offset, ONE_BYTE_PROFILE);
  writeUint16(target, offset + 2, (bytes - EXTENSION_HEADER_BYTES) / 4);
  target[offset + 4] = FRAME_MARK_HEAD;
  const flag = importance === 'key' ? KEY : importance === 'reference' ? REFERENCE : DISCARDABLE;
  target[offset + 5] = mark.decodeOnly === true ? flag | DECODE_ONLY : flag;
  writeUint16(target, offset + 6, mark.frameNumber);
  writeUint16(target, offset + 8, mark.packetIndex);
  writeUint16(target, offset + 10, mark.packetCount);
  if (mark.decodeLead === 0) return;
  target[offset + 12] = DECODE_LEAD_HEAD;
  writeUint24(target, offset + 13, mark.decodeLead);
}
