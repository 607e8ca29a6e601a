import { type Microseconds, microseconds, type Ticks, ticks, ticksToMicroseconds } from '../../protocol/base/units.ts';
import { percentile, sorted } from '../metrics/percentile.ts';
import type { FrameRecord } from '../tables.ts';

/** Decode and presentation time of a source picture. */
export interface PictureTime {
  readonly timestamp: Ticks;
  readonly decodeTimestamp: Ticks;
}

/**
 * A stream as it appeared on the screen, with one slot per source picture in presentation order. Pictures are
 * identified by their own slot.
 */
export interface SlotPlan {
  /** Row of each slot's picture in the frame table. */
  readonly rows: Int32Array;
  /** Picture on the screen in each slot; -1 when none yet. */
  readonly onScreen: Int32Array;
  /** Pictures given to the decoder, in order. */
  readonly decoded: readonly DecodedPicture[];
}

export interface DecodedPicture {
  readonly row: number;
  /** Its own slot. */
  readonly slot: number;
  /** First slot in whose middle it could be on the screen; the number of slots when later than all. */
  readonly shownFrom: number;
}

/** Content of a slot before the first picture. */
export const NOTHING = -1;

/**
 * Determines the picture on the screen in the middle of each slot. The screen lags the source by the median delay of
 * pictures in time (by the budget without any). A late picture is shown from its arrival on, unless a later one is
 * already shown.
 *
 * @param times of the source pictures, in decode order like the frames.
 */
export function planSlots(
  frames: readonly FrameRecord[],
  times: readonly PictureTime[],
  budget: Microseconds,
): SlotPlan {
  const rows = Int32Array.from(frames.keys()).sort((one, other) => {
    return times[one]!.timestamp - times[other]!.timestamp || one - other;
  });
  const slotOf = new Int32Array(frames.length);
  for (const [slot, row] of rows.entries()) slotOf[row] = slot;
  const lag = screenLag(frames) ?? budget;
  const startOf = (row: number) => {
    const { timestamp, decodeTimestamp } = times[row]!;
    return frames[row]!.capturedAt + ticksToMicroseconds(ticks(timestamp - decodeTimestamp)) + lag;
  };
  const starts = Float64Array.from(rows, startOf);
  const middles = starts.map((start, slot) => (start + (starts[slot + 1] ?? start + lastPeriod(starts))) / 2);
  const decoded: DecodedPicture[] = [];
  for (const { frame: row, renderedAt, class: fate } of frames) {
    if (renderedAt === null && fate !== 'mended') continue;
    const slot = slotOf[row]!;
    // A mended picture is decoded, as others refer to it, and never shown.
    const shownAt = renderedAt === null ? Number.POSITIVE_INFINITY : Math.max(starts[slot]!, renderedAt);
    decoded.push({ row, slot, shownFrom: firstAtOrAfter(middles, shownAt) });
  }
  return { rows, onScreen: picturesOnScreen(decoded, frames.length), decoded };
}

/** Median delay from capture to the screen; `undefined` when nothing arrived in time. */
function screenLag(frames: readonly FrameRecord[]): Microseconds | undefined {
  const lags = frames.filter(({ renderedAt, class: fate }) => renderedAt !== null && fate !== 'late');
  const lag = percentile(sorted(lags.map(({ renderedAt, capturedAt }) => renderedAt! - capturedAt)), 0.5);
  return lag === null ? undefined : microseconds(lag);
}

/** The latest available picture; never returns to an earlier one. */
function picturesOnScreen(decoded: readonly DecodedPicture[], slots: number): Int32Array {
  const latest = new Int32Array(slots).fill(NOTHING);
  for (const { slot, shownFrom } of decoded) {
    if (shownFrom < slots) latest[shownFrom] = Math.max(latest[shownFrom]!, slot);
  }
  for (let slot = 1; slot < slots; slot++) latest[slot] = Math.max(latest[slot]!, latest[slot - 1]!);
  return latest;
}

/** Duration of the last picture: that of the one before it. */
function lastPeriod(starts: Float64Array): Microseconds {
  const [before, last] = starts.slice(-2);
  return last === undefined ? microseconds(0) : microseconds(last - before!);
}

/** Returns the first slot whose middle is at or after `instant`. @param middles ascending. */
function firstAtOrAfter(middles: Float64Array, instant: number): number {
  let low = 0;
  let high = middles.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (middles[middle]! < instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
