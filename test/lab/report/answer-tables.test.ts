import { expect, test } from 'vitest';
import { answerTables } from '../../../lab/report/answer-tables.ts';
import { frame, row } from './made-up-tables.ts';

const SPEC = {
  name: 'frontier',
  question: 'What is it?',
  links: [{ forward: 'loss=2% delay=20ms', back: '' }],
  budgetsMs: [60, 150],
  seeds: [1, 2, 3, 4],
  warmUpSeconds: 2,
  release: 'asap',
  more: 'than is needed',
};
const answer = (spec: unknown, given: { frames?: number } = {}) => ({
  manifest: { runId: 'abc', spec, env: { node: 'v20', code: 'def' } },
  rows: [row({ cell: 'one', frames: given.frames ?? 3 }), row({ cell: 'two', parameters: 'redundancy=1' })],
  frames: async (cell: string) =>
    cell === 'one' ? Array.from({ length: 5 }, (_, number) => frame(number)) : undefined,
});

test('the scenario comes from the manifest without the versions of the machine, sources and strategies from the rows', () => {
  const { scenario, name, versions, runId } = answerTables(answer(SPEC), ['dropframe lab run frontier.json']);
  expect({ name, versions, runId }).toEqual({ name: 'frontier', versions: { code: 'def' }, runId: 'abc' });
  expect(Object.fromEntries(scenario)).toEqual({
    sources: ['synthetic 4000kbps 30fps key=30'],
    'links forward ⇄ back': ['loss=2% delay=20ms ⇄ clean'],
    strategies: ['nack', 'nack redundancy=1'],
    budgets: ['60 ms, 150 ms'],
    seeds: ['1 … 4'],
    'warm-up': ['2 s'],
    release: ['asap'],
    'end hosts': ['ideal'],
  });
});

test('warm-up frames are removed, and unrecorded frames are undefined', async () => {
  const { frames } = answerTables(answer(SPEC), []);
  expect((await frames('one'))?.map(({ frame: number }) => number)).toEqual([2, 3, 4]);
  expect(await frames('two')).toBeUndefined();
});

test('a cell without counted frames has none', async () => {
  expect(await answerTables(answer(SPEC, { frames: 0 }), []).frames('one')).toEqual([]);
});

test('a manifest without a valid question is reported as damaged', () => {
  expect(() => answerTables(answer({ ...SPEC, question: 7 }), [])).toThrow(
    /manifest\.json is damaged \(spec\.question/,
  );
});
