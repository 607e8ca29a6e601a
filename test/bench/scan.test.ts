import { expect, test } from 'vitest';
import { cellAt, SCAN_NAMES, scanOf, scanRows, shareBehind } from '../../bench/scan.ts';
import { scanPlot } from '../../bench/scan-plot.ts';
import { openDrawer } from '../../lab/report/draw-plot.ts';

test('a cell is a point whose budget has room for this many round trips', () => {
  const { point } = cellAt({ lossPercent: 3, delayMs: 40, jitterMs: 5, roundTrips: 2 });
  expect(point).toMatchObject({ forward: 'loss=3% jitter=5ms delay=40ms', oneWayMs: 40, budgetMs: 200, packets: 12 });
});

test('a strategy is behind when another within the redundancy budget loses fewer frames beyond chance', () => {
  const figures = (lost: number, overhead: number) => ({ lost, frames: 1_000, overhead });
  expect(shareBehind(figures(100, 0.1), [figures(20, 0.2), figures(50, 0.1)])).toBeCloseTo(0.08);
  expect(shareBehind(figures(22, 0.1), [figures(20, 0.2)])).toBe(0);
  expect(shareBehind(figures(100, 0.1), [figures(0, 1.1)])).toBe(0);
});

test.each(SCAN_NAMES)('the scan %s has rows and a picture', async (name) => {
  const scan = scanOf(name);
  const rows = scanRows(
    scan,
    scan.cells.map(() => scan.recoveries.map((_, place) => ({ lost: 100 * place, frames: 1_000, overhead: 0.1 }))),
  );
  expect(rows).toHaveLength(scan.cells.length * scan.recoveries.length);
  const svg = await (await openDrawer()).draw(scanPlot(name, rows), 'wide', (text) => expect.fail(text));
  expect(svg).toContain('<svg');
});
