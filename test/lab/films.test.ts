import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { runScenario } from '../../lab/run-scenario.ts';
import { MEDIA } from '../io/sources/media.ts';
import { optional } from '../optional.ts';

/** Real films on many links, in which `hybrid` once showed less than others. No part of this repository; hours of work. */
const FILMS = join(MEDIA, '../faults/lab/films-and-presets.json');

optional('../shared/faults', existsSync(FILMS))(
  'shows as much of a film as the best of the others, on links without a bottleneck',
  async () => {
    const whole = JSON.parse(readFileSync(FILMS, 'utf8'));
    const forward = ['preset=wifi-lossy', 'loss=1% jitter=30ms delay=40ms'];
    expect(whole.link.forward).toEqual(expect.arrayContaining(forward));
    const part = { ...whole, source: [whole.source[0]], link: { forward }, budgetsMs: [150, 300], repeats: 1 };
    const { rows } = await runScenario(
      { ...part, strategies: ['none', 'nack', 'fec', 'hybrid'] },
      { folder: dirname(FILMS) },
    );
    expect(rows).toHaveLength(16);
    for (const own of rows.filter(({ strategy }) => strategy === 'hybrid')) {
      const others = rows.filter((row) => row.forward === own.forward && row.budgetMs === own.budgetMs);
      const best = Math.max(...others.map(({ framesInTime }) => framesInTime));
      expect(own.framesInTime, `${own.forward}, ${own.budgetMs} ms`).toBeGreaterThanOrEqual(0.99 * best);
    }
  },
);
