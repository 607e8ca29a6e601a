import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandTree } from '../../cli/command-tree.ts';
import { manualPage } from '../../cli/manual-page.ts';
import { createProgram } from '../../cli/program.ts';
import { optional } from '../optional.ts';

const program = await createProgram();
const page = manualPage(program, '1.2.3');
const tree = commandTree(program);
const escaped = (text: string) => text.replaceAll('-', '\\-');

/** Part of the page about a command. */
function sectionOf(path: readonly string[]): string {
  const begin = page.indexOf(`.SS dropframe ${path.join(' ')}\n`);
  expect(begin, path.join(' ')).toBeGreaterThan(0);
  return page.slice(begin, page.indexOf('\n.S', begin + 1));
}

test('has every command, and in its section every option and argument', () => {
  expect(tree.length).toBeGreaterThan(10);
  for (const { path, options, arguments: args } of tree.slice(1)) {
    const section = sectionOf(path);
    for (const { flags } of options) expect(section).toContain(`\n.B ${escaped(flags)}\n`);
    for (const { term } of args) expect(section).toContain(`\n.B <${escaped(term)}>\n`);
  }
  expect(tree.flatMap(({ options }) => options).length).toBeGreaterThan(80);
});

test('has the choices, the defaults and the examples of --help', () => {
  const receive = sectionOf(['receive']);
  expect(receive).toContain('(choices: "auto", "udp", "tcp", default: "auto")');
  expect(receive).toContain('\n  dropframe receive rtp://127.0.0.1:5004 \\-\\-output camera.mp4\n');
});

test('begins no line with an unintended roff request', () => {
  const requests = page.split('\n').filter((line) => /^[.']/.test(line));
  expect(new Set(requests.map((line) => line.split(' ')[0]))).toEqual(
    new Set(['.TH', '.nh', '.ad', '.SH', '.SS', '.PP', '.TP', '.B', '.I', '.br', '.nf', '.fi']),
  );
});

optional('groff', spawnSync('groff', ['--version']).status === 0)('is formatted without a warning', () => {
  const { status, stdout, stderr } = spawnSync('groff', ['-man', '-Kutf8', '-Tutf8', '-ww', '-P-cbou'], {
    input: page,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('--no-open-browser');
});
