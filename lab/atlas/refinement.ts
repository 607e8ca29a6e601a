import { type AtlasAxis, type AtlasPoint, lastPosition } from '../../protocol/page/atlas-axes.ts';
import { type AtlasSplit, type AtlasTree, cornersOf, pointKey } from '../../protocol/page/atlas-tree.ts';
import type { Interval } from '../report/interval.ts';

/** Results at a point, as refinement compares them with a neighbor's. */
export interface PointView {
  /** Strategies that are the best there or cannot be told from it. */
  readonly best: ReadonlySet<string>;
  /** Share of frames in time of the best. */
  readonly inTime: Interval;
}

/** Boxes of a round have at least this share of the greatest priority. */
const ROUND_SHARE = 0.5;
/** Most splits of a round, of at most 32 points each. A round depends on the results of the rounds before alone. */
const ROUND_SPLITS_MAX = 8;

/**
 * Chooses the boxes that are halved next. The priority of a box and an axis is its volume (as a share of all positions)
 * times the mean difference over its edges along that axis: 1 where no strategy is among the best at both ends, plus the
 * difference of the best shares beyond both intervals, in tolerances, at most 1. It estimates how much of the space is
 * shown wrongly.
 *
 * @param view of each corner, which is known. @param tolerance share of the frames.
 * @returns no splits when nothing differs or every box has its smallest size.
 */
export function nextSplits(
  tree: AtlasTree,
  axes: readonly AtlasAxis[],
  view: (point: AtlasPoint) => PointView,
  tolerance: number,
): readonly AtlasSplit[] {
  const candidates: (AtlasSplit & { readonly priority: number })[] = [];
  for (const box of tree.leaves()) {
    const { size } = tree.box(box);
    const views = cornersOf(tree.box(box)).map(view);
    const volume = size.reduce((product, each, axis) => product * shareOf(each, axes[axis]!), 1);
    let best: (AtlasSplit & { readonly priority: number }) | undefined;
    for (const axis of axes.keys()) {
      if (!tree.canSplit(box, axis)) continue;
      const priority = volume * meanDifference(views, axis, tolerance);
      if (priority > (best?.priority ?? 0)) best = { box, axis, priority };
    }
    if (best) candidates.push(best);
  }
  candidates.sort((one, other) => other.priority - one.priority || one.box - other.box);
  const least = (candidates[0]?.priority ?? 0) * ROUND_SHARE;
  return candidates
    .filter(({ priority }) => priority >= least)
    .slice(0, ROUND_SPLITS_MAX)
    .map(({ box, axis }) => ({ box, axis }));
}

function meanDifference(views: readonly PointView[], axis: number, tolerance: number): number {
  let [sum, edges] = [0, 0];
  for (const corner of views.keys()) {
    if (corner & (1 << axis)) continue;
    sum += difference(views[corner]!, views[corner | (1 << axis)]!, tolerance);
    edges++;
  }
  return sum / edges;
}

function difference(one: PointView, other: PointView, tolerance: number): number {
  const shared = [...one.best].some((name) => other.best.has(name));
  const gap = Math.max(one.inTime.low - other.inTime.high, other.inTime.low - one.inTime.high, 0);
  return (shared ? 0 : 1) + Math.min(1, gap / tolerance);
}

/** Returns the corners of boxes that are not known yet, each once, in the order of the boxes. */
export function missingCorners(
  tree: AtlasTree,
  boxes: Iterable<number>,
  isKnown: (key: string) => boolean,
): readonly AtlasPoint[] {
  const missing = new Map<string, AtlasPoint>();
  for (const box of boxes) {
    for (const corner of cornersOf(tree.box(box))) {
      const key = pointKey(corner);
      if (!isKnown(key)) missing.set(key, corner);
    }
  }
  return [...missing.values()];
}

/** Share of an axis that a box takes; 1 on an axis with a single value. */
function shareOf(size: number, axis: AtlasAxis): number {
  const last = lastPosition(axis);
  return last === 0 ? 1 : size / last;
}
