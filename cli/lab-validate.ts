import { availableParallelism } from 'node:os';
import { stdout } from 'node:process';
import { type Command, Option } from 'commander';
import { now } from '../io/os/clock.ts';
import { Failure } from '../io/os/failure.ts';
import type { CheckProgress } from '../lab/validation/run-checks.ts';
import type { CheckOutcome } from '../lab/validation/validation.ts';
import { elapsed, inSeconds } from '../protocol/base/units.ts';
import { type CommonOptions, Context } from './context.ts';
import { durationText } from './duration-text.ts';
import { Interrupt, Interrupted } from './interrupt.ts';
import { readWhole } from './options.ts';
import { packageVersion } from './version.ts';

interface ValidateOptions extends CommonOptions {
  readonly quick?: boolean;
  readonly docs?: boolean;
  readonly seed: number;
  readonly jobs?: number;
}

const SEED_MAX = 0x7fff_ffff;
const JOBS_MAX = 1_024;

export function addValidateCommand(lab: Command): void {
  lab
    .command('validate')
    .description('compare the simulation with closed-form results and definitions; exit code 1 on a disagreement')
    .addOption(
      new Option('--seed <n>', 'seed of the random numbers')
        .argParser(readWhole({ min: 0, max: SEED_MAX }, 'a seed'))
        .default(1),
    )
    .addOption(
      new Option('--jobs <n>', 'number of threads').argParser(
        readWhole({ min: 1, max: JOBS_MAX }, 'a number of threads'),
      ),
    )
    .option('--quick', 'fewer trials; skip expensive checks')
    .addOption(new Option('--docs', 'update the table in docs/VALIDATION.md').conflicts('quick'))
    .option('--json', 'print the outcomes as JSON on stdout; log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail')
    .action(run);
}

async function run(options: ValidateOptions): Promise<void> {
  const [{ validate }, { validationConclusion, validationMarkdown, validationText }, { writeValidation }] =
    await Promise.all([
      import('../lab/validation/validation.ts'),
      import('../lab/validation/validation-table.ts'),
      import('./validation-page.ts'),
    ]);
  const context = new Context(options);
  const outcomes = await outcomesWith(context, options);
  const validation = validate(outcomes);
  context.print(validationText(outcomes));
  context.print(`  ${validationConclusion(validation)}`);
  if (options.json)
    stdout.write(`${JSON.stringify({ kind: 'validation', ...validation, outcomes: outcomes.map(plain) })}\n`);
  if (options.docs) {
    const conclusion = validationConclusion(validation);
    const heading = `${conclusion}. Version ${packageVersion()}, seed ${options.seed}.`;
    await writeValidation('validate', `${heading}\n\n${validationMarkdown(outcomes)}`);
  }
  if (!validation.passed) throw new Failure(`the simulation disagrees with its predictions: ${worst(outcomes)}`);
}

/** Runs the checks with a status line. @throws {Interrupted} on Ctrl-C. */
async function outcomesWith(context: Context, options: ValidateOptions): Promise<readonly CheckOutcome[]> {
  const abort = new AbortController();
  const interrupt = new Interrupt(() => abort.abort());
  const startedAt = now();
  let latest: CheckProgress | undefined;
  context.showStatus(() => latest && [progressText(latest, inSeconds(elapsed(startedAt, now())))]);
  try {
    // Loaded on demand: computing the predictions takes a second.
    const [{ runChecks }, { FULL_EFFORT, QUICK_EFFORT }] = await Promise.all([
      import('../lab/validation/run-checks.ts'),
      import('../lab/validation/validation.ts'),
    ]);
    const outcomes = await runChecks(
      { seed: options.seed, effort: options.quick ? QUICK_EFFORT : FULL_EFFORT },
      {
        jobs: options.jobs ?? availableParallelism(),
        signal: abort.signal,
        onProgress: (progress) => {
          latest = progress;
        },
      },
    );
    if (!outcomes) throw new Interrupted(`interrupted after ${latest?.done ?? 0} checks; their results are not kept`);
    return outcomes;
  } finally {
    context.closeStatus();
    interrupt.dispose();
  }
}

function progressText({ checks, done, workDone }: CheckProgress, elapsedSeconds: number): string {
  const left =
    workDone > 0.01 && workDone < 1 ? `, ${durationText((elapsedSeconds * (1 - workDone)) / workDone)} left` : '';
  return `${done} of ${checks} checks, ${Math.floor(workDone * 100)} %${left}`;
}

function plain({ check, estimate, verdict }: CheckOutcome) {
  const { id, group, name, parameters, predicted, agreement } = check;
  return { id, group, name, parameters, predicted, agreement, ...estimate, verdict };
}

function worst(outcomes: readonly CheckOutcome[]): string {
  const off = outcomes.filter(({ verdict }) => verdict === 'disagrees');
  const named = off.length > 0 ? off : outcomes.filter(({ verdict }) => verdict === 'outside');
  return named.map(({ check }) => check.id).join('; ');
}
