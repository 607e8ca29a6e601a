import { expect, test } from 'vitest';
import type { ShownFilm } from '../../bench/path-quality.ts';
import { pathQualityTable } from '../../bench/path-quality-table.ts';

const shown = (budgetMs: number, stream: ShownFilm['stream'], ssimMean: number): ShownFilm => ({
  ...{ film: 'film.mp4', path: 'drive', budgetMs, stream, ssimMean },
  ...{ ssimP5: 0.5, missRatio: 0.1, goodput: 1e6 },
});

test('shows the sharpest constant rate of each budget beside the stream that follows', () => {
  const table = pathQualityTable([
    shown(150, { rate: 'adaptive' }, 0.9),
    shown(150, { kbps: 1_000 }, 0.8),
    shown(150, { kbps: 2_000 }, 0.7),
    shown(300, { rate: 'adaptive' }, 0.91),
    shown(300, { kbps: 1_000 }, 0.81),
    shown(300, { kbps: 2_000 }, 0.85),
  ]);
  const [, , following, constant] = table.split('\n');
  expect(following).toContain('**film.mp4, drive** | `adaptive` | **0.9000**, 0.500, 10.0 % | **0.9100**');
  expect(constant).toContain('best constant rate | 1.0 Mb/s: **0.8000**');
  expect(constant).toContain('2.0 Mb/s: **0.8500**');
});
