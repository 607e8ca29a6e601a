import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import { BitReader } from '../nal/bit-reader.ts';
import { type UsabilityPlace, type VideoSignal, withVideoSignal } from '../nal/video-signal.ts';
import { readVideoUsability, type VideoUsability } from './video-usability.ts';

/** Profiles whose parameter sets carry chroma format, bit depths and scaling lists (§7.3.2.1.1). */
const PROFILES_WITH_CHROMA_FORMAT: readonly number[] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
/** Profiles whose constraint_set3_flag means intra-only (§A.2.8 to §A.2.11). */
const PROFILES_WITH_INTRA_FLAG: readonly number[] = [44, 86, 100, 110, 122, 244];

/** chroma_loc_info, timing_info, nal_hrd, vcl_hrd, pic_struct and bitstream_restriction (§E.1.1). */
const USABILITY_FLAGS_BEHIND = 6;
const IDENTIFIER_MAX = 31;
/** 65,536 samples: four times what any level allows (Annex A: √(8 · MaxFS) macroblocks). */
const SIDE_MACROBLOCKS_MAX = 4096;
const DECODED_PICTURE_BUFFER_FRAMES_MAX = 16;

/** Coding of the picture order count (§7.4.2.1.1, pic_order_cnt_type). */
export type PictureOrderCoding =
  | { readonly type: 0; readonly lsbBits: number }
  | {
      readonly type: 1;
      readonly deltaAlwaysZero: boolean;
      readonly offsetForNonReference: number;
      readonly offsetForTopToBottom: number;
      readonly offsetsForReference: readonly number[];
    }
  | { readonly type: 2 };

/** Elements of a sequence parameter set (§7.3.2.1) needed for streaming. */
export interface SequenceParameterSet {
  /** 0 to 31. */
  readonly id: number;
  readonly profile: number;
  /** constraint_set0_flag (the most significant bit) to constraint_set5_flag and two zero bits. */
  readonly constraints: number;
  /** Ten times the level: 31 is level 3.1. Level 1b is 11 with constraint_set3_flag in the oldest profiles. */
  readonly level: number;
  /** chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly separateColorPlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Bits of frame_num, 4 to 16. */
  readonly frameNumberBits: number;
  readonly pictureOrder: PictureOrderCoding;
  /** max_num_ref_frames, 0 to 16. */
  readonly referenceFramesMax: number;
  readonly gapsInFrameNumberAllowed: boolean;
  /** Luma samples, cropping applied. */
  readonly width: number;
  /** Luma samples of a frame (not of a field), cropping applied. */
  readonly height: number;
  /** Macroblocks in a frame: upper bound of first_mb_in_slice. */
  readonly macroblocks: number;
  /** frame_mbs_only_flag: no field pictures and no field macroblocks. */
  readonly framesOnly: boolean;
  /** Frame rate, when vui_parameters contain a plausible timing (1 to 1,000 frames per second). */
  readonly framesPerSecond: number | undefined;
  /** max_num_reorder_frames, 0 to 16, when present in vui_parameters. */
  readonly reorderFrames: number | undefined;
  /** How pictures are shown; empty without vui_parameters. */
  readonly signal: VideoSignal;
  /** Where vui_parameters are. */
  readonly usabilityPlace: UsabilityPlace;
}

/**
 * Parses a sequence parameter set NAL unit. Damage in the vui_parameters at its end does not affect the elements
 * before.
 */
export function parseSequenceParameterSet(nalUnit: Uint8Array): Parsed<SequenceParameterSet> {
  const reader = new BitReader(nalUnit);
  const profile = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  const id = reader.unsigned();
  if (id > IDENTIFIER_MAX) return malformed('sps-id');
  const format = readFormat(reader, profile);
  if (typeof format === 'string') return malformed(format);
  const frameNumberBits = reader.unsigned() + 4;
  if (frameNumberBits > 16) return malformed('sps-frame-num-bits');
  const pictureOrder = readPictureOrderCoding(reader);
  if (typeof pictureOrder === 'string') return malformed(pictureOrder);
  const referenceFramesMax = reader.unsigned();
  if (referenceFramesMax > DECODED_PICTURE_BUFFER_FRAMES_MAX) return malformed('sps-reference-frames');
  const gapsInFrameNumberAllowed = reader.flag();
  const dimensions = readDimensions(reader, format.separateColorPlanes ? 0 : format.chromaFormat);
  if (typeof dimensions === 'string') return malformed(dimensions);
  const at = reader.position;
  const usabilityPresent = reader.flag();
  if (reader.overrun) return malformed('sps-too-short');
  const usability: VideoUsability = usabilityPresent
    ? readVideoUsability(reader)
    : { framesPerSecond: undefined, reorderFrames: undefined, signal: {} };
  return parsed({
    id,
    profile,
    constraints,
    level,
    ...format,
    frameNumberBits,
    pictureOrder,
    referenceFramesMax,
    gapsInFrameNumberAllowed,
    ...dimensions,
    ...usability,
    usabilityPlace: { headerBytes: 1, at, flagsBehind: USABILITY_FLAGS_BEHIND },
  });
}

/** Returns a sequence parameter set that shows pictures so; the same one when it cannot be read. */
export function withSequenceSignal(nalUnit: Uint8Array, signal: VideoSignal): Uint8Array {
  const sps = parseSequenceParameterSet(nalUnit);
  return sps.ok ? withVideoSignal(nalUnit, sps.value.usabilityPlace, signal) : nalUnit;
}

