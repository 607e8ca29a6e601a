import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ask, openQuestion } from '../../../lab/ask/ask.ts';
import { readQuestion } from '../../../lab/ask/question.ts';

const root = mkdtempSync(join(tmpdir(), 'dropframe-ask-paths-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('an answer over two paths names both', async () => {
  const words = ['rtt=40', 'second=delay=35ms', 'budget=200', 'kbps=300', 'seconds=6'];
  const question = await openQuestion(readQuestion('paths-split', words), {
    until: 0.05,
    seedsMax: 12,
    out: join(root, 'out'),
    warn: () => {},
  });
  const { signal } = new AbortController();
  const progress = { onProgress: () => {}, onLook: () => {} };
  const answer = await ask(question, { jobs: 0, fresh: false, signal, version: 'test', ...progress });
  expect(answer!.cells.map(({ path }) => path)).toEqual(['delay=20ms ∥delay=35ms']);
});
