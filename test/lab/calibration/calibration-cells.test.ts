import { expect, test } from 'vitest';
import { calibrationCells, FULL_PLAN, QUICK_PLAN } from '../../../lab/calibration/calibration-cells.ts';

const NO_GRID = { ...FULL_PLAN, links: [] };

/** Packet numbers of the drop lists, forward and back. */
function dropped(strategy: 'udp-kernel-nack' | 'tcp-kernel-reno'): Record<string, { forward: string; back: string }> {
  const cells = calibrationCells({ ...NO_GRID, strategies: [strategy] });
  const numbers = (line: string) => /drop=(\S+)/.exec(line)?.[1] ?? '';
  return Object.fromEntries(
    cells.map(({ name, cell: { forward, back } }) => [
      name.replace('drop: ', ''),
      { forward: numbers(forward), back: numbers(back) },
    ]),
  );
}

test('the full plan has at least forty cells, and the quick one fewer', () => {
  expect(calibrationCells(FULL_PLAN).length).toBeGreaterThanOrEqual(40);
  expect(calibrationCells(QUICK_PLAN).length).toBeLessThan(calibrationCells(FULL_PLAN).length / 3);
});

test.each(['udp-kernel-nack', 'tcp-kernel-reno'] as const)(
  '%s: the drop lists start at the same packet',
  (strategy) => {
    const lists = dropped(strategy);
    const single = Number(lists.single!.forward);
    expect(single).toBeGreaterThan(100);
    expect(lists['burst 3']!.forward).toBe(`${single}-${single + 2}`);
    expect(lists['burst 10']!.forward).toBe(`${single}-${single + 9}`);
    // A frame of 4 kB has only a few packets.
    const tail = Number(lists.tail!.forward);
    expect(tail).toBeGreaterThan(single);
    expect(tail).toBeLessThan(single + 6);
  },
);

test.each(['udp-kernel-nack', 'tcp-kernel-reno'] as const)('%s: drops a retransmission as well', (strategy) => {
  const { single, retransmission } = dropped(strategy);
  const [first, second] = retransmission!.forward.split('/').map(Number);
  expect(String(first)).toBe(single!.forward);
  expect(second).toBeGreaterThan(first! + 1);
});

test('drops an acknowledgment on the back path', () => {
  const { acknowledgment } = dropped('tcp-kernel-reno');
  expect(acknowledgment!.forward).toBe('');
  expect(Number(acknowledgment!.back)).toBeGreaterThan(60);
});

test('a strategy without retransmission has no retransmission cell', () => {
  const names = calibrationCells({ ...NO_GRID, strategies: ['udp-kernel-fec'] }).map(({ name }) => name);
  expect(names).toContain('drop: single');
  expect(names).not.toContain('drop: retransmission');
});
