import type { Vp9Format } from './frame-header.ts';

/**
 * Parameter set of a VP9 stream, which has none of its own: the codec configuration record ("VP Codec ISO Media File Format
 * Binding" §2.2), then width and height, 16 bits each less one, from a key frame.
 *
 *     profile (8) | level (8) | bit depth (4), subsampling (3), full range (1) | primaries (8) | transfer (8) |
 *     matrix (8) | size of initialization data (16): 0 | width − 1 (16) | height − 1 (16)
 */
export const VP9_RECORD_BYTES = 8;
const PROFILE_MAX = 3;
const SET_BYTES = VP9_RECORD_BYTES + 4;

/** Picture sizes up to which a level allows 60 pictures a second, luma samples (VP9 levels and decoder testing). */
const LEVELS: readonly (readonly [samples: number, level: number])[] = [
  ...([
    [36_864, 10],
    [73_728, 11],
    [122_880, 20],
    [245_760, 21],
    [552_960, 30],
    [983_040, 31],
  ] as const),
  ...([
    [2_228_224, 41],
    [8_912_896, 51],
  ] as const),
];
const LEVEL_MAX = 61;
const BIT_DEPTHS: readonly number[] = [8, 10, 12];

/** Returns the parameter set of this format. */
export function vp9ParameterSet({ profile, bitDepth, subsampling, isFullRange, color, width, height }: Vp9Format) {
  const level = LEVELS.find(([samples]) => width * height <= samples)?.[1] ?? LEVEL_MAX;
  const bytes = new Uint8Array(SET_BYTES);
  bytes.set([profile, level, (bitDepth << 4) | (subsampling << 1) | (isFullRange ? 1 : 0)]);
  bytes.set([color.primaries, color.transfer, color.matrix], 3);
  new DataView(bytes.buffer).setUint16(8, width - 1);
  new DataView(bytes.buffer).setUint16(10, height - 1);
  return bytes;
}

/** Reads a parameter set; `undefined` when it is none. */
export function readVp9ParameterSet(set: Uint8Array): (Vp9Format & { readonly level: number }) | undefined {
  if (set.length !== SET_BYTES) return undefined;
  const view = new DataView(set.buffer, set.byteOffset);
  const [profile, level, depths, primaries, transfer, matrix] = set as unknown as readonly [
    ...[number, number, number, number, number, number],
  ];
  const bitDepth = depths >> 4;
  // A frame of the same length begins with the frame marker, 10.
  if (profile > PROFILE_MAX || level > LEVEL_MAX || !BIT_DEPTHS.includes(bitDepth)) return undefined;
  return {
    profile,
    level,
    bitDepth,
    subsampling: (depths >> 1) & 7,
    isFullRange: (depths & 1) === 1,
    color: { primaries, transfer, matrix },
    width: view.getUint16(8) + 1,
    height: view.getUint16(10) + 1,
  };
}

/** RFC 6381 string: profile, level, bit depth. */
export function vp9DecoderString({
  profile,
  level,
  bitDepth,
}: Pick<Vp9Format, 'profile' | 'bitDepth'> & { readonly level: number }): string {
  return `vp09.${[profile, level, bitDepth].map((value) => String(value).padStart(2, '0')).join('.')}`;
}
