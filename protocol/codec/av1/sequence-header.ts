import { BitCursor } from '../../base/bit-cursor.ts';
import { COLOR_UNSPECIFIED, type ColorDescription } from '../nal/video-signal.ts';
import { OBU_TYPE, obuHeader, obuType } from './obu.ts';

/** Sequence header (AV1 specification §5.5), as far as descriptions and frame headers need it. */
export interface Av1SequenceHeader {
  readonly profile: number;
  readonly isReducedStillPicture: boolean;
  /** seq_level_idx and seq_tier of the first operating point. */
  readonly level: number;
  readonly tier: number;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number | undefined;
  readonly color: Av1Color;
  /** Elements that decide the form of frame headers. */
  readonly frames: Av1FrameForm;
}

export interface Av1Color {
  /** 8, 10 or 12. */
  readonly bitDepth: number;
  readonly isMonochrome: boolean;
  readonly subsamplingX: number;
  readonly subsamplingY: number;
  readonly samplePosition: number;
  readonly isFullRange: boolean;
  readonly description: ColorDescription;
}

export interface Av1FrameForm {
  /** Length of frame_presentation_time where frames have one; 0: they have none. */
  readonly presentationTimeBits: number;
  /** Length of buffer_removal_time; `undefined` without a decoder model. */
  readonly removalTimeBits: number | undefined;
  readonly operatingPoints: readonly { readonly idc: number; readonly hasDecoderModel: boolean }[];
  /** Length of current_frame_id; 0: none. */
  readonly frameIdBits: number;
  /** seq_force_screen_content_tools and seq_force_integer_mv; 2: frames choose. */
  readonly screenContentTools: number;
  readonly integerMotion: number;
  readonly orderHintBits: number;
}

export const SELECTED_BY_FRAME = 2;
const SRGB_TRANSFER = 13;
const BT709 = 1;
/** Longest uvlc prefix (§4.10.3). */
const LEADING_ZEROS_MAX = 32;

/** Parses a sequence header OBU; `undefined` when it is none, or truncated. */
export function parseAv1SequenceHeader(obu: Uint8Array): Av1SequenceHeader | undefined {
  if (obuType(obu) !== OBU_TYPE.sequenceHeader) return undefined;
  const cursor = new BitCursor(obu, obuHeader(obu).bodyAt);
  const profile = cursor.bits(3);
  cursor.flag(); // still_picture
  const isReducedStillPicture = cursor.flag();
  const operation = isReducedStillPicture ? readReducedOperation(cursor) : readOperation(cursor);
  const [widthBits, heightBits] = [cursor.bits(4) + 1, cursor.bits(4) + 1];
  const [width, height] = [cursor.bits(widthBits) + 1, cursor.bits(heightBits) + 1];
  const frameIdBits = !isReducedStillPicture && cursor.flag() ? readFrameIdBits(cursor) : 0;
  cursor.bits(3); // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  const tools = isReducedStillPicture ? REDUCED_TOOLS : readTools(cursor);
  cursor.bits(3); // enable_superres, enable_cdef, enable_restoration
  const color = readColor(profile, cursor);
  if (cursor.overrun || profile > 2) return undefined;
  const { level, tier, framesPerSecond, ...model } = operation;
  const frames = { ...model, ...tools, frameIdBits };
  return { profile, isReducedStillPicture, level, tier, width, height, framesPerSecond, color, frames };
}

type Operation = Pick<Av1SequenceHeader, 'level' | 'tier' | 'framesPerSecond'> &
  Pick<Av1FrameForm, 'presentationTimeBits' | 'removalTimeBits' | 'operatingPoints'>;

const readReducedOperation = (cursor: BitCursor): Operation => ({
  ...{ level: cursor.bits(5), tier: 0, framesPerSecond: undefined },
  ...{ presentationTimeBits: 0, removalTimeBits: undefined, operatingPoints: [{ idc: 0, hasDecoderModel: false }] },
});

/** Elements from timing_info_present_flag to the operating points. */
function readOperation(cursor: BitCursor): Operation {
  const timing = cursor.flag() ? readTiming(cursor) : undefined;
  const model = timing && cursor.flag() ? readDecoderModel(cursor) : undefined;
  const hasDisplayDelay = cursor.flag();
  const count = cursor.bits(5) + 1;
  const points: { idc: number; level: number; tier: number; hasDecoderModel: boolean }[] = [];
  for (let index = 0; index < count; index++) {
    const [idc, level] = [cursor.bits(12), cursor.bits(5)];
    const tier = level > 7 ? cursor.bits(1) : 0;
    const hasDecoderModel = model !== undefined && cursor.flag();
    // decoder_buffer_delay, encoder_buffer_delay, low_delay_mode_flag
    if (hasDecoderModel) for (const bits of [model.delayBits, model.delayBits, 1]) cursor.bits(bits);
    if (hasDisplayDelay && cursor.flag()) cursor.bits(4);
    points.push({ idc, level, tier, hasDecoderModel });
  }
  return {
    level: points[0]!.level,
    tier: points[0]!.tier,
    framesPerSecond: timing?.framesPerSecond,
    presentationTimeBits: model && !timing?.isEven ? model.presentationBits : 0,
    removalTimeBits: model?.removalBits,
    operatingPoints: points,
  };
}

