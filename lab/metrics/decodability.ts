import { instant } from '../../protocol/base/units.ts';
import type { FrameTable } from '../frame-table.ts';
import type { FrameOutcome } from '../tables.ts';

/** Classes of frames that were decoded. */
const DECODED: readonly FrameOutcome[] = ['onTime', 'recovered', 'late', 'mended'];
const WHOLE: readonly FrameOutcome[] = [...DECODED, 'undecodable'];

/** True when the whole frame was available at its decision. */
export const isWhole = (frames: FrameTable, row: number): boolean => WHOLE.includes(frames.class(row));

/**
 * Records when each frame became decodable: when it and all its references were complete. A key frame has no reference;
 * any other frame refers to the last non-discardable one. So frames after a lost reference wait for the next key frame.
 */
export function enterDecodability(frames: FrameTable): void {
  let referenceAt = Number.NaN;
  for (let row = 0; row < frames.length; row++) {
    const type = frames.type(row);
    const completeAt = DECODED.includes(frames.class(row)) ? frames.time(row, 'completeAt') : Number.NaN;
    // `Math.max` propagates NaN: never, if one of them never was.
    const decodableAt = instant(type === 'key' ? completeAt : Math.max(completeAt, referenceAt));
    frames.setTime(row, 'decodableAt', decodableAt);
    if (type !== 'discardable') referenceAt = decodableAt;
  }
}
