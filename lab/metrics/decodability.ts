import type { FrameTable } from '../frame-table.ts';
import type { FrameOutcome } from '../tables.ts';

/** Frames of which a decoder got something to decode. */
const DECODED: readonly FrameOutcome[] = ['onTime', 'recovered', 'late'];
const WHOLE: readonly FrameOutcome[] = [...DECODED, 'undecodable'];

/** Whether all of a frame was there when it was decided. */
export const isWhole = (frames: FrameTable, row: number): boolean => WHOLE.includes(frames.class(row));

/**
 * Enters when each frame could be decoded: when it and every frame that it refers to were whole. A key frame refers to
 * none, any other to the one before that is not discardable; so what follows a lost reference waits for the next key.
 */
export function enterDecodability(frames: FrameTable): void {
  let referenceAt = Number.NaN;
  for (let row = 0; row < frames.length; row++) {
    const type = frames.type(row);
    const completeAt = DECODED.includes(frames.class(row)) ? frames.time(row, 'completeAt') : Number.NaN;
    // NaN goes through `Math.max`: never, if either never was.
    const decodableAt = type === 'key' ? completeAt : Math.max(completeAt, referenceAt);
    frames.setTime(row, 'decodableAt', decodableAt);
    if (type !== 'discardable') referenceAt = decodableAt;
  }
}
