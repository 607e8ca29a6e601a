import { describe, expect, test } from 'vitest';
import { Failure } from '../../io/os/failure.ts';
import type { SourceDescription } from '../../lab/cell-source.ts';
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

const SOURCE: SourceDescription = {
  kind: 'synthetic',
  fps: 30,
  kbps: 1_000,
  keyInterval: 30,
  keyFrameRatio: 4,
  frames: 300,
};

describe('a scenario that is wrong', () => {
  test('names the place in the file and what was expected there', () => {
    expect(mistake({ link: { forward: ['loss=1%', 'delay=5ms', 'los=2%'] } })).toMatch(
      /^q\.json: link\.forward\[2\]: 'los=2%': unknown word; expected one of loss/,
    );
    expect(mistake({ link: { forward: 'loss=2%', back: 'loss=200%' } })).toMatch(/link\.back: 'loss=200%': expected a share/);
    expect(mistake({ strategies: ['none', 'tcp'] })).toMatch(/strategies\[1\]: 'tcp': expected one of none, reorder/);
    expect(mistake({ strategies: [{ strategy: 'fec', redundancy: 2 }] })).toBe(
      'q.json: strategies[0].redundancy: expected a share from 0 to 1',
    );
    expect(mistake({ strategies: [{ strategy: 'fec', giveUpMs: 400 }] })).toBe(
      'q.json: strategies[0].giveUpMs: fec has no such parameter; it is one of TCP',
    );
    expect(mistake({ strategies: ['none', { strategy: 'tcp-kernel-bbr', redundancy: 0.5 }] })).toBe(
      'q.json: strategies[1].redundancy: tcp-kernel-bbr has no such parameter; it is one of UDP',
    );
    expect(mistake({ budgetsMs: [100, -1] })).toBe('q.json: budgetsMs[1]: expected milliseconds from 1 to 60000');
    expect(mistake({ source: { synthetic: { seconds: 0 } } })).toBe(
      'q.json: source.synthetic.seconds: expected seconds from 1 to 86400',
    );
    expect(mistake({ release: 'soon' })).toBe('q.json: release: expected "deadline" or "asap"');
  });

  test('is refused for a key that is not known, wherever it stands', () => {
    expect(mistake({ strategy: ['none'] })).toBe('q.json: strategy: unknown; is it misspelled?');
    expect(mistake({ source: { synthetic: { seconds: 5, kpbs: 5 } } })).toBe(
      'q.json: source.synthetic.kpbs: unknown; is it misspelled?',
    );
    expect(mistake({ output: { frame: true } })).toBe('q.json: output.frame: unknown; is it misspelled?');
    expect(mistake({ strategies: [{ strategy: 'fec', ratio: 1 }] })).toMatch(/strategies\[0\]\.ratio: unknown/);
  });

  test('says what is missing', () => {
    expect(mistake({ budgetsMs: undefined })).toMatch(/budgetsMs: is missing/);
    expect(mistake({ link: {} })).toMatch(/link\.forward: is missing/);
    expect(mistake({ source: { file: '' } })).toBe('q.json: source.file: expected the path of a video file');
  });

  test('has lists of links that go together, seeds or repeats, and a warm-up within the stream', () => {
    expect(mistake({ link: { forward: ['', '', ''], back: ['', ''] } })).toMatch(
      /link\.back: .* link\.forward has: 3, not 2/,
    );
    expect(mistake({ repeats: 3 })).toMatch(/repeats: expected "seeds" or "repeats", not both/);
    expect(mistake({ warmUpSeconds: 10 })).toMatch(/warmUpSeconds: expected less than the stream lasts, 10 s/);
    expect(mistake({ link: { forward: 'loss=1% seed=4' } })).toMatch(/link\.forward: 'loss=1% seed=4': .*"seeds"/);
  });

  test('is no scenario at all', () => {
    expect(() => parseScenario('{"name": ', 'q.json')).toThrow(/^q\.json is no JSON/);
    expect(() => parseScenario('[]', 'q.json')).toThrow(/^q\.json: the file/);
  });

  test('tells of a grid that is too large', () => {
    const scenario = parse({ seeds: undefined, repeats: 100_000, budgetsMs: [1, 2, 3, 4, 5, 6] });
    expect(() => expandGrid(scenario, [SOURCE])).toThrow(/2400000 cells, and 1000000 is the most/);
  });
});

describe('a grid', () => {
  const grid = expandGrid(parse({}), [SOURCE]);

  test('has a cell for each combination, and each its own name', () => {
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

  test('has names that depend on what is asked and not on how it is written', () => {
    const rewritten = expandGrid(
      parse({ link: { back: 'delay=20ms', forward: ['delay=20ms loss=0.01', 'delay=20000us, loss=2%'] } }),
      [SOURCE],
    );
    expect(rewritten.runId).toBe(grid.runId);
    expect(rewritten.cells.map(({ id }) => id)).toEqual(grid.cells.map(({ id }) => id));
    expect(expandGrid(parse({ warmUpSeconds: 1 }), [SOURCE]).runId).not.toBe(grid.runId);
  });

  test('takes equal members of a list once', () => {
    expect(expandGrid(parse({ budgetsMs: [100, 100], seeds: [1, 1] }), [SOURCE]).cells).toHaveLength(4);
  });

  test('can be narrowed to some strategies, whose cells keep their names', () => {
    const narrowed = expandGrid(withStrategies(parse({}), ['fec']), [SOURCE]);
    const ids = new Set(grid.cells.map(({ id }) => id));
    expect(narrowed.cells).toHaveLength(12);
    expect(narrowed.cells.every(({ id }) => ids.has(id))).toBe(true);
    expect(() => withStrategies(parse({}), ['nack'])).toThrow(/leaves none of the scenario's: none, fec/);
  });
});

describe('shards', () => {
  const grid = expandGrid(parse({ budgetsMs: [50, 100, 150, 200, 250] }), [SOURCE]);
  const ids = (cells: readonly GridCell[]) => cells.map(({ id }) => id);

  test.each([1, 2, 7, 16, 60, 100])('of %i are the grid, each cell once', (of) => {
    const shards = Array.from({ length: of }, (_, i) => shardOf(grid, { index: i + 1, of }));
    expect(shards.flatMap(ids).sort()).toEqual(ids(grid.cells).sort());
  });

  test('have about as much to do each', () => {
    // Thirty cells of cost 1 and thirty of 5 are 180: eight shards of 22 or 23.
    const loads = Array.from({ length: 8 }, (_, i) => {
      const shard = shardOf(grid, { index: i + 1, of: 8 });
      return shard.reduce((sum, { cell }) => sum + (cell.strategy === 'fec' ? 5 : 1), 0);
    });
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
  });
});
