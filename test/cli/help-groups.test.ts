import { expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';

const program = await createProgram();
const helpOf = (...path: readonly string[]) =>
  path.reduce((command, name) => command.commands.find((each) => each.name() === name)!, program).helpInformation();

test('commands are listed in groups', () => {
  const help = helpOf();
  const [streams, networks, machine] = ['Streams:', 'Networks and experiments:', 'Machine and shell:'].map((one) =>
    help.indexOf(one),
  );
  expect([streams! < help.indexOf('  receive '), help.indexOf('  receive ') < networks!]).toEqual([true, true]);
  expect([networks! < help.indexOf('  lab '), help.indexOf('  lab ') < machine!]).toEqual([true, true]);
  expect(machine).toBeLessThan(help.indexOf('  completion '));
  expect(machine).toBeLessThan(help.indexOf('  help '));
  expect(help).not.toContain('Commands:');
});

test.each([['send'], ['receive'], ['demo'], ['link'], ['lab run'], ['lab sweep']])(
  '`dropframe %s --help` has no option outside a group, and ends with reports and help',
  (path) => {
    const help = helpOf(...path.split(' '));
    expect(help).not.toContain('\nOptions:');
    expect(help.indexOf('Reports and help:')).toBeGreaterThan(0);
    expect(help.indexOf('--help ')).toBeGreaterThan(help.indexOf('Reports and help:'));
  },
);

test.each(['send', 'receive'])('all examples of `%s` stand under their heading', (name) => {
  const lines = textAfterHelp(name).split('\n');
  const examples = lines.flatMap((line, at) => (/^ {2}.*dropframe /.test(line) ? [at] : []));
  const heading = lines.indexOf('Examples:');
  expect(examples.length).toBeGreaterThan(5);
  expect(examples).toEqual(examples.map((_, index) => heading + 1 + index));
});

function textAfterHelp(name: string): string {
  const command = program.commands.find((each) => each.name() === name)!;
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => void parts.push(part) });
  command.outputHelp();
  const text = parts.join('');
  return text.slice(text.indexOf('Examples:'));
}
