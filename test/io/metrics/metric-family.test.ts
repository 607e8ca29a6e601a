import { expect, test } from 'vitest';
import { byLabel, counter, gauge, writeMetrics } from '../../../io/metrics/metric-family.ts';
import { processMetrics } from '../../../io/metrics/process-metrics.ts';
import { parseExposition } from './exposition.ts';

test('writes HELP, TYPE and a line for each value', () => {
  const text = writeMetrics([
    counter('frames_total', 'Frames.', byLabel('class', { onTime: 3, late: 0 }, { stream: 'pictures' })),
    gauge('delay_seconds', 'Delay.', 0.25),
  ]);
  expect(text).toBe(
    '# HELP frames_total Frames.\n# TYPE frames_total counter\n' +
      'frames_total{stream="pictures",class="on_time"} 3\nframes_total{stream="pictures",class="late"} 0\n' +
      '# HELP delay_seconds Delay.\n# TYPE delay_seconds gauge\ndelay_seconds 0.25\n',
  );
});

test('joins families of one name and leaves out those without a known value', () => {
  const text = writeMetrics([
    gauge('clients', 'Clients.', [[{ side: 'a' }, 1]]),
    gauge('delay_seconds', 'Delay.', null),
    gauge('loss_ratio', 'Loss.', [[{ side: 'a' }, undefined]]),
    gauge('clients', 'Clients.', [[{ side: 'b' }, 2]]),
  ]);
  expect([...parseExposition(text).samples]).toEqual([
    ['clients{side="a"}', 1],
    ['clients{side="b"}', 2],
  ]);
});

test('escapes what would end a label or a line', () => {
  const text = writeMetrics([gauge('x', 'A \\ and\na line.', [[{ name: 'a"b\\c\nd' }, Number.POSITIVE_INFINITY]])]);
  expect(text).toContain('# HELP x A \\\\ and\\na line.\n');
  expect(text).toContain('x{name="a\\"b\\\\c\\nd"} Inf\n');
  expect(parseExposition(text).samples.size).toBe(1);
});

test('writes small and large numbers in a form that Prometheus parses', () => {
  const values = [1e-7, 1e21, 0, -1.5, Number.NaN];
  const text = writeMetrics(values.map((value, index) => gauge(`x${index}`, 'Value.', value)));
  expect([...parseExposition(text).samples.values()]).toEqual(values);
});

test('the parser of these tests refuses what Prometheus refuses', () => {
  const broken = [
    'x 1\n',
    '# TYPE x gauge\nx 1\n',
    '# HELP x Help.\n# TYPE x gauge\ny 1\n',
    '# HELP x Help.\n# TYPE x gauge\nx 1\nx 2\n',
    '# HELP x Help.\n# TYPE x gauge\nx{a="b" 1\n',
    '# HELP x Help.\n# TYPE x gauge\nx{a="b",a="c"} 1\n',
    '# HELP x Help.\n# TYPE x counter\nx 1\n',
    '# HELP x_total Help.\n# TYPE x_total gauge\nx_total 1\n',
    '# HELP x_ms Help.\n# TYPE x_ms gauge\nx_ms 1\n',
    '# HELP x Help.\n# TYPE x gauge\nx 1',
  ];
  for (const text of broken) expect(() => parseExposition(text), text).toThrow();
});

test('figures of the process grow with it', () => {
  const { samples } = parseExposition(writeMetrics(processMetrics('1.2.3')));
  expect(samples.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  expect(samples.get('process_start_time_seconds')).toBeLessThan(Date.now() / 1_000);
  expect([...samples.keys()]).toContain(`dropframe_build_info{version="1.2.3",node="${process.versions.node}"}`);
});
