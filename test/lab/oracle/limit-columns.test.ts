import { describe, expect, test } from 'vitest';
import { type Cell, canonicalLink } from '../../../lab/cell.ts';
import { runCell } from '../../../lab/run-cell.ts';
import { SIMULATED_STRATEGIES } from '../../../lab/strategies.ts';

/** Eight hundred kilobits per second, with an outage of three hundred milliseconds in each second. */
const TRACE = `${Array.from({ length: 70 }, (_, index) => index * 10).join('\n')}\n1000\n`;
const FILES = { media: new Map(), traces: new Map([['holes', TRACE]]) };

function cell(changes: Partial<Cell> & { readonly link: string }): Cell {
  const { link, ...others } = changes;
  return {
    strategy: 'none',
    parameters: {},
    source: { kind: 'synthetic', fps: 30, kbps: 900, keyInterval: 15, keyFrameRatio: 4, frames: 300 },
    forward: canonicalLink(link, 1, FILES.traces),
    back: canonicalLink('delay=20ms', 1),
    budgetMs: 150,
    warmUpSeconds: 1,
    release: 'deadline',
    seed: 1,
    ...others,
  };
}

describe('the limit of the capacity', () => {
  test.each(SIMULATED_STRATEGIES)('bounds %s', (strategy) => {
    const { row } = runCell(cell({ strategy, link: 'trace=holes delay=20ms queue=400ms' }), FILES);
    expect(row.limitMissRatio).toBeGreaterThan(0.05);
    expect(row.missAboveLimit).toBeGreaterThanOrEqual(0);
    expect(row.missAboveLimit).toBeCloseTo(row.missRatio - row.limitMissRatio!, 12);
    expect(row.goodputOfLimit).toBeLessThanOrEqual(1);
    // Sizes are given, so there is nothing to choose.
    expect(row.causalMissRatio).toBeNull();
  });

  test('is empty where the path does not limit the rate', () => {
    const { row } = runCell(cell({ link: 'loss=1% delay=20ms' }), FILES);
    expect([row.limitMissRatio, row.missAboveLimit, row.limitGoodput, row.goodputOfLimit]).toEqual(Array(4).fill(null));
  });
});
