import { matchLanes } from '../../protocol/page/lane-matching.ts';
import type { LaneSettings } from '../../protocol/page/lane-message.ts';

/**
 * Returns for each lane of `after` the index in `before` of the lane whose place on the page it takes; `undefined` for a
 * new place. A lane whose settings have changed keeps its place.
 */
export function continuedLanes(
  before: readonly LaneSettings[],
  after: readonly LaneSettings[],
): readonly (number | undefined)[] {
  const matches = matchLanes(before, after);
  const used = new Set(matches);
  return matches.map((from, index) => from ?? (used.has(index) || index >= before.length ? undefined : index));
}
