import { expect, test } from 'vitest';
import type { AccessUnit, Importance } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { RecentGroup } from '../../../session/stream/recent-group.ts';

const FRAME = 3_200;

const unit = (index: number, importance: Importance, bytes = 1): AccessUnit => ({
  parts: [new Uint8Array(bytes)],
  timestamp: ticks(index * FRAME),
  decodeTimestamp: ticks(index * FRAME),
  importance,
});

/** Pictures with a key frame at each of these indexes. */
function groupOf(length: number, keys: readonly number[], bytes?: number): RecentGroup {
  const group = new RecentGroup();
  for (let index = 0; index < length; index++)
    group.add(unit(index, keys.includes(index) ? 'key' : 'reference', bytes));
  return group;
}

const times = (units: readonly AccessUnit[]) => units.map(({ timestamp }) => timestamp / FRAME);

test('returns the pictures since the last key frame, their times before the present compressed', () => {
  expect(times(groupOf(19, [0, 16]).caughtUp())).toEqual([18 - 2 / 16, 18 - 1 / 16, 18]);
});

test('adds the group before a short one', () => {
  const group = groupOf(19, [0, 8, 16]);
  expect(group.caughtUp(3)).toHaveLength(3);
  expect(group.caughtUp(4)).toHaveLength(11);
  expect(times(group.caughtUp(30))[0]).toBe(18 - 10 / 16);
  expect(group.caughtUp(30)[0]!.importance).toBe('key');
});

test('retains no more than its limits, and the last group rather than the one before', () => {
  const long = groupOf(620, [0, 590]);
  expect(long.caughtUp(60)).toHaveLength(30);
  expect(groupOf(601, [0]).caughtUp(60)).toEqual([]);
  expect(groupOf(12, [0, 9], 2_000_000).caughtUp(60)).toHaveLength(3);
});

test('a cleared group has nothing', () => {
  const group = groupOf(19, [0, 16]);
  group.clear();
  group.add(unit(0, 'key'));
  expect(group.caughtUp(30)).toHaveLength(1);
});
