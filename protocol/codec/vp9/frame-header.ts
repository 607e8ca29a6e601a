import { BitCursor } from '../../base/bit-cursor.ts';
import type { ColorDescription } from '../nal/video-signal.ts';

/** Uncompressed header of a VP9 frame (VP9 bitstream specification §6.2), as far as streaming needs it. */
export interface Vp9FrameHeader {
  readonly profile: number;
  readonly isKey: boolean;
  /** True for a frame that is decoded and not shown. */
  readonly isHidden: boolean;
  /** True when later frames may refer to it. */
  readonly isReference: boolean;
  /** Picture format; of key frames only. */
  readonly format: Vp9Format | undefined;
}

export interface Vp9Format {
  readonly profile: number;
  /** 8, 10 or 12. */
  readonly bitDepth: number;
  /** Chroma subsampling of the configuration record: 1: 4:2:0, 2: 4:2:2, 3: 4:4:4, 4: 4:4:0 is not defined there. */
  readonly subsampling: number;
  readonly isFullRange: boolean;
  readonly color: ColorDescription;
  readonly width: number;
  readonly height: number;
}

const FRAME_MARKER = 2;
const SYNC_CODE = 0x498342;
const SRGB = 7;
/** color_space (§7.2.2) as code points of ITU-T H.273; 2: unspecified. */
const COLORS: readonly (readonly [primaries: number, transfer: number, matrix: number])[] = [
  ...([
    [2, 2, 2],
    [5, 6, 5],
    [1, 1, 1],
    [6, 6, 6],
    [7, 7, 7],
    [9, 14, 9],
    [2, 2, 2],
    [1, 13, 0],
  ] as const),
];
const SUBSAMPLING = { '11': 1, '10': 2, '00': 3, '01': 3 } as const;

/** Parses the header of a frame; `undefined` when it is none. */
export function parseVp9FrameHeader(frame: Uint8Array): Vp9FrameHeader | undefined {
  const cursor = new BitCursor(frame);
  const bits = (count: number): number => cursor.bits(count);
  if (bits(2) !== FRAME_MARKER) return undefined;
  const profile = bits(1) + 2 * bits(1);
  if (profile === 3 && bits(1) === 1) return undefined;
  // show_existing_frame: nothing is decoded.
  if (bits(1) === 1) return { profile, isKey: false, isHidden: false, isReference: false, format: undefined };
  const isKey = bits(1) === 0;
  const isHidden = bits(1) === 0;
  const isErrorResilient = bits(1) === 1;
  if (isKey) {
    const format = bits(24) === SYNC_CODE ? readFormat(profile, bits) : undefined;
    if (format === undefined || cursor.overrun) return undefined;
    return { profile, isKey, isHidden, isReference: true, format };
  }
  const isIntra = isHidden && bits(1) === 1;
  if (!isErrorResilient) bits(2); // reset_frame_context
  if (isIntra) {
    if (bits(24) !== SYNC_CODE) return undefined;
    if (profile > 0) readColors(profile, bits);
  }
  const isReference = bits(8) !== 0; // refresh_frame_flags
  if (cursor.overrun) return undefined;
  return { profile, isKey, isHidden, isReference, format: undefined };
}

type ReadBits = (count: number) => number;

function readFormat(profile: number, bits: ReadBits): Vp9Format | undefined {
  const colors = readColors(profile, bits);
  if (!colors) return undefined;
  return { profile, ...colors, width: bits(16) + 1, height: bits(16) + 1 };
}

/** color_config (§6.2.2). */
function readColors(profile: number, bits: ReadBits): Omit<Vp9Format, 'profile' | 'width' | 'height'> | undefined {
  const bitDepth = profile >= 2 ? (bits(1) === 1 ? 12 : 10) : 8;
  const space = bits(3);
  const [primaries, transfer, matrix] = COLORS[space]!;
  const color = { primaries, transfer, matrix };
  const hasSubsampling = profile === 1 || profile === 3;
  if (space === SRGB) {
    if (!hasSubsampling || bits(1) === 1) return undefined;
    return { bitDepth, subsampling: SUBSAMPLING['00'], isFullRange: true, color };
  }
  const isFullRange = bits(1) === 1;
  if (!hasSubsampling) return { bitDepth, subsampling: SUBSAMPLING['11'], isFullRange, color };
  const [x, y] = [bits(1), bits(1)];
  bits(1); // reserved_zero
  return { bitDepth, subsampling: SUBSAMPLING[`${x}${y}` as keyof typeof SUBSAMPLING], isFullRange, color };
}

/** Frames of a superframe in order (Annex B of the specification); the whole when it is none. */
export function splitSuperframe(bytes: Uint8Array): readonly Uint8Array[] {
  const marker = bytes.at(-1) ?? 0;
  if (marker >> 5 !== 0b110) return [bytes];
  const sizeBytes = ((marker >> 3) & 3) + 1;
  const count = (marker & 7) + 1;
  const indexAt = bytes.length - 2 - sizeBytes * count;
  if (indexAt < 0 || bytes[indexAt] !== marker) return [bytes];
  const frames: Uint8Array[] = [];
  let [at, sizeAt] = [0, indexAt + 1];
  for (let frame = 0; frame < count; frame++) {
    let size = 0;
    for (let byte = 0; byte < sizeBytes; byte++) size += bytes[sizeAt++]! * 2 ** (8 * byte);
    if (at + size > indexAt) return [bytes];
    // A frame of no bytes shows nothing.
    if (size > 0) frames.push(bytes.subarray(at, at + size));
    at += size;
  }
  return frames;
}
