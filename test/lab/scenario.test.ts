import { describe, expect, test } from 'vitest';
import { Failure } from '../../io/os/failure.ts';
import type { CellSource } from '../../lab/cell-source.ts';
import { expandGrid, type GridCell, shardOf, withStrategies } from '../../lab/grid.ts';
import { parseScenario } from '../../lab/scenario.ts';

const SCENARIO = {
  name: 'a-question',
  question: 'What does loss cost?',
  source: { synthetic: { kbps: 1000, seconds: 10 } },
  link: { forward: ['loss=1% delay=20ms', 'loss=2% delay=20ms'], back: 'delay=20ms' },
  strategies: ['none', { strategy: 'fec', redundancy: 0.5 }],
  budgetsMs: [100, 200],
  seeds: [1, 2, 3],
};

const parse = (changes: object) => parseScenario(JSON.stringify({ ...SCENARIO, ...changes }), 'q.json');
const mistake = (changes: object): string => {
  try {
    parse(changes);
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).exitCode).toBe(2);
    return (error as Failure).message;
  }
  throw new Error('it was accepted');
};

const SOURCE: CellSource = {
  kind: 'synthetic',
  fps: 30,
  kbps: 1_000,
  keyInterval: 30,
  keyFrameRatio: 4,
  frames: 300,
};

