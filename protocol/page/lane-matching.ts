import type { LaneSettings } from './lane-message.ts';

/**
 * Returns for each lane of `after` the index in `before` of the lane that it continues, `undefined` for one that begins
 * anew: the lane at the same place if its settings are the same, else the first unused one with the same settings.
 */
export function matchLanes(before: readonly LaneSettings[], after: readonly LaneSettings[]): (number | undefined)[] {
  const matches = after.map((settings, index) => {
    const same = before[index];
    return same && sameSettings(same, settings) ? index : undefined;
  });
  const used = new Set(matches);
  for (const [index, settings] of after.entries()) {
    if (matches[index] !== undefined) continue;
    const from = before.findIndex((other, place) => !used.has(place) && sameSettings(other, settings));
    if (from < 0) continue;
    matches[index] = from;
    used.add(from);
  }
  return matches;
}

/** True when two settings are equivalent: the recovery of a TCP lane, for example, has no effect. */
function sameSettings(a: LaneSettings, b: LaneSettings): boolean {
  if (a.transport !== b.transport || a.latencyMs !== b.latencyMs) return false;
  if (Boolean(a.kernel) !== Boolean(b.kernel)) return false;
  return a.transport === 'tcp'
    ? a.kernel === true || a.congestionControl === b.congestionControl
    : a.recovery === b.recovery && a.onLoss === b.onLoss && Boolean(a.follows) === Boolean(b.follows);
}
