import { concatenated } from '../../base/concatenated.ts';
import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import type { PackedParts, PacketizeOptions, PayloadRange } from '../codec.ts';
import { parseVp9FrameHeader } from './frame-header.ts';

/** Bits of the first byte of the payload descriptor (RFC 9628 §4.2). */
const FLAG = { pictureId: 0x80, inter: 0x40, layers: 0x20, flexible: 0x10, start: 0x08, end: 0x04, structure: 0x02 };
/** Limits of the scalability structure: 8 layers, 255 pictures of a group, 3 references each. */
const REFERENCES_MAX = 3;

/**
 * Packetizes a frame or superframe (RFC 9628 §4), with the shortest descriptor: no picture ID, no layers.
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-+-+-+
 *     |I|P|L|F|B|E|V|Z|  then bytes of the frame
 *     +-+-+-+-+-+-+-+-+
 */
export function packVp9(
  parts: readonly Uint8Array[],
  { payloadBytesMax, headroomBytes, allocate = (bytes) => new Uint8Array(bytes) }: PacketizeOptions,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  const step = payloadBytesMax - 1;
  for (const part of parts) {
    const inter = parseVp9FrameHeader(part)?.isKey === true ? 0 : FLAG.inter;
    for (let at = 0; at < part.length; at += step) {
      const piece = part.subarray(at, at + step);
      const packet = allocate(headroomBytes + 1 + piece.length);
      const [start, end] = [at === 0 ? FLAG.start : 0, at + step >= part.length ? FLAG.end : 0];
      packet[headroomBytes] = inter | start | end;
      packet.set(piece, headroomBytes + 1);
      packets.push(packet);
    }
  }
  return packets;
}

/** Reassembles a picture of one or more layers; its frames follow each other, as in a superframe without an index. */
export function readVp9(payloads: readonly PayloadRange[]): Parsed<PackedParts> {
  const frames: PayloadRange[][] = [];
  let [bytes, isOpen] = [0, false];
  for (const { bytes: buffer, payloadAt, payloadEnd } of payloads) {
    const descriptor = readDescriptor(buffer, payloadAt, payloadEnd);
    if (!descriptor || descriptor.end >= payloadEnd) return malformed('vp9-descriptor');
    if (descriptor.isStart === isOpen) return malformed('vp9-fragments');
    const range = { bytes: buffer, payloadAt: descriptor.end, payloadEnd };
    if (descriptor.isStart) frames.push([range]);
    else frames.at(-1)!.push(range);
    isOpen = !descriptor.isEnd;
    bytes += payloadEnd - descriptor.end;
  }
  if (isOpen || frames.length === 0) return malformed('vp9-incomplete');
  let parts: Uint8Array[] | undefined;
  return parsed({
    count: frames.length,
    bytes,
    get parts() {
      parts ??= frames.map((ranges) =>
        concatenated(ranges.map(({ bytes, payloadAt, payloadEnd }) => bytes.slice(payloadAt, payloadEnd))),
      );
      return parts;
    },
  });
}

/** True when the bytes can be a payload: a descriptor, and behind one that starts a frame, its header. */
export function looksLikeVp9(payload: Uint8Array): boolean {
  const descriptor = readDescriptor(payload, 0, payload.length);
  if (!descriptor || descriptor.end >= payload.length) return false;
  return !descriptor.isStart || parseVp9FrameHeader(payload.subarray(descriptor.end)) !== undefined;
}

/** True when a picture can begin with this payload. */
export const startsVp9 = (payload: Uint8Array): boolean => readDescriptor(payload, 0, payload.length)?.isStart === true;

/** Returns the bytes of the frame in a payload; `undefined` when it is malformed. */
export function vp9PayloadBytes(payload: Uint8Array): Uint8Array | undefined {
  const descriptor = readDescriptor(payload, 0, payload.length);
  return descriptor && payload.subarray(descriptor.end);
}

interface Descriptor {
  readonly isStart: boolean;
  readonly isEnd: boolean;
  /** Index after the descriptor. */
  readonly end: number;
}

function readDescriptor(bytes: Uint8Array, from: number, end: number): Descriptor | undefined {
  const flags = bytes[from];
  if (flags === undefined || from >= end) return undefined;
  let at = from + 1;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  // M: the picture ID has 15 bits.
  if (has(FLAG.pictureId)) at += (bytes[at] ?? 0) & 0x80 ? 2 : 1;
  // Layer indices, and in the non-flexible mode TL0PICIDX.
  if (has(FLAG.layers)) at += has(FLAG.flexible) ? 1 : 2;
  if (has(FLAG.flexible) && has(FLAG.inter)) {
    for (let count = 0; count < REFERENCES_MAX; count++) if (((bytes[at++] ?? 0) & 1) === 0) break;
  }
  if (has(FLAG.structure)) at = skipStructure(bytes, at);
  return at > end ? undefined : { isStart: has(FLAG.start), isEnd: has(FLAG.end), end: at };
}

/** Skips the scalability structure (§4.2.1): N_S, Y and G, then sizes of layers and a group of pictures. */
function skipStructure(bytes: Uint8Array, from: number): number {
  const head = bytes[from] ?? 0;
  let at = from + 1;
  if (head & 0x10) at += 4 * ((head >> 5) + 1);
  if (!(head & 0x08)) return at;
  const pictures = bytes[at++] ?? 0;
  for (let picture = 0; picture < pictures; picture++) at += 1 + (((bytes[at] ?? 0) >> 2) & 3);
  return at;
}
