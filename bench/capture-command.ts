import { stderr, stdout } from 'node:process';
import { Command } from 'commander';
import { wilson } from '../lab/report/interval.ts';
import { markdownTable } from '../lab/report/text-table.ts';
import { type StudyOutcome, studyOne } from './capture/study.ts';
import { parseCommandLine, readCount } from './command-line.ts';

/** Entry point of `npm run bench:capture`: how often the intervals of `lab capture` hold the truth. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('bench:capture')
    .description('fits links to synthetic captures of known paths, and counts the intervals that hold the truth')
    .option('--captures <count>', 'number of captures', readCount, 300)
    .option('--packets <count>', 'packets per capture', readCount, 30_000)
    .option('--first <seed>', 'seed of the first one', readCount, 1)
    .option('--json', 'print all outcomes as JSON on stdout');
  const ended = parseCommandLine(program, argv);
  if (ended !== undefined) return ended;
  const options = program.opts<{ captures: number; packets: number; first: number; json?: boolean }>();
  const outcomes: StudyOutcome[] = [];
  for (let seed = options.first; seed < options.first + options.captures; seed++) {
    outcomes.push(studyOne(seed, options.packets));
    stderr.write(`\r${outcomes.length} of ${options.captures} captures`);
  }
  stderr.write('\n');
  stdout.write(options.json ? `${JSON.stringify(outcomes)}\n` : `${studyText(outcomes)}\n`);
  return 0;
}

/** Coverage of each parameter, and the differences of the distributions, in Markdown. */
export function studyText(outcomes: readonly StudyOutcome[]): string {
  const covered = outcomes.flatMap((outcome) => outcome.covered);
  const untold = outcomes.flatMap((outcome) => outcome.untold);
  const names = [...new Set([...covered.map(({ parameter }) => parameter), ...untold])].sort();
  const row = (name: string, of: typeof covered, left: number) => {
    const inside = of.filter(({ isInside }) => isInside).length;
    const { low, high } = wilson(inside, of.length);
    const range = `${(100 * low).toFixed(1)} … ${(100 * high).toFixed(1)} %`;
    return [name, `${inside} of ${of.length}`, `${((100 * inside) / of.length).toFixed(1)} %`, range, `${left}`];
  };
  const rows = names.map((name) =>
    row(
      name,
      covered.filter(({ parameter }) => parameter === name),
      untold.filter((each) => each === name).length,
    ),
  );
  rows.push(row('all', covered, untold.length));
  const delays = outcomes.map(({ delayDifference }) => delayDifference);
  const runs = outcomes.flatMap(({ runDifference, runs: count }) =>
    runDifference === undefined ? [] : [{ runDifference, count }],
  );
  const many = runs.filter(({ count }) => count >= MANY_RUNS);
  const within = (of: readonly number[]) => `${of.filter((each) => each <= 0.02).length} of ${of.length}`;
  return [
    markdownTable(['parameter', 'inside', 'share', '95 % interval', 'not told'], rows),
    '',
    `Delays within 0.02: ${within(delays)}; loss runs within 0.02: ${within(runs.map((each) => each.runDifference))}, ` +
      `with ${MANY_RUNS} runs or more: ${within(many.map((each) => each.runDifference))}.`,
  ].join('\n');
}

/** Runs of losses from which chance alone leaves less than 0.02 to their distribution. */
const MANY_RUNS = 2_000;
