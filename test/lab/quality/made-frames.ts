import type { FrameRecord } from '../../../lab/tables.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticksToMicroseconds } from '../../../protocol/base/units.ts';

export const BUDGET = 100_000;

/** Frame table of a stream with these fates by row; all other frames are shown on time. */
export function madeFrames(
  units: readonly Pick<AccessUnit, 'importance' | 'decodeTimestamp'>[],
  fates: { readonly lost?: readonly number[]; readonly lateBy?: Readonly<Record<number, number>> } = {},
): FrameRecord[] {
  const { lost = [], lateBy = {} } = fates;
  return units.map(({ importance, decodeTimestamp }, frame) => {
    const capturedAt = ticksToMicroseconds(decodeTimestamp);
    const late = lateBy[frame] ?? 0;
    const renderedAt = lost.includes(frame) ? null : capturedAt + BUDGET + late;
    const fate = renderedAt === null ? 'neverArrived' : late > 0 ? 'late' : 'onTime';
    return {
      ...{ frame, type: importance, bytes: 1, packets: 1, capturedAt, sentAt: capturedAt },
      ...{ completeAt: renderedAt, decodableAt: renderedAt, renderedAt, lossSeenAt: null },
      ...{ mechanism: 'none', class: fate },
    };
  });
}
