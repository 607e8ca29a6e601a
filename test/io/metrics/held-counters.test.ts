import { expect, test } from 'vitest';
import { HeldCounters } from '../../../io/metrics/held-counters.ts';
import { byLabel, counter, gauge, writeMetrics } from '../../../io/metrics/metric-family.ts';

test('a counter never falls, whatever moves to another class, and a gauge does', () => {
  const held = new HeldCounters();
  const write = (lost: number, late: number) =>
    writeMetrics(held.hold([counter('frames_total', 'F.', byLabel('class', { lost, late })), gauge('lag', 'L.', lost)]))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  expect(write(3, 0)).toEqual(['frames_total{class="lost"} 3', 'frames_total{class="late"} 0', 'lag 3']);
  expect(write(2, 1)).toEqual(['frames_total{class="lost"} 3', 'frames_total{class="late"} 1', 'lag 2']);
  expect(write(4, 1)).toEqual(['frames_total{class="lost"} 4', 'frames_total{class="late"} 1', 'lag 4']);
});
