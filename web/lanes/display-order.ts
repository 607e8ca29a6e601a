import type { Frame } from './lane-log.ts';

/** A step back by more than this is the beginning of another round of the video; B-frames step back by less, milliseconds. */
const ROUND_MS = 1_000;

/**
 * Returns frames in the order in which their pictures are shown: with B-frames that is not the order in which they are
 * sent. Without times in the video, it is taken for it.
 * @param frames in the order in which they were sent.
 */
export function displayOrder(frames: Iterable<Frame>): readonly Frame[] {
  let round = 0;
  let latestMs = Number.NEGATIVE_INFINITY;
  const placed = [...frames].map((frame, index) => {
    const positionMs = frame.positionMs ?? latestMs;
    if (positionMs < latestMs - ROUND_MS) {
      round++;
      latestMs = positionMs;
    } else latestMs = Math.max(latestMs, positionMs);
    return { frame, round, positionMs, index };
  });
  placed.sort((a, b) => a.round - b.round || a.positionMs - b.positionMs || a.index - b.index);
  return placed.map(({ frame }) => frame);
}