/** RFC 6381 §3.3 string for MIME types and WebCodecs: `avc1.64001f` for High at level 3.1. */
export function codecString({
  profile,
  constraints,
  level,
}: Pick<SequenceParameterSet, 'profile' | 'constraints' | 'level'>): string {
  return `avc1.${[profile, constraints, level].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * Maximum number of frames decoded before a frame and shown after it: as declared, 0 where order type 2 or an
 * intra-only profile forbids reordering, otherwise the size of the level's decoded picture buffer (§E.2.1, §A.3.1).
 */
export function reorderFramesMax(sps: SequenceParameterSet): number {
  if (sps.reorderFrames !== undefined) return sps.reorderFrames;
  if (sps.pictureOrder.type === 2) return 0;
  const intraOnly = (sps.constraints & 0x10) !== 0 && PROFILES_WITH_INTRA_FLAG.includes(sps.profile);
  if (intraOnly) return 0;
  const frames = Math.floor(decodedPictureBufferMacroblocks(sps) / Math.max(1, sps.macroblocks));
  return Math.min(Math.max(frames, 1), DECODED_PICTURE_BUFFER_FRAMES_MAX);
}

/** MaxDpbMbs by level (Table A-1); the largest for unknown levels and those above the table. */
function decodedPictureBufferMacroblocks({ level }: SequenceParameterSet): number {
  const table: readonly (readonly [level: number, macroblocks: number])[] = [
    [10, 396],
    [11, 900],
    [20, 2_376],
    [21, 4_752],
    [30, 8_100],
    [31, 18_000],
    [32, 20_480],
    [41, 32_768],
    [42, 34_816],
    [50, 110_400],
    [52, 184_320],
  ];
  return table.find(([highest]) => level <= highest)?.[1] ?? 696_320;
}

interface Format {
  readonly chromaFormat: number;
  readonly separateColorPlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

function readFormat(reader: BitReader, profile: number): Format | string {
  if (!PROFILES_WITH_CHROMA_FORMAT.includes(profile))
    return { chromaFormat: 1, separateColorPlanes: false, bitDepthLuma: 8, bitDepthChroma: 8 };
  const chromaFormat = reader.unsigned();
  if (chromaFormat > 3) return 'sps-chroma-format';
  const separateColorPlanes = chromaFormat === 3 && reader.flag();
  const bitDepthLuma = reader.unsigned() + 8;
  const bitDepthChroma = reader.unsigned() + 8;
  if (Math.max(bitDepthLuma, bitDepthChroma) > 14) return 'sps-bit-depth';
  reader.flag(); // qpprime_y_zero_transform_bypass_flag
  if (reader.flag()) skipScalingLists(reader, chromaFormat === 3 ? 12 : 8);
  return { chromaFormat, separateColorPlanes, bitDepthLuma, bitDepthChroma };
}

/** Skips seq_scaling_matrix (§7.3.2.1.1.1): six lists of 16 entries, then lists of 64; a scale of 0 ends a list. */
function skipScalingLists(reader: BitReader, lists: number): void {
  for (let list = 0; list < lists; list += 1) {
    if (!reader.flag()) continue;
    let scale = 8;
    for (let entry = 0; entry < (list < 6 ? 16 : 64) && scale !== 0; entry += 1)
      scale = (scale + reader.signed() + 256) % 256;
  }
}

function readPictureOrderCoding(reader: BitReader): PictureOrderCoding | string {
  const type = reader.unsigned();
  switch (type) {
    case 0: {
      const lsbBits = reader.unsigned() + 4;
      return lsbBits > 16 ? 'sps-picture-order-bits' : { type, lsbBits };
    }
    case 1: {
      const deltaAlwaysZero = reader.flag();
      const offsetForNonReference = reader.signed();
      const offsetForTopToBottom = reader.signed();
      const count = reader.unsigned();
      if (count > 255) return 'sps-picture-order-cycle';
      const offsetsForReference = Array.from({ length: count }, () => reader.signed());
      return { type, deltaAlwaysZero, offsetForNonReference, offsetForTopToBottom, offsetsForReference };
    }
    case 2:
      return { type };
    default:
      return 'sps-picture-order-type';
  }
}

interface Dimensions {
  readonly width: number;
  readonly height: number;
  readonly macroblocks: number;
  readonly framesOnly: boolean;
}

/**
 * §7.4.2.1.1: sizes in macroblocks of 16 × 16, cropping in units of a chroma sample (of a field for interlaced video).
 */
function readDimensions(reader: BitReader, chromaArrayType: number): Dimensions | string {
  const macroblocksWide = reader.unsigned() + 1;
  const mapUnitsHigh = reader.unsigned() + 1;
  const framesOnly = reader.flag();
  const macroblocksHigh = mapUnitsHigh * (framesOnly ? 1 : 2);
  if (!framesOnly) reader.flag(); // mb_adaptive_frame_field_flag
  reader.flag(); // direct_8x8_inference_flag
  if (Math.max(macroblocksWide, macroblocksHigh) > SIDE_MACROBLOCKS_MAX) return 'sps-dimensions';
  const cropped = reader.flag();
  const crop = cropped ? Array.from({ length: 4 }, () => reader.unsigned()) : [0, 0, 0, 0];
  const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
  const unitY = (chromaArrayType === 1 ? 2 : 1) * (framesOnly ? 1 : 2);
  const width = macroblocksWide * 16 - unitX * (crop[0]! + crop[1]!);
  const height = macroblocksHigh * 16 - unitY * (crop[2]! + crop[3]!);
  const macroblocks = macroblocksWide * macroblocksHigh;
  if (width > 0 && height > 0) return { width, height, macroblocks, framesOnly };
  // Like decoders, ignore cropping that leaves nothing.
  return { width: macroblocksWide * 16, height: macroblocksHigh * 16, macroblocks, framesOnly };
}
