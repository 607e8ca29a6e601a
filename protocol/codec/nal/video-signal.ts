import { BitReader } from './bit-reader.ts';

/** Display of pictures, as the elements at the beginning of vui_parameters say. */
export interface VideoSignal {
  /** Width and height of a sample in any unit; `undefined` when unspecified. */
  readonly sampleAspect?: SampleAspect | undefined;
  /** `undefined` when unspecified. */
  readonly color?: ColorDescription | undefined;
  /** True when samples use the whole range of values (video_full_range_flag). */
  readonly isFullRange?: boolean | undefined;
}

/** Shape of a sample, in any unit. */
export interface SampleAspect {
  /** 1 … 65,535. */
  readonly width: number;
  readonly height: number;
}

/** Code points of ITU-T H.273 (ISO/IEC 23091-2), 0 … 255; 2 is unspecified. */
export interface ColorDescription {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
}

/** aspect_ratio_idc with explicit width and height (H.264 Table E-1, H.265 Table E.1). */
const EXTENDED_SAMPLE_ASPECT = 255;
/** Sample aspect ratios by aspect_ratio_idc, from 1. */
const SAMPLE_ASPECTS: readonly (readonly [number, number])[] = [
  ...([
    [1, 1],
    [12, 11],
    [10, 11],
    [16, 11],
    [40, 33],
    [24, 11],
    [20, 11],
    [32, 11],
  ] as const),
  ...([
    [80, 33],
    [18, 11],
    [15, 11],
    [64, 33],
    [160, 99],
    [4, 3],
    [3, 2],
    [2, 1],
  ] as const),
];
/** video_format: unspecified. */
const FORMAT_UNSPECIFIED = 5;
/** Code point of H.273: unspecified. */
export const COLOR_UNSPECIFIED = 2;

/** Reads the elements with which vui_parameters begin in H.264 (§E.1.1) and H.265 (§E.2.1) alike. */
export function readVideoSignal(reader: BitReader): VideoSignal {
  const { overscan, format, ...signal } = readSignal(reader);
  if (reader.flag()) {
    reader.unsigned(); // chroma_sample_loc_type_top_field
    reader.unsigned(); // chroma_sample_loc_type_bottom_field
  }
  return signal;
}

function readSignal(reader: BitReader): VideoSignal & { readonly overscan: number; readonly format: number } {
  let sampleAspect: SampleAspect | undefined;
  if (reader.flag()) {
    const idc = reader.bits(8);
    const [width = 0, height = 0] =
      idc === EXTENDED_SAMPLE_ASPECT ? [reader.bits(16), reader.bits(16)] : (SAMPLE_ASPECTS[idc - 1] ?? []);
    if (width > 0 && height > 0) sampleAspect = { width, height };
  }
  // Its flag, and with it overscan_appropriate_flag.
  const overscan = reader.flag() ? 2 + reader.bits(1) : 0;
  let [format, isFullRange] = [FORMAT_UNSPECIFIED, false];
  let color: ColorDescription | undefined;
  if (reader.flag()) {
    format = reader.bits(3);
    isFullRange = reader.flag();
    if (reader.flag()) color = { primaries: reader.bits(8), transfer: reader.bits(8), matrix: reader.bits(8) };
  }
  if (reader.overrun) return { overscan: 0, format: FORMAT_UNSPECIFIED };
  return {
    ...(sampleAspect && { sampleAspect }),
    ...(color && Object.values(color).some((code) => code !== COLOR_UNSPECIFIED) && { color }),
    ...(isFullRange && { isFullRange }),
    overscan,
    format,
  };
}

/** Where the vui_parameters of a parameter set are, and what follows them when there are none. */
export interface UsabilityPlace {
  /** Bytes of the NAL unit header. */
  readonly headerBytes: number;
  /** Bits from there to vui_parameters_present_flag, without emulation prevention. */
  readonly at: number;
  /** Flags between the elements here and the end of vui_parameters, all 0 in an empty one. */
  readonly flagsBehind: number;
}

/**
 * Returns a sequence parameter set whose vui_parameters say this; what is `undefined` stays as it is, and everything else
 * is copied bit by bit.
 */
export function withVideoSignal(
  nalUnit: Uint8Array,
  { headerBytes, at, flagsBehind }: UsabilityPlace,
  wanted: VideoSignal,
): Uint8Array {
  const bits = payloadBits(nalUnit, headerBytes);
  const end = bits.lastIndexOf(1);
  const isPresent = bits[at] === 1;
  const reader = new BitReader(nalUnit, headerBytes);
  for (let bit = 0; bit <= at; bit++) reader.bits(1);
  const own = isPresent ? readSignal(reader) : { overscan: 0, format: FORMAT_UNSPECIFIED };
  const behind = isPresent ? bits.slice(reader.position, end) : [...zeros(flagsBehind), ...bits.slice(at + 1, end)];
  const { sampleAspect, color, isFullRange = false } = { ...own, ...wanted };
  const aspect = sampleAspect
    ? [1, ...field(EXTENDED_SAMPLE_ASPECT, 8), ...field(sampleAspect.width, 16), ...field(sampleAspect.height, 16)]
    : [0];
  const overscan = own.overscan === 0 ? [0] : field(own.overscan, 2);
  const codes = color ? [1, ...[color.primaries, color.transfer, color.matrix].flatMap((code) => field(code, 8))] : [0];
  const isPlain = !color && !isFullRange && own.format === FORMAT_UNSPECIFIED;
  const type = isPlain ? [0] : [1, ...field(own.format, 3), isFullRange ? 1 : 0, ...codes];
  const amended = [...bits.slice(0, at), 1, ...aspect, ...overscan, ...type, ...behind, 1];
  return nalUnitOf(nalUnit.subarray(0, headerBytes), amended);
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0);
const field = (value: number, count: number): number[] =>
  Array.from({ length: count }, (_, bit) => (value >> (count - 1 - bit)) & 1);

/** Returns the bits after the header, without emulation prevention. */
function payloadBits(nalUnit: Uint8Array, headerBytes: number): number[] {
  const bits: number[] = [];
  let zerosBefore = 0;
  for (const byte of nalUnit.subarray(headerBytes)) {
    const isPrevention = zerosBefore >= 2 && byte === 3;
    zerosBefore = byte === 0 ? zerosBefore + 1 : 0;
    if (!isPrevention) bits.push(...field(byte, 8));
  }
  return bits;
}

/** Returns a NAL unit of these bits, padded, with emulation prevention (H.264 §7.4.1). */
function nalUnitOf(header: Uint8Array, bits: readonly number[]): Uint8Array {
  const bytes = [...header];
  let zerosBefore = 0;
  for (let at = 0; at < bits.length; at += 8) {
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) byte = byte * 2 + (bits[at + bit] ?? 0);
    if (zerosBefore >= 2 && byte <= 3) {
      bytes.push(3);
      zerosBefore = 0;
    }
    bytes.push(byte);
    zerosBefore = byte === 0 ? zerosBefore + 1 : 0;
  }
  return Uint8Array.from(bytes);
}
