import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import { BitReader } from '../nal/bit-reader.ts';
import { type UsabilityPlace, type VideoSignal, withVideoSignal } from '../nal/video-signal.ts';
import { NAL_UNIT_HEADER_BYTES } from './nal-unit.ts';
import { type ProfileTierLevel, readProfileTierLevel } from './profile-tier-level.ts';
import { skipReferencePictureSets } from './reference-picture-sets.ts';
import { readH265VideoUsability } from './video-usability.ts';

/** sps_seq_parameter_set_id (§7.4.3.2.1). */
export const SEQUENCE_ID_MAX = 15;
const SUB_LAYERS_MAX = 7;
/** chroma_loc_info, three of the pictures' kind, default_display_window, timing_info, bitstream_restriction (§E.2.1). */
const USABILITY_FLAGS_BEHIND = 7;
/** Samples: four times what level 6.2 allows (Annex A: √(8 · MaxLumaPs)). */
const SIDE_MAX = 65_536;
const REORDER_FRAMES_MAX = 16;
const BIT_DEPTH_MAX = 16;

/** Elements of a sequence parameter set (H.265 §7.3.2.2) needed for streaming. */
export interface H265SequenceParameterSet {
  /** 0 to 15. */
  readonly id: number;
  readonly format: ProfileTierLevel;
  /** sps_max_sub_layers_minus1 plus 1, 1 to 7. */
  readonly subLayers: number;
  readonly temporalIdNesting: boolean;
  /** chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly separateColorPlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Bits of slice_pic_order_cnt_lsb, 4 to 16. */
  readonly orderLsbBits: number;
  /** Luma samples, conformance window applied. */
  readonly width: number;
  readonly height: number;
  /** sps_max_num_reorder_pics of the highest sub-layer, 0 to 16. */
  readonly reorderFrames: number;
  /** True: a field counts as a picture of its own in H.265. */
  readonly framesOnly: true;
  /** Pictures per second, when vui_parameters contain a plausible timing. */
  readonly framesPerSecond: number | undefined;
  /** How pictures are shown; empty without vui_parameters. */
  readonly signal: VideoSignal;
  /** Where vui_parameters are; `undefined` when the elements before them cannot be read. */
  readonly usabilityPlace: UsabilityPlace | undefined;
}

/** Parses a sequence parameter set NAL unit. Damage after the reordering does not affect the elements before. */
export function parseH265SequenceParameterSet(nalUnit: Uint8Array): Parsed<H265SequenceParameterSet> {
  const reader = new BitReader(nalUnit, NAL_UNIT_HEADER_BYTES);
  reader.bits(4); // sps_video_parameter_set_id
  const subLayers = reader.bits(3) + 1;
  if (subLayers > SUB_LAYERS_MAX) return malformed('sps-sub-layers');
  const temporalIdNesting = reader.flag();
  const format = readProfileTierLevel(reader, subLayers - 1);
  const id = reader.unsigned();
  if (id > SEQUENCE_ID_MAX) return malformed('sps-id');
  const chromaFormat = reader.unsigned();
  if (chromaFormat > 3) return malformed('sps-chroma-format');
  const separateColorPlanes = chromaFormat === 3 && reader.flag();
  const dimensions = readDimensions(reader, chromaFormat);
  if (dimensions === undefined) return malformed('sps-dimensions');
  const bitDepthLuma = reader.unsigned() + 8;
  const bitDepthChroma = reader.unsigned() + 8;
  if (Math.max(bitDepthLuma, bitDepthChroma) > BIT_DEPTH_MAX) return malformed('sps-bit-depth');
  const orderLsbBits = reader.unsigned() + 4;
  if (orderLsbBits > 16) return malformed('sps-picture-order-bits');
  const reorderFrames = readReorderFrames(reader, subLayers);
  if (reorderFrames > REORDER_FRAMES_MAX) return malformed('sps-reorder-frames');
  if (reader.overrun) return malformed('sps-too-short');
  const at = skipToUsability(reader, orderLsbBits) ? reader.position : undefined;
  const isPresent = at !== undefined && reader.flag();
  const usability = isPresent ? readH265VideoUsability(reader) : { framesPerSecond: undefined, signal: {} };
  return parsed({
    id,
    format,
    subLayers,
    temporalIdNesting,
    chromaFormat,
    separateColorPlanes,
    bitDepthLuma,
    bitDepthChroma,
    orderLsbBits,
    ...dimensions,
    reorderFrames,
    framesOnly: true,
    ...usability,
    usabilityPlace:
      at === undefined ? undefined : { headerBytes: NAL_UNIT_HEADER_BYTES, at, flagsBehind: USABILITY_FLAGS_BEHIND },
  });
}

