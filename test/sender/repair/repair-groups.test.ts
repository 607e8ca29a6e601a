import { expect, test } from 'vitest';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { GROUP_PACKETS_MAX, groupEndingWith, type RepairGroup } from '../../../sender/repair/repair-groups.ts';

function groupsOf(packets: number, ratio = 0.25, first = 65_500): RepairGroup[] {
  const frame = { firstSequence: asSequence(first), lastSequence: asSequence(first + packets - 1) };
  return Array.from({ length: packets }, (_, i) => groupEndingWith(asSequence(first + i), frame, ratio)).filter(
    (group) => group !== undefined,
  );
}

test.each([1, 2, 55, 127, GROUP_PACKETS_MAX])('a frame of %i packets is one group', (packets) => {
  expect(groupsOf(packets)).toEqual([
    { firstSequence: 65_500, lastSequence: 65_500 + packets - 1, repairs: Math.ceil(packets / 4) },
  ]);
});

test.each([129, 255, 256, 257, 400, 512, 513, 1_000, 4_097])(
  'a frame of %i packets is in groups of about one size',
  (packets) => {
    const groups = groupsOf(packets);
    const sizes = groups.map(({ firstSequence, lastSequence }) => lastSequence - firstSequence + 1);
    expect(groups).toHaveLength(Math.ceil(packets / GROUP_PACKETS_MAX));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(GROUP_PACKETS_MAX);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    // They cover the frame without a gap.
    expect(groups[0]!.firstSequence).toBe(65_500);
    expect(groups.at(-1)!.lastSequence).toBe(65_500 + packets - 1);
    for (const [i, { firstSequence }] of groups.entries()) {
      if (i > 0) expect(firstSequence).toBe(groups[i - 1]!.lastSequence + 1);
    }
  },
);

test.each([0, 0.001, 0.01, 0.25, 1 / 3, 1])('the groups of a frame share its repair packets (ratio %d)', (ratio) => {
  for (const packets of [130, 400, 1_000]) {
    const repairs = groupsOf(packets, ratio).map((group) => group.repairs);
    expect(repairs.reduce((sum, count) => sum + count)).toBe(Math.ceil(packets * ratio));
    expect(Math.max(...repairs) - Math.min(...repairs)).toBeLessThanOrEqual(2);
  }
});
