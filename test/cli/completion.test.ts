import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandTree } from '../../cli/command-tree.ts';
import { completionScript } from '../../cli/completion.ts';
import { createProgram } from '../../cli/program.ts';
import { SHELLS, type Shell } from '../../cli/shells.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';

const program = await createProgram();
const runs = (shell: Shell) => spawnSync(shell, ['-c', 'exit 7']).status === 7;

function scriptFile(shell: Shell): string {
  const file = join(temporaryFolder(), shell);
  writeFileSync(file, completionScript(program, shell));
  return file;
}

/** Asks bash for the completions of the last word, without a terminal; files are left to readline. */
function bashCompletes(...words: readonly string[]): readonly string[] {
  const script = `
source "$1"; shift
compopt() { echo "(files)"; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dropframe
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['-c', script, 'bash', scriptFile('bash'), 'dropframe', ...words], {
    encoding: 'utf8',
  });
  return output.split('\n').filter((line) => line !== '');
}

test.runIf(runs('bash')).each([
  { words: [''], found: ['send', 'receive', 'demo', 'link', 'lab', 'doctor', 'completion'] },
  { words: ['lab', 're'], found: ['report'] },
  { words: ['receive', '--transp'], found: ['--transport'] },
  { words: ['receive', '--recovery', ''], found: ['none', 'reorder', 'nack', 'fec', 'hybrid'] },
  { words: ['receive', '--recovery', '=', 'h'], found: ['hybrid'] },
  { words: ['receive', '--recovery', '='], found: ['none', 'reorder', 'nack', 'fec', 'hybrid'] },
  { words: ['lab', 'run', 'frontier', '--qu'], found: ['--quality', '--quiet'] },
  { words: ['lab', 'run', '--out', ''], found: ['(files)'] },
  { words: ['send', 'fi'], found: ['(files)'] },
  { words: ['completion', ''], found: ['bash', 'zsh', 'fish'] },
  { words: ['receive', '--latency', ''], found: [] },
  { words: ['link', '--tun', '--', '--li'], found: [] },
])('bash completes $words to $found', ({ words, found }) => {
  expect(bashCompletes(...words)).toEqual(found);
});

test.each(SHELLS)('%s parses its script, which has every option of every command', (shell) => {
  const file = scriptFile(shell);
  const script = completionScript(program, shell);
  for (const { options } of commandTree(program)) {
    for (const { long } of options) expect(script).toContain(shell === 'fish' ? ` -l ${long.slice(2)}` : long);
  }
  if (runs(shell))
    expect(spawnSync(shell, ['-n', file], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});

optional('fish', runs('fish'))('fish completes commands, options and values', () => {
  const complete = (line: string) =>
    execFileSync('fish', ['--no-config', '-c', `source $argv[1]; complete -C $argv[2]`, scriptFile('fish'), line], {
      encoding: 'utf8',
    })
      .split('\n')
      .map((each) => each.split('\t')[0])
      .filter((each) => each !== '');
  expect(complete('dropframe lab re')).toEqual(['report']);
  expect(complete('dropframe receive --transp')).toEqual(['--transport']);
  expect(complete('dropframe receive --transport ')).toEqual(['auto', 'tcp', 'udp']);
});
