import { FragmentedMp4Writer } from '../../io/mp4/fragmented-mp4-writer.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks } from '../../protocol/base/instant.ts';
import { serializeDecoderConfiguration } from '../../protocol/codec/h264/decoder-configuration.ts';
import { H264 } from '../../protocol/codec/h264/h264.ts';
import { NAL_UNIT_TYPE, nalUnitType } from '../../protocol/codec/h264/nal-unit.ts';
import type { DecodedPicture } from './slot-plan.ts';

/**
 * Between two slots in the files that ffmpeg is given. Pictures that were overtaken before they were seen stand between
 * two slots, a tick each.
 */
const SLOT_TICKS: Ticks = 3_000;

/** Slots a second in those files, whatever the stream's rate is: they are counted, not timed. */
export const SLOT_RATE = CLOCK_RATE / SLOT_TICKS;

/** A file for ffmpeg in which each picture stands at the slot from which it is shown. */
export interface SlotStream {
  readonly file: Uint8Array;
  /** The file's time 0 on the scale on which slot 0 is 0, ticks. */
  readonly origin: Ticks;
}

/** What all streams of a source are decoded with. */
export interface PictureFormat {
  readonly width: number;
  readonly height: number;
  readonly parameterSets: readonly Uint8Array[];
}

/** @returns `undefined` where the stream never says what its pictures are. */
export function pictureFormat(units: readonly AccessUnit[]): PictureFormat | undefined {
  const isParameterSet = (nalUnit: Uint8Array) =>
    nalUnitType(nalUnit) === NAL_UNIT_TYPE.sequenceParameterSet ||
    nalUnitType(nalUnit) === NAL_UNIT_TYPE.pictureParameterSet;
  for (const { parts } of units) {
    const parameterSets = parts.filter(isParameterSet);
    const format = H264.describe(parameterSets);
    if (format) return { width: format.width, height: format.height, parameterSets };
  }
  return undefined;
}

/** @param decoded at least one. @param units of the whole source, by row. */
export function slotStream(
  decoded: readonly DecodedPicture[],
  units: readonly AccessUnit[],
  format: PictureFormat,
): SlotStream {
  const shownAt = standings(decoded);
  const pictures = decoded.map(({ row, slot }, index): AccessUnit => {
    const { parts, importance } = units[row]!;
    // Decoded one after the other, each before it is shown: a tick each is less than any distance of slots.
    return { parts, importance, timestamp: shownAt.get(slot)!, decodeTimestamp: index };
  });
  const { width, height, parameterSets } = format;
  const track = { width, height, configuration: serializeDecoderConfiguration(parameterSets) };
  const writer = new FragmentedMp4Writer(track, parameterSets);
  const file = Buffer.concat([writer.header(), writer.fragment(pictures, pictures.length)]);
  return { file, origin: pictures[0]!.timestamp };
}

/** When each picture is shown: at its slot; before it, by a tick each, what was overtaken by the time it would have been. */
function standings(decoded: readonly DecodedPicture[]): ReadonlyMap<number, Ticks> {
  const latestFirst = [...decoded].sort((one, other) => other.slot - one.slot);
  const shownAt = new Map<number, Ticks>();
  let following = Number.POSITIVE_INFINITY;
  for (const { slot, shownFrom } of latestFirst) {
    following = Math.min(shownFrom * SLOT_TICKS, following - 1);
    shownAt.set(slot, following);
  }
  return shownAt;
}
