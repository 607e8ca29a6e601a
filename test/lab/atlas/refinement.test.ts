import { expect, test } from 'vitest';
import { missingCorners, nextSplits, type PointView } from '../../../lab/atlas/refinement.ts';
import { type AtlasAxis, type AtlasPoint, axisValue, axisValues, STEPS } from '../../../protocol/page/atlas-axes.ts';
import { AtlasTree, cornersOf, pointKey } from '../../../protocol/page/atlas-tree.ts';

const LOSS: AtlasAxis = { name: 'loss', knots: [0.1, 10], scale: 'log' };
const RTT: AtlasAxis = { name: 'rtt', knots: [10, 50, 250], scale: 'log' };
const RATE: AtlasAxis = { name: 'rate', knots: [0, 1_000], scale: 'inverse' };
const JITTER: AtlasAxis = { name: 'jitter', knots: [5], scale: 'linear' };
const AXES = [LOSS, RTT, JITTER, RATE];

const certain = (value: number) => ({ value, low: value, high: value });

/** Refines a known function until `points` are known. */
function refine(view: (point: AtlasPoint) => PointView, points: number) {
  const tree = new AtlasTree(AXES);
  const known = new Set<string>();
  let fresh: readonly number[] = tree.leaves();
  for (;;) {
    for (const point of missingCorners(tree, fresh, (key) => known.has(key))) known.add(pointKey(point));
    const splits = known.size < points ? nextSplits(tree, AXES, view, 0.02) : [];
    if (splits.length === 0) return { tree, known };
    for (const split of splits) tree.split(split);
    fresh = tree.leaves().slice(-2 * splits.length);
  }
}

test('axes have their values between knots in proportion, by differences, or by those of 1/value', () => {
  expect([0, 8, 16].map((at) => axisValue(LOSS, at))).toEqual([0.1, 1, 10]);
  expect([0, 8, 16, 24, 32].map((at) => axisValue(RTT, at))).toEqual([10, 22.4, 50, 112, 250]);
  expect([0, 4, 8, 16].map((at) => axisValue(RATE, at))).toEqual([0, 4_000, 2_000, 1_000]);
});

test('all positions of an axis have different values', () => {
  for (const axis of AXES) {
    const values = axisValues(axis);
    expect(values).toHaveLength((axis.knots.length - 1) * STEPS + 1);
    expect(new Set(values).size).toBe(values.length);
  }
});

test('a boundary is found to a position with far fewer points than the grid has', () => {
  // The winner depends on loss and round trip; the capacity does not matter.
  const wins = ([loss, rtt]: AtlasPoint) => (loss! * 1.7 + rtt! < 21 ? 'one' : 'other');
  const view = (point: AtlasPoint): PointView => ({ best: new Set([wins(point)]), inTime: certain(0.9) });
  const { tree, known } = refine(view, Number.POSITIVE_INFINITY);
  const grid: AtlasPoint[] = [];
  for (let loss = 0; loss <= STEPS; loss++)
    for (let rtt = 0; rtt <= 2 * STEPS; rtt++)
      for (let rate = 0; rate <= STEPS; rate++) grid.push([loss, rtt, 0, rate]);
  const wrong = grid.filter((point) => wins(tree.nearestCorner(point)) !== wins(point));
  expect(wrong).toEqual([]);
  expect(known.size).toBeLessThan(grid.length / 30);
  // No split where nothing changes.
  expect(tree.splits.every(({ axis }) => axis < 2)).toBe(true);
});

test('figures are resolved to the tolerance, and differences within intervals are not', () => {
  const level = ([loss]: AtlasPoint) => 1 - loss! / 40;
  const steep = refine((point) => ({ best: new Set(['one']), inTime: certain(level(point)) }), 1e9);
  expect(new Set([...steep.known].map((key) => key.split(',')[0])).size).toBe(STEPS + 1);
  const vague = (point: AtlasPoint) => ({ value: level(point), low: level(point) - 0.3, high: level(point) + 0.3 });
  const noisy = refine((point) => ({ best: new Set(['one', 'other']), inTime: vague(point) }), 1e9);
  expect(noisy.tree.splits).toEqual([]);
});

test('a tree is the same again from its splits, and more points continue the same rounds', () => {
  const view = ([loss, rtt]: AtlasPoint): PointView => ({
    best: new Set([loss! * rtt! > 150 ? 'one' : 'other']),
    inTime: certain(Math.min(1, rtt! / 32)),
  });
  const few = refine(view, 60);
  const many = refine(view, 200);
  expect(many.tree.splits.slice(0, few.tree.splits.length)).toEqual(few.tree.splits);
  expect(many.tree.splits.length).toBeGreaterThan(few.tree.splits.length);
  const again = new AtlasTree(AXES, many.tree.splits);
  expect(again.leaves()).toEqual(many.tree.leaves());
  // Every position is in a leaf whose corners are known.
  for (let loss = 0; loss <= STEPS; loss++) {
    for (let rtt = 0; rtt <= 2 * STEPS; rtt++) {
      expect(many.known.has(pointKey(again.nearestCorner([loss, rtt, 0, 5])))).toBe(true);
    }
  }
});

test('the nearest corner is the position itself where it is computed, also by a neighboring leaf alone', () => {
  const tree = new AtlasTree([LOSS, RTT], [{ box: 0, axis: 0 }]);
  // On the face of the second box, which is not split; then near that face, in the lower and the upper half.
  expect(tree.nearestCorner([8, 16])).toEqual([8, 16]);
  expect(tree.nearestCorner([7, 16])).toEqual([8, 16]);
  expect(tree.nearestCorner([9, 15])).toEqual([8, 16]);
  expect(tree.leavesAt([8, 16])).toHaveLength(3);
  // Within the second box its own corners are all that are known.
  expect(tree.nearestCorner([8, 17])).toEqual([0, 16]);
  const corners = new Set(tree.leaves().flatMap((leaf) => cornersOf(tree.box(leaf)).map(pointKey)));
  for (const key of corners) expect(pointKey(tree.nearestCorner(key.split(',').map(Number)))).toBe(key);
});
