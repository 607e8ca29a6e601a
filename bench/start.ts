import { spawnSync } from 'node:child_process';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Failure } from '../io/os/failure.ts';
import type { BenchPart } from './part.ts';
import { median, textTable } from './table.ts';

/** The command as it is packaged, with the check for changed sources that it makes in a checkout. */
const COMMAND = fileURLToPath(new URL('../../../../bin/dropframe.js', import.meta.url));
const PROGRAMS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['node -e 0', ['-e', '0']],
  ['dropframe --help', [COMMAND, '--help']],
  ['dropframe receive --help', [COMMAND, 'receive', '--help']],
  ['dropframe lab run --help', [COMMAND, 'lab', 'run', '--help']],
];
/** Starts per round; each takes about 50 ms. */
const STARTS = 5;

/** Time of the command to answer --help, compared with an empty Node process. */
export const start: BenchPart = async ({ rounds, progress }) => {
  // Compiles the checkout if it has changed.
  millisecondsOf([COMMAND, '--version']);
  const times = PROGRAMS.map((): number[] => []);
  // Interleaved, so that machine load affects all of them alike.
  for (let round = 0; round < rounds * STARTS; round++) {
    progress(`start: ${round + 1} of ${rounds * STARTS}`);
    for (const [index, [, args]] of PROGRAMS.entries()) times[index]!.push(millisecondsOf(args));
  }
  const medians = times.map(median);
  const rows = PROGRAMS.map(([name], index) => [
    name,
    medians[index]!.toFixed(0),
    (medians[index]! / medians[0]!).toFixed(2),
  ]);
  const text = [
    `Wall-clock time from start to exit, medians of ${rounds * STARTS} interleaved starts.`,
    '',
    textTable(['command', 'ms', 'times node -e 0'], rows),
  ].join('\n');
  return { text, figures: PROGRAMS.map(([name], index) => ({ name, milliseconds: medians[index] })) };
};

function millisecondsOf(args: readonly string[]): number {
  const startedAt = performance.now();
  const { status } = spawnSync(execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Failure(`${args.join(' ')} failed with ${status}`);
  return performance.now() - startedAt;
}
