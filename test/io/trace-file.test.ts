import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLink } from '../../cli/options.ts';
import { readTraceFile } from '../../io/trace-file.ts';
import { formatLinkSpecification } from '../../sim/link/link-format.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dropframe-trace-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('reads the capacity and loss traces that a link names', () => {
  const [capacity, losses] = [join(folder, 'a cell.down'), join(folder, 'run.bits')];
  writeFileSync(capacity, '1\n2\n4\n');
  writeFileSync(losses, '[0, 1, 1, 0]');
  const link = readLink(`trace="${capacity}" losstrace=${losses}`);
  expect([...link.capacity!.opportunities]).toEqual([1, 2, 4]);
  expect(link.lossModel).toMatchObject({ kind: 'bitmap', bitmap: { lost: Uint8Array.of(0, 1, 1, 0) } });
  const form = formatLinkSpecification(link);
  expect(formatLinkSpecification(readLink(form))).toBe(form);
  writeFileSync(capacity, '1\n2\n5\n');
  expect(() => readLink(form)).toThrow(/the content of .* has changed/);
});

test.each([
  ['missing', 'cannot read missing: there is no such file or directory'],
  ['.', '. is not a file'],
])('rejects %s with the cause', (path, message) => {
  expect(readTraceFile(path)).toEqual({ ok: false, malformed: message });
});
