import { availableParallelism } from 'node:os';
import { stderr, stdout } from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { now } from '../io/os/clock.ts';
import type { AskProgress } from '../lab/ask/ask.ts';
import { QUESTION_WORDS, readQuestion } from '../lab/ask/question.ts';
import { elapsed, inSeconds } from '../protocol/base/units.ts';
import { type CommonOptions, Context } from './context.ts';
import { Interrupt, Interrupted } from './interrupt.ts';
import { HELP_OPTION, REPORTS } from './option-groups.ts';
import { readWhole } from './options.ts';
import { packageVersion } from './version.ts';

interface AskCommandOptions extends CommonOptions {
  readonly until: number;
  readonly seedsMax: number;
  readonly out?: string;
  readonly jobs?: number;
  readonly fresh?: boolean;
}

const RUNS = 'Runs:';
const JOBS_MAX = 1_024;
const SEEDS_MAX = 10_000;
/** Assumed width of a file or a pipe, characters. */
const WIDTH = 120;

/** The drawing below the command line: `draw` after a run, if the report can be drawn. */
type Draw = (context: Context, folder: string) => Promise<void>;

export function addAskCommand(lab: Command, draw: Draw): void {
  lab
    .command('ask <strategies> [words...]')
    .description('answer a question of one line, with as many runs as each of its cells needs')
    .optionsGroup(RUNS)
    .addOption(
      new Option('--until <interval>', 'half the width at which an interval is narrow enough, percentage points')
        .argParser(readInterval)
        .default(0.005, '0.5pp'),
    )
    .addOption(
      new Option('--seeds-max <n>', 'most runs of a cell')
        .argParser(readWhole({ min: 3, max: SEEDS_MAX }, 'a number of runs'))
        .default(100),
    )
    .option('--out <folder>', "folder of the answer (default: out/, named after the question's hash)")
    .addOption(
      new Option('--jobs <n>', 'number of threads').argParser(
        readWhole({ min: 1, max: JOBS_MAX }, 'a number of threads'),
      ),
    )
    .option('--fresh', 'run finished cells again')
    .optionsGroup(REPORTS)
    .helpOption(...HELP_OPTION)
    .option('--json', 'print the answer as JSON on stdout; log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail')
    .addHelpText('after', helpText())
    .action((strategies: string, words: readonly string[], options: AskCommandOptions) =>
      askCommand(strategies, words, options, draw),
    );
}

function helpText(): string {
  const words = Object.entries(QUESTION_WORDS).map(([word, { values, default: absent }]) => {
    const without = absent === '' ? '' : ` (default: ${absent})`;
    return `  ${`${word}=`.padEnd(10)}${values}${without}`;
  });
  return `
Words of a question, each with one value, a list a,b,c or a range from..to/step:
${words.join('\n')}

Example:
  dropframe lab ask "hybrid nack tcp-bbr" loss=1%,2%,5% rtt=20,80 budget=100..400/50 --until 0.1pp

Every cell begins with three runs. Those whose interval (95 %, also where it decides when a cell stops) is wider than
--until take more, all cells the same seeds. An outage that few runs have can be missed: a smaller --until, or seconds=,
takes more. The folder holds what \`lab run\` writes, asked.csv, and scenario.json.`;
}

async function askCommand(
  strategies: string,
  words: readonly string[],
  options: AskCommandOptions,
  draw: Draw,
): Promise<void> {
  const [{ ask, openQuestion, percentagePoints }, { askTable }, { sweepProgressText }] = await Promise.all([
    import('../lab/ask/ask.ts'),
    import('./ask-table.ts'),
    import('./lab-text.ts'),
  ]);
  const context = new Context(options);
  const question = await openQuestion(readQuestion(strategies, words), {
    until: options.until,
    seedsMax: options.seedsMax,
    out: options.out,
    warn: (message) => context.log.warn(message),
  });
  const { directory } = question.opened;
  const cells = question.groups.length === 1 ? '1 cell' : `${question.groups.length} cells`;
  context.print(`${cells}, ${question.runsMin} to ${question.runsMax} runs`);
  const table = new LiveTable(context, options.quiet !== true);
  const startedAt = now();
  let latest: (() => string) | undefined;
  context.showStatus(() => latest && [latest()]);
  const abort = new AbortController();
  const interrupt = new Interrupt(() => abort.abort());
  const columns = stderr.columns ?? WIDTH;
  try {
    const result = await ask(question, {
      jobs: options.jobs ?? availableParallelism(),
      fresh: options.fresh === true,
      signal: abort.signal,
      version: packageVersion(),
      onProgress: (at) => {
        latest = () => `${lookText(at)} · ${sweepProgressText(at.sweep, inSeconds(elapsed(startedAt, now())))}`;
      },
      onLook: (cells) => table.draw(askTable(cells, columns)),
    });
    context.closeStatus();
    if (result === undefined) {
      throw new Interrupted(
        `interrupted: finished runs are stored in ${directory}; run the same command again to continue`,
      );
    }
    const { manifest, rows, cost, cells, runs, gridRuns } = result;
    if (!stderr.isTTY) context.print(askTable(cells, columns));
    const wide = cells.filter(({ isNarrow }) => !isNarrow).length;
    if (wide > 0) {
      const of = `${wide} of ${cells.length} cells`;
      context.log.warn(
        `${of} are wider than ±${percentagePoints(options.until)} points after ${options.seedsMax} runs; raise --seeds-max or seconds=`,
      );
    }
    context.print(`  ${runs} runs; a full grid with intervals as narrow takes ${gridRuns}`);
    context.print(
      `  run ${manifest.runId.slice(0, 8)}, summary.csv ${manifest.files['summary.csv']?.sha256.slice(0, 16)}, in ${directory}`,
    );
    if (options.json)
      stdout.write(`${jsonText({ kind: 'asked', directory, manifest, cost, cells, rows, runs, gridRuns })}\n`);
  } finally {
    context.closeStatus();
    interrupt.dispose();
  }
  await draw(context, directory);
}

const jsonText = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (item === Number.POSITIVE_INFINITY ? 'inf' : item));

const lookText = ({ seeds, cells, open }: AskProgress): string => `${open} of ${cells} cells open, ${seeds} seeds`;

/** A table that is drawn again in its place on a terminal; elsewhere it is printed at the end only. */
class LiveTable {
  readonly #context: Context;
  readonly #isLive: boolean;
  #lines = 0;

  constructor(context: Context, isShown: boolean) {
    this.#context = context;
    this.#isLive = isShown && stderr.isTTY === true;
  }

  draw(text: string): void {
    if (!this.#isLive) return;
    const up = this.#lines > 0 ? `\x1b[${this.#lines}A\x1b[J` : '';
    this.#context.print(up + text);
    this.#lines = text.split('\n').length;
  }
}

function readInterval(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(pp|%)?$/.exec(text.trim());
  const points = match ? Number(match[1]) : Number.NaN;
  if (!(points > 0 && points <= 50)) {
    throw new InvalidArgumentError('expected percentage points from 0 to 50, such as 0.1pp');
  }
  return points / 100;
}
