import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NOT_RUN, ROWS } from '../../bench/interop/rows.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/INTEROP.md'), 'utf8');
const table = page.slice(page.indexOf('<!-- begin: npm run bench:interop -->'), page.indexOf('<!-- end -->'));

test('the table of other programs has every row of the script that makes it, with its result', () => {
  const cells = table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => line.split(' | '));
  expect(cells).toHaveLength(ROWS.length + NOT_RUN.length);
  for (const [index, { program, direction, protocol, recovery, codec }] of [...ROWS, ...NOT_RUN].entries()) {
    const [, version = '', ...others] = cells[index]!;
    expect(version.startsWith(`${program} `)).toBe(true);
    expect(others.slice(0, 4)).toEqual([direction, protocol, recovery, codec]);
    expect(others[4]!.length).toBeGreaterThan(5);
    expect(others[5]).toMatch(/^\d{4}-\d\d-\d\d, [0-9a-f]{7,}, \d+ \|$/);
  }
});

test('the table has the lines that were run', () => {
  for (const { steps } of ROWS) for (const { command } of steps) expect(table).toContain(`\n${command}\n`);
});