describe('an invalid scenario', () => {
  test('is rejected with the place in the file and the expected value', () => {
    expect(mistake({ link: { forward: ['loss=1%', 'delay=5ms', 'los=2%'] } })).toMatch(
      /^q\.json: link\.forward\[2\]: 'los=2%': unknown word; did you mean "loss"/,
    );
    expect(mistake({ link: { forward: 'loss=2%', back: 'loss=200%' } })).toMatch(
      /link\.back: 'loss=200%': expected a share/,
    );
    expect(mistake({ strategies: ['none', 'tcp'] })).toMatch(
      /strategies\[1\]: 'tcp': unknown; expected one of none, reorder/,
    );
    expect(mistake({ strategies: [{ strategy: 'fec', redundancy: 2 }] })).toBe(
      'q.json: strategies[0].redundancy: expected a fraction from 0 to 1',
    );
    expect(mistake({ strategies: [{ strategy: 'fec', giveUpMs: 400 }] })).toBe(
      'q.json: strategies[0].giveUpMs: not a parameter of fec, but of TCP strategies',
    );
    expect(mistake({ strategies: ['none', { strategy: 'tcp-kernel-bbr', redundancy: 0.5 }] })).toBe(
      'q.json: strategies[1].redundancy: not a parameter of tcp-kernel-bbr, but of UDP strategies',
    );
    expect(mistake({ strategies: [{ strategy: 'nack', blockFrames: 2 }] })).toBe(
      'q.json: strategies[0].blockFrames: not a parameter of nack, but of rs-block',
    );
    expect(mistake({ strategies: [{ strategy: 'duplicate', redundancy: 0.5 }] })).toBe(
      'q.json: strategies[0].redundancy: not a parameter of duplicate, but of UDP strategies',
    );
    expect(mistake({ strategies: [{ strategy: 'flexfec', parity: 'diagonals' }] })).toBe(
      'q.json: strategies[0].parity: expected "rows", "columns" or "both"',
    );
    expect(mistake({ budgetsMs: [100, -1] })).toBe('q.json: budgetsMs[1]: expected milliseconds from 1 to 60000');
    expect(mistake({ source: { adaptive: { seconds: 5, kbpsMin: 900, kbpsMax: 300 } } })).toBe(
      'q.json: source.adaptive.kbpsMin: expected at most kbpsMax',
    );
    expect(mistake({ source: { synthetic: { seconds: 0 } } })).toBe(
      'q.json: source.synthetic.seconds: expected seconds from 1 to 86400',
    );
    expect(mistake({ release: 'soon' })).toBe('q.json: release: expected "deadline" or "asap"');
    expect(mistake({ host: 'linus-6.18' })).toBe('q.json: host: \'linus-6.18\': unknown; did you mean "linux-6.18"?');
  });

  test('is rejected for unknown keys at any level', () => {
    expect(mistake({ strategy: ['none'] })).toBe('q.json: strategy: unknown; did you mean "strategies"?');
    expect(mistake({ source: { synthetic: { seconds: 5, kpbs: 5 } } })).toBe(
      'q.json: source.synthetic.kpbs: unknown; did you mean "kbps"?',
    );
    expect(mistake({ output: { frame: true } })).toBe('q.json: output.frame: unknown; did you mean "frames"?');
    expect(mistake({ strategies: [{ strategy: 'fec', ratio: 1 }] })).toMatch(/strategies\[0\]\.ratio: unknown/);
  });

  test('is rejected with every mistake on a line of its own, unknown keys first', () => {
    const changes = {
      budgetsMs: undefined,
      budgetMs: [100],
      repeats: 0,
      warmUpSeconds: -1,
      release: 'soon',
      strategies: ['hybird', { strategy: 'fec', redundency: 0.5 }],
      link: { forward: 'los=1%', backward: '' },
    };
    expect(mistake(changes).split('\n')).toEqual([
      'q.json: 9 mistakes:',
      '  link.backward: unknown; expected one of forward, back, second',
      '  strategies[1].redundency: unknown; did you mean "redundancy"?',
      '  budgetMs: unknown; did you mean "budgetsMs"?',
      '  link.forward: \'los=1%\': unknown word; did you mean "loss"?',
      '  strategies[0]: \'hybird\': unknown; did you mean "hybrid"?',
      expect.stringMatching(/^ {2}budgetsMs: is missing/),
      expect.stringMatching(/^ {2}repeats: /),
      expect.stringMatching(/^ {2}warmUpSeconds: /),
      '  release: expected "deadline" or "asap"',
    ]);
  });

  test('is rejected with the list of keys when none is similar', () => {
    expect(mistake({ link: { forward: 'loss=1%', xyz: 1 } })).toBe(
      'q.json: link.xyz: unknown; expected one of forward, back, second',
    );
  });

  test('is rejected with the missing keys', () => {
    expect(mistake({ budgetsMs: undefined })).toMatch(/budgetsMs: is missing/);
    expect(mistake({ link: {} })).toMatch(/link\.forward: is missing/);
    expect(mistake({ source: { file: '' } })).toBe('q.json: source.file: expected the path of a video file');
  });

  test('is rejected for mismatched link lists, seeds with repeats, or a warm-up longer than the stream', () => {
    expect(mistake({ link: { forward: ['', '', ''], back: ['', ''] } })).toMatch(
      /link\.back: .* 3 as in link\.forward; found 2/,
    );
    expect(mistake({ repeats: 3 })).toMatch(/repeats: expected "seeds" or "repeats", not both/);
    expect(mistake({ warmUpSeconds: 10 })).toMatch(/warmUpSeconds: expected less than the stream's duration, 10 s/);
    expect(mistake({ link: { forward: 'loss=1% seed=4' } })).toMatch(/link\.forward: 'loss=1% seed=4': .*"seeds"/);
  });

  test('is rejected for two paths that do not fit the strategies, the flows or each other', () => {
    const link = { forward: ['delay=20ms', 'delay=30ms'] };
    const second = { forward: 'delay=40ms' };
    expect(mistake({ link, strategies: ['nack', 'paths-coded'] })).toBe(
      'q.json: strategies[1]: paths-coded runs over two paths; give the other one as link.second',
    );
    expect(mistake({ link: { ...link, second }, strategies: ['udp-kernel-nack'] })).toBe(
      'q.json: strategies[0]: udp-kernel-nack is measured over one path; leave out link.second',
    );
    expect(mistake({ link: { ...link, second }, flows: [{ strategy: 'tcp-bbr' }], strategies: undefined })).toBe(
      'q.json: link.second: flows share one path; leave out "flows" or "second"',
    );
    expect(mistake({ link: { ...link, second: { forward: ['a', 'b', 'c'].map(() => 'delay=1ms') } } })).toMatch(
      /link\.second\.forward: expected one line, or 2 as in link\.forward; found 3/,
    );
    expect(mistake({ link: { ...link, second: { forward: 'delay=40' } } })).toMatch(
      /^q\.json: link\.second\.forward: /,
    );
    expect(mistake({ link: { ...link, second: { back: 'delay=40ms' } } })).toMatch(
      /^q\.json: link\.second\.forward: is missing/,
    );
    expect(mistake({ link: { ...link, secnd: second } })).toBe('q.json: link.secnd: unknown; did you mean "second"?');
    expect(mistake({ strategies: [{ strategy: 'nack', pathRepair: 0.5 }] })).toBe(
      'q.json: strategies[0].pathRepair: not a parameter of nack, but of paths-coded',
    );
    expect(mistake({ link: { ...link, second }, strategies: [{ strategy: 'paths-split', firstShare: 1 }] })).toBe(
      'q.json: strategies[0].firstShare: expected a share from 0.05 to 0.95',
    );
  });

  test('is rejected when it is not JSON or not an object', () => {
    expect(() => parseScenario('{"name": ', 'q.json')).toThrow(/^q\.json is not JSON/);
    expect(() => parseScenario('[]', 'q.json')).toThrow(/^q\.json: the file/);
  });

  test('is rejected for a grid that is too large', () => {
    const scenario = parse({ seeds: undefined, repeats: 100_000, budgetsMs: [1, 2, 3, 4, 5, 6] });
    expect(() => expandGrid(scenario, [SOURCE])).toThrow(/2400000 cells, but at most 1000000 are allowed/);
  });
});

describe('a grid', () => {
  const grid = expandGrid(parse({}), [SOURCE]);

  test('has one cell per combination, with unique ids', () => {
    expect(grid.cells).toHaveLength(2 * 2 * 2 * 3);
    expect(new Set(grid.cells.map(({ id }) => id)).size).toBe(24);
    expect(grid.cells[0]?.cell).toMatchObject({
      strategy: 'none',
      forward: 'loss=1% delay=20ms seed=1',
      back: 'delay=20ms seed=1',
      budgetMs: 100,
      seed: 1,
    });
  });

  test('has ids that depend on the meaning of the scenario, not on its notation', () => {
    const rewritten = expandGrid(
      parse({ link: { back: 'delay=20ms', forward: ['delay=20ms loss=0.01', 'delay=20000us, loss=2%'] } }),
      [SOURCE],
    );
    expect(rewritten.runId).toBe(grid.runId);
    expect(rewritten.cells.map(({ id }) => id)).toEqual(grid.cells.map(({ id }) => id));
    expect(expandGrid(parse({ warmUpSeconds: 1 }), [SOURCE]).runId).not.toBe(grid.runId);
  });

  test('ignores duplicates in lists', () => {
    expect(expandGrid(parse({ budgetsMs: [100, 100], seeds: [1, 1] }), [SOURCE]).cells).toHaveLength(4);
  });

  test('has the end hosts in its simulated cells, and the ids of before on ideal ones', () => {
    expect(expandGrid(parse({ host: 'ideal' }), [SOURCE]).runId).toBe(grid.runId);
    const hosted = expandGrid(parse({ host: 'linux-6.18', strategies: ['nack', 'udp-kernel-nack'] }), [SOURCE]);
    const hosts = new Set(hosted.cells.map(({ cell: { strategy, host } }) => `${strategy} ${host}`));
    expect(hosts).toEqual(new Set(['nack linux-6.18', 'udp-kernel-nack undefined']));
    const shared = parse({ host: 'linux-6.18', flows: [{ strategy: 'tcp-cubic' }] });
    expect(() => expandGrid(shared, [SOURCE])).toThrow(
      "host: 'linux-6.18': flows that share a link run on ideal hosts",
    );
  });

  test('has the second path in its cells, with losses of its own, and the ids of before without one', () => {
    const second = { forward: 'loss=1% delay=40ms', back: ['delay=40ms', 'delay=50ms'] };
    const { cells } = expandGrid(parse({ link: { ...SCENARIO.link, second } }), [SOURCE]);
    const [first] = cells;
    expect(first!.cell.second).toEqual({
      forward: 'loss=1% delay=40ms seed=2147483649',
      back: 'delay=40ms seed=2147483649',
    });
    expect(cells.at(-1)!.cell.second!.back).toBe('delay=50ms seed=2147483651');
    const before = expandGrid(parse({}), [SOURCE]).cells;
    expect(before.some(({ cell }) => 'second' in cell)).toBe(false);
    expect(before.map(({ id }) => id)).not.toContain(first!.id);
  });

  test('can be restricted to some strategies, whose cells keep their ids', () => {
    const narrowed = expandGrid(withStrategies(parse({}), ['fec']), [SOURCE]);
    const ids = new Set(grid.cells.map(({ id }) => id));
    expect(narrowed.cells).toHaveLength(12);
    expect(narrowed.cells.every(({ id }) => ids.has(id))).toBe(true);
    expect(() => withStrategies(parse({}), ['nack'])).toThrow(/matches none of the scenario's strategies: none, fec/);
  });
});

describe('shards', () => {
  const grid = expandGrid(parse({ budgetsMs: [50, 100, 150, 200, 250] }), [SOURCE]);
  const ids = (cells: readonly GridCell[]) => cells.map(({ id }) => id);

  test.each([1, 2, 7, 16, 60, 100])('of %i contain each cell of the grid once', (of) => {
    const shards = Array.from({ length: of }, (_, i) => shardOf(grid, { index: i + 1, of }));
    expect(shards.flatMap(ids).sort()).toEqual(ids(grid.cells).sort());
  });

  test('have about equal work', () => {
    // 30 cells of cost 1 and 30 of cost 5 sum to 180: eight shards of 22 or 23.
    const loads = Array.from({ length: 8 }, (_, i) => {
      const shard = shardOf(grid, { index: i + 1, of: 8 });
      return shard.reduce((sum, { cell }) => sum + (cell.strategy === 'fec' ? 5 : 1), 0);
    });
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
  });
});
