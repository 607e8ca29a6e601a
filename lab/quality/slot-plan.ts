import { type Microseconds, type Ticks, ticksToMicroseconds } from '../../protocol/base/instant.ts';
import { percentile, sorted } from '../metrics/percentile.ts';
import type { FrameRecord } from '../tables.ts';

/** When a source's picture is decoded, and when it is shown. */
export interface PictureTime {
  readonly timestamp: Ticks;
  readonly decodeTimestamp: Ticks;
}

/**
 * A stream as it was on the screen. There is a slot for each picture of the source, in the order in which they are shown;
 * pictures are called by the number of their own slot.
 */
export interface SlotPlan {
  /** The row of each slot's own picture in the frame table. */
  readonly rows: Int32Array;
  /** The picture on the screen in each slot; -1: none yet. */
  readonly onScreen: Int32Array;
  /** What the decoder was given, in that order. */
  readonly decoded: readonly DecodedPicture[];
}

export interface DecodedPicture {
  readonly row: number;
  /** Its own slot. */
  readonly slot: number;
  /** The first slot in whose middle it could have been on the screen; the number of slots: after them all. */
  readonly shownFrom: number;
}

/** What a slot shows before there is any picture. */
export const NOTHING = -1;

/**
 * Says for each slot which picture was on the screen in the middle of it. The screen lags the source by as much as it
 * does for most pictures that came in time (by the budget if there is none); a picture that came late is there from when
 * it came, unless a later one is there already.
 * @param times of the source's pictures, in decode order, as the frames are.
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
    return frames[row]!.capturedAt + ticksToMicroseconds(timestamp - decodeTimestamp) + lag;
  };
  const starts = Float64Array.from(rows, startOf);
  const middles = starts.map((start, slot) => (start + (starts[slot + 1] ?? start + lastPeriod(starts))) / 2);
  const decoded: DecodedPicture[] = [];
  for (const { frame: row, renderedAt } of frames) {
    if (renderedAt === null) continue;
    const slot = slotOf[row]!;
    decoded.push({ row, slot, shownFrom: firstAtOrAfter(middles, Math.max(starts[slot]!, renderedAt)) });
  }
  return { rows, onScreen: screen(decoded, frames.length), decoded };
}

/** The median of what passed from capture to the screen; `undefined`: nothing came in time. */
function screenLag(frames: readonly FrameRecord[]): Microseconds | undefined {
  const lags = frames.filter(({ renderedAt, class: fate }) => renderedAt !== null && fate !== 'late');
  return percentile(sorted(lags.map(({ renderedAt, capturedAt }) => renderedAt! - capturedAt)), 0.5) ?? undefined;
}

/** The latest picture that is there, never an earlier one again. */
function screen(decoded: readonly DecodedPicture[], slots: number): Int32Array {
  const latest = new Int32Array(slots).fill(NOTHING);
  for (const { slot, shownFrom } of decoded) {
    if (shownFrom < slots) latest[shownFrom] = Math.max(latest[shownFrom]!, slot);
  }
  for (let slot = 1; slot < slots; slot++) latest[slot] = Math.max(latest[slot]!, latest[slot - 1]!);
  return latest;
}

/** How long the last picture stands: as long as the one before it. */
function lastPeriod(starts: Float64Array): Microseconds {
  const [before, last] = starts.slice(-2);
  return last === undefined ? 0 : last - before!;
}

/** The first slot whose middle is not before this instant. @param middles ascending. */
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