/** Returns a sequence parameter set that shows pictures so; the same one when it cannot be read. */
export function withH265SequenceSignal(nalUnit: Uint8Array, signal: VideoSignal): Uint8Array {
  const sps = parseH265SequenceParameterSet(nalUnit);
  const place = sps.ok ? sps.value.usabilityPlace : undefined;
  return place ? withVideoSignal(nalUnit, place, signal) : nalUnit;
}

/** Reads the size and the conformance window, whose unit is a chroma sample (§7.4.3.2.1). */
function readDimensions(reader: BitReader, chromaFormat: number): { width: number; height: number } | undefined {
  const codedWidth = reader.unsigned();
  const codedHeight = reader.unsigned();
  if (codedWidth === 0 || codedHeight === 0 || Math.max(codedWidth, codedHeight) > SIDE_MAX) return undefined;
  const window = reader.flag() ? Array.from({ length: 4 }, () => reader.unsigned()) : [0, 0, 0, 0];
  const unitX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const unitY = chromaFormat === 1 ? 2 : 1;
  const width = codedWidth - unitX * (window[0]! + window[1]!);
  const height = codedHeight - unitY * (window[2]! + window[3]!);
  // Like decoders, ignore a window that leaves nothing.
  return width > 0 && height > 0 ? { width, height } : { width: codedWidth, height: codedHeight };
}

/** Values of lower sub-layers precede those of the highest when they are present. */
function readReorderFrames(reader: BitReader, subLayers: number): number {
  const listed = reader.flag() ? subLayers : 1;
  let reorderFrames = 0;
  for (let index = 0; index < listed; index += 1) {
    reader.unsigned(); // sps_max_dec_pic_buffering_minus1
    reorderFrames = reader.unsigned();
    reader.unsigned(); // sps_max_latency_increase_plus1
  }
  return reorderFrames;
}

/** Skips what lies between reordering and vui_parameters_present_flag; returns false when it cannot be read. */
function skipToUsability(reader: BitReader, orderLsbBits: number): boolean {
  for (let element = 0; element < 6; element += 1) reader.unsigned(); // sizes and depths of blocks
  if (reader.flag() && reader.flag()) skipScalingLists(reader);
  reader.bits(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (reader.flag()) {
    reader.bits(8); // bit depths of PCM
    reader.unsigned(); // log2_min_pcm_luma_coding_block_size_minus3
    reader.unsigned(); // log2_diff_max_min_pcm_luma_coding_block_size
    reader.flag(); // pcm_loop_filter_disabled_flag
  }
  if (!skipReferencePictureSets(reader)) return false;
  if (reader.flag()) {
    const count = reader.unsigned();
    for (let picture = 0; picture < count && !reader.overrun; picture += 1) reader.bits(orderLsbBits + 1);
  }
  reader.bits(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  return !reader.overrun;
}

/** Skips scaling_list_data (§7.3.4): six lists of each size, of the largest two; a list may repeat an earlier one. */
function skipScalingLists(reader: BitReader): void {
  for (let size = 0; size < 4; size += 1) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.unsigned(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (size > 1) reader.signed(); // scaling_list_dc_coef_minus8
      const entries = Math.min(64, 16 << (2 * size));
      for (let entry = 0; entry < entries; entry += 1) reader.signed();
    }
  }
}
