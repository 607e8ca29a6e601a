import { describe, expect, test } from 'vitest';
import { expandGrid } from '../../../lab/grid.ts';
import { runScenario } from '../../../lab/run-scenario.ts';
import { parseScenario } from '../../../lab/scenario.ts';

const BASE = {
  name: 'shared',
  question: 'Who gets what?',
  source: { synthetic: { fps: 30, kbps: 800, seconds: 4 } },
  link: { forward: 'rate=4mbit delay=20ms queue=100ms', back: 'delay=20ms' },
  budgetsMs: 200,
};
const SOURCE = { kind: 'synthetic', fps: 30, kbps: 800, keyInterval: 30, keyFrameRatio: 4, frames: 120 } as const;

const cellsOf = (scenario: object) => expandGrid(parseScenario(JSON.stringify(scenario), 'x.json'), [SOURCE]).cells;

describe('flows of a scenario', () => {
  test('alone make one cell', () => {
    const cells = cellsOf({
      ...BASE,
      flows: [{ strategy: 'hybrid' }, { strategy: 'tcp-cubic', start: '1s', stop: '3s' }],
    });
    expect(cells).toHaveLength(1);
    expect(cells[0]!.cell).toMatchObject({
      strategy: 'hybrid',
      flows: [
        { name: 'hybrid', load: { kind: 'media', strategy: 'hybrid' }, startMs: 0 },
        { name: 'tcp-cubic', load: { kind: 'download', strategy: 'tcp-cubic' }, startMs: 1_000, stopMs: 3_000 },
      ],
    });
  });

  test('run with each strategy in turn, list by list', () => {
    const flows = [[{ strategy: 'tcp-cubic' }], [{ strategy: 'tcp-bbr' }, { strategy: 'tcp-bbr' }]];
    const cells = cellsOf({ ...BASE, strategies: ['none', 'hybrid'], flows });
    expect(cells.map(({ cell }) => cell.flows!.map(({ name }) => name))).toEqual([
      ['none', 'tcp-cubic'],
      ['none', 'tcp-bbr-1', 'tcp-bbr-2'],
      ['hybrid', 'tcp-cubic'],
      ['hybrid', 'tcp-bbr-1', 'tcp-bbr-2'],
    ]);
  });

  test('keep the parameters of their kind', () => {
    const [cell] = cellsOf({
      ...BASE,
      flows: [
        { strategy: 'hybrid', redundancy: 0.2, access: 'delay=5ms', direction: 'back' },
        { strategy: 'constant', kbps: 300, name: 'voice' },
        { strategy: 'tcp-reno', transferBytes: [1_000, 2_000], pauseSeconds: 2 },
        { strategy: 'tcp-cubic', traffic: 'media', giveUpMs: 500 },
      ],
    });
    expect(cell!.cell.flows).toMatchObject([
      { load: { parameters: { redundancy: 0.2 } }, access: 'delay=5ms seed=1', direction: 'back' },
      { name: 'voice', load: { kind: 'constant', kbps: 300, packetBytes: 1_200 } },
      { load: { kind: 'download', transferBytes: [1_000, 2_000], pauseMs: 2_000 } },
      { load: { kind: 'media', strategy: 'tcp-cubic', parameters: { giveUpMs: 500 } } },
    ]);
  });
});

describe('a mistake in a flow is named with its place', () => {
  const mistake = (changes: object): string => {
    try {
      parseScenario(JSON.stringify({ ...BASE, ...changes }), 'x.json');
    } catch (error) {
      return (error as Error).message;
    }
    return 'none';
  };
  test.each([
    [{}, 'x.json: strategies: is missing: expected a list of strategies'],
    [{ flows: [] }, 'flows: expected at least one flow'],
    [{ flows: [{ strategy: 'tcp-cubik' }] }, `flows[0].strategy: 'tcp-cubik': unknown; did you mean "tcp-cubic"?`],
    [
      { flows: [{ strategy: 'hybrid', start: '10' }] },
      `flows[0].start: '10': expected a time with its unit, such as "10s"`,
    ],
    [{ flows: [{ strategy: 'hybrid', start: '5s', stop: '5s' }] }, 'flows[0].stop: expected a time after start'],
    [{ flows: [{ strategy: 'constant' }] }, 'flows[0].kbps: is missing: expected a rate'],
    [
      { flows: [{ strategy: 'hybrid', kbps: 100 }] },
      'flows[0].kbps: not a parameter of hybrid, but of a constant flow',
    ],
    [
      { flows: [{ strategy: 'hybrid', traffic: 'media' }] },
      'flows[0].traffic: not a parameter of hybrid, but of TCP strategies',
    ],
    [
      { flows: [{ strategy: 'tcp-cubic', redundancy: 0.1 }] },
      'flows[0].redundancy: not a parameter of this tcp-cubic flow',
    ],
    [{ flows: [{ strategy: 'tcp-cubic', pauseSeconds: 1 }] }, 'flows[0].pauseSeconds: requires transferBytes'],
    [{ flows: [{ strategy: 'tcp-cubic', strat: '1s' }] }, 'flows[0].strat: unknown; did you mean "start"?'],
    [
      { flows: [{ strategy: 'hybrid', access: 'delai=1ms' }] },
      `flows[0].access: 'delai=1ms': unknown word; did you mean "delay"?`,
    ],
    [
      { flows: [[{ strategy: 'hybrid' }], [{ strategy: 'hybrid', stop: 4 }]] },
      'flows[1][0].stop: expected a time with its unit, such as "10s"',
    ],
    [
      { strategies: ['tcp-kernel-cubic'], flows: [{ strategy: 'hybrid' }] },
      'strategies[0]: tcp-kernel-cubic runs in real time, where a link has no flows',
    ],
    [
      { flows: [{ strategy: 'hybrid' }], output: { frames: true } },
      'output.frames: a cell with flows has summary.csv and flows.csv only',
    ],
  ])('%j', (changes, message) => {
    expect(mistake(changes)).toContain(message);
  });
});

test('a scenario with flows has a row for each, with its share', async () => {
  const { rows } = await runScenario({
    ...BASE,
    strategies: ['nack'],
    flows: [{ strategy: 'tcp-cubic' }, { strategy: 'constant', kbps: 400 }],
    warmUpSeconds: 1,
  });
  expect(rows.map(({ flow, strategy, frames }) => [flow, strategy, frames])).toEqual([
    ['nack', 'nack', 90],
    ['tcp-cubic', 'tcp-cubic', 0],
    ['constant', 'constant', 0],
  ]);
  const shares = rows.map(({ capacityShare }) => capacityShare!);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThan(0.9);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1.001);
  expect(new Set(rows.map(({ cell }) => cell)).size).toBe(1);
});
