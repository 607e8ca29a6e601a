import type { Importance } from '../access-unit.ts';
import { assert } from '../base/assert.ts';
import { readUint16, readUint24, writeUint16, writeUint24 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { type Ticks, ticks } from '../base/units.ts';
import { ONE_BYTE_PROFILE, parseElements } from './header-extension.ts';
import { EXTENSION_HEADER_BYTES, type HeaderExtension } from './rtp-packet.ts';

/**
 * Which part of which frame a packet carries, in an RTP header extension (RFC 8285 §4.2, one-byte form) of our own.
 * After any one packet of a frame the receiver knows what is missing of it.
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
 * Exactly one of K (decoding can start here), R (others refer to this frame) and D (nothing refers to it: it may be
 * dropped) is set. N: the frame is decoded and not shown. Reserved bits are sent as 0 and ignored. The last word is there only when the decode lead is not 0.
 */
export interface FrameMark {
  /** One more for each frame in decode order: 0…65535, then 0 again. */
  readonly frameNumber: number;
  /** Which of the frame's packets this is: 0…packetCount-1. */
  readonly packetIndex: number;
  /** How many packets the frame has: 1…65535. */
  readonly packetCount: number;
  readonly importance: Importance;
  /** True for a frame that is decoded and not shown. */
  readonly decodeOnly?: boolean;
  /** How long before its RTP timestamp the frame is to be decoded: 0…2^24-1, which is 186 seconds. */
  readonly decodeLead: Ticks;
}

/** Names of the two elements in session descriptions (RFC 8285 §5). */
export const FRAME_MARK_URN = 'urn:dropframe:frame-mark';
export const DECODE_LEAD_URN = 'urn:dropframe:decode-lead';

/** Their ids on the wire. Fixed: both ends of a session are ours. */
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

/** `undefined`: a sound extension that is not ours. */
export function parseFrameMark(extension: HeaderExtension): Parsed<FrameMark | undefined> {
  const { profile, data } = extension;
  const mark = readFrameMark(profile, data, 0, data.length);
  return typeof mark === 'string' ? malformed(mark) : parsed(mark);
}

/**
 * The same of an extension whose data lie at `start` … `end` of some bytes.
 * @returns why it is none where it is damaged.
 */
export function readFrameMark(
  profile: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): FrameMark | string | undefined {
  if (profile === ONE_BYTE_PROFILE && bytes[start] === FRAME_MARK_HEAD) {
    // The layout that our sender writes, for 50,000 packets a second; the way below comes to the same result.
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

/** Bytes of the whole extension, its own header included: 12, or 16 when there is a decode lead. */
export const frameMarkBytes = (mark: Pick<FrameMark, 'decodeLead'>): 12 | 16 => (mark.decodeLead === 0 ? 12 : 16);

/** Writes the whole extension, `frameMarkBytes(mark)` long, from `offset` on. */
export function writeFrameMark(target: Uint8Array, offset: number, mark: FrameMark): void {
  assert(mark.packetIndex < mark.packetCount, 'a packet is one of those counted');
  assert(mark.packetCount <= 0xffff, 'a packet count has sixteen bits');
  assert(mark.decodeLead >= 0, 'a frame is not decoded after it is shown');
  assert(mark.decodeLead <= DECODE_LEAD_MAX, 'a decode lead has 24 bits');
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