/** timing_info (§5.5.3). */
function readTiming(cursor: BitCursor) {
  const [tick, scale, isEven] = [cursor.bits(32), cursor.bits(32), cursor.flag()];
  const ticksPerPicture = isEven ? readUvlc(cursor) + 1 : undefined;
  const rate = ticksPerPicture === undefined ? Number.NaN : scale / (tick * ticksPerPicture);
  return { isEven, framesPerSecond: rate > 0 && rate < Number.POSITIVE_INFINITY ? rate : undefined };
}

/** decoder_model_info (§5.5.4). */
function readDecoderModel(cursor: BitCursor) {
  const delayBits = cursor.bits(5) + 1;
  cursor.bits(32); // num_units_in_decoding_tick
  return { delayBits, removalBits: cursor.bits(5) + 1, presentationBits: cursor.bits(5) + 1 };
}

/** uvlc() (§4.10.3). */
function readUvlc(cursor: BitCursor): number {
  let zeros = 0;
  while (zeros < LEADING_ZEROS_MAX && !cursor.overrun && !cursor.flag()) zeros++;
  return zeros >= LEADING_ZEROS_MAX ? 2 ** 32 - 1 : cursor.bits(zeros) + 2 ** zeros - 1;
}

function readFrameIdBits(cursor: BitCursor): number {
  const deltaBits = cursor.bits(4) + 2;
  return deltaBits + cursor.bits(3) + 1;
}

type Tools = Pick<Av1FrameForm, 'screenContentTools' | 'integerMotion' | 'orderHintBits'>;
const REDUCED_TOOLS: Tools = {
  ...{ screenContentTools: SELECTED_BY_FRAME, integerMotion: SELECTED_BY_FRAME, orderHintBits: 0 },
};

function readTools(cursor: BitCursor): Tools {
  // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
  cursor.bits(4);
  const hasOrderHint = cursor.flag();
  if (hasOrderHint) cursor.bits(2); // enable_jnt_comp, enable_ref_frame_mvs
  const screenContentTools = cursor.flag() ? SELECTED_BY_FRAME : cursor.bits(1);
  const choosesMotion = screenContentTools > 0 ? cursor.flag() : true;
  const integerMotion = choosesMotion ? SELECTED_BY_FRAME : cursor.bits(1);
  return { screenContentTools, integerMotion, orderHintBits: hasOrderHint ? cursor.bits(3) + 1 : 0 };
}

/** color_config (§5.5.2). */
function readColor(profile: number, cursor: BitCursor): Av1Color {
  const isHigh = cursor.flag();
  const bitDepth = profile === 2 && isHigh ? (cursor.flag() ? 12 : 10) : isHigh ? 10 : 8;
  const isMonochrome = profile !== 1 && cursor.flag();
  const unspecified = { primaries: COLOR_UNSPECIFIED, transfer: COLOR_UNSPECIFIED, matrix: COLOR_UNSPECIFIED };
  const description = cursor.flag()
    ? { primaries: cursor.bits(8), transfer: cursor.bits(8), matrix: cursor.bits(8) }
    : unspecified;
  const common = { bitDepth, isMonochrome, description, samplePosition: 0 };
  if (isMonochrome) return { ...common, isFullRange: cursor.flag(), subsamplingX: 1, subsamplingY: 1 };
  const { primaries, transfer, matrix } = description;
  if (primaries === BT709 && transfer === SRGB_TRANSFER && matrix === 0) {
    return { ...common, isFullRange: true, subsamplingX: 0, subsamplingY: 0 };
  }
  const isFullRange = cursor.flag();
  const [subsamplingX, subsamplingY] = readSubsampling(profile, bitDepth, cursor);
  const samplePosition = subsamplingX === 1 && subsamplingY === 1 ? cursor.bits(2) : 0;
  return { ...common, isFullRange, subsamplingX, subsamplingY, samplePosition };
}

function readSubsampling(profile: number, bitDepth: number, cursor: BitCursor): readonly [x: number, y: number] {
  if (profile === 0) return [1, 1];
  if (profile === 1) return [0, 0];
  if (bitDepth !== 12) return [1, 0];
  const x = cursor.bits(1);
  return [x, x === 1 ? cursor.bits(1) : 0];
}
