import { stdout } from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Failure } from '../io/os/failure.ts';
import type { CalibrationProgress } from '../lab/calibration/calibrate.ts';
import type { Comparison } from '../lab/calibration/comparison.ts';
import { CALIBRATION_LIMITS, type DisturbanceLimits, namespacesMax } from '../lab/measured/measurement.ts';
import { isKernelStrategy, KERNEL_STRATEGIES, type KernelStrategyName, type StrategyName } from '../lab/strategies.ts';
import { type CommonOptions, Context } from './context.ts';
import { durationText } from './duration-text.ts';
import { Interrupt, Interrupted } from './interrupt.ts';
import { readWhole } from './options.ts';

interface CalibrateOptions extends CommonOptions {
  readonly quick?: boolean;
  readonly docs?: boolean;
  readonly strategies?: readonly KernelStrategyName[];
  readonly attempts: number;
  readonly jobs: number;
}

const ATTEMPTS_MAX = 100;
const JOBS_MAX = 64;

export function addCalibrateCommand(lab: Command): void {
  lab
    .command('calibrate')
    .description(
      'run the same cells in the simulator and over kernel sockets and compare them; exit code 1 on a difference',
    )
    .option('--quick', 'fewer strategies, drop lists and links: five minutes instead of half an hour')
    .addOption(
      new Option('--strategies <names>', 'limit the run to these strategies, separated by commas').argParser(
        readStrategies,
      ),
    )
    .addOption(
      new Option('--attempts <n>', 'maximum runs of a cell whose measurement the machine disturbs')
        .argParser(readWhole({ min: 1, max: ATTEMPTS_MAX }, 'a number of attempts'))
        .default(CALIBRATION_LIMITS.attemptsMax),
    )
    .addOption(
      new Option('--jobs <n>', 'cells run in parallel; on more than half the cores they disturb each other')
        .argParser(readWhole({ min: 1, max: JOBS_MAX }, 'a number of cells'))
        .default(namespacesMax()),
    )
    .option('--docs', 'update the table in docs/VALIDATION.md')
    .option('--json', 'print the comparisons as JSON on stdout; log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail')
    .action(run);
}

async function run(options: CalibrateOptions): Promise<void> {
  const [{ conclude }, { calibrationMarkdown, calibrationText, calibrationConclusion }, { writeValidation }] =
    await Promise.all([
      import('../lab/calibration/calibrate.ts'),
      import('../lab/calibration/calibration-table.ts'),
      import('./validation-page.ts'),
    ]);
  const context = new Context(options);
  const limits = { ...CALIBRATION_LIMITS, attemptsMax: options.attempts };
  const { outcomes, asked } = await outcomesWith(context, options, limits);
  if (outcomes.length === 0) throw new Interrupted('interrupted before the first cell finished');
  const calibration = conclude(outcomes);
  context.print(calibrationText(outcomes));
  context.print(`  ${calibrationConclusion(calibration)}`);
  if (options.json) {
    const finite = (_: string, value: unknown) => (value === Number.POSITIVE_INFINITY ? 'inf' : value);
    stdout.write(`${JSON.stringify({ kind: 'calibration', ...calibration, outcomes }, finite)}\n`);
  }
  if (outcomes.length < asked) throw new Interrupted(`interrupted: ${outcomes.length} of ${asked} cells were compared`);
  if (options.docs) await writeValidation('calibrate', calibrationMarkdown(outcomes, limits).trim());
  if (calibration.differing > 0)
    throw new Failure(`simulator and kernel differ: ${calibrationConclusion(calibration)}`);
}

async function outcomesWith(
  context: Context,
  { quick, strategies, jobs }: CalibrateOptions,
  limits: DisturbanceLimits,
): Promise<{ readonly outcomes: readonly Comparison[]; readonly asked: number }> {
  const [{ calibrate }, { calibrationCells, FULL_PLAN, QUICK_PLAN }] = await Promise.all([
    import('../lab/calibration/calibrate.ts'),
    import('../lab/calibration/calibration-cells.ts'),
  ]);
  const plan = quick ? QUICK_PLAN : FULL_PLAN;
  const cells = calibrationCells({ ...plan, strategies: strategies ?? plan.strategies });
  const abort = new AbortController();
  const interrupt = new Interrupt(() => abort.abort());
  let latest: CalibrationProgress | undefined;
  context.showStatus(
    () =>
      latest && [
        `${latest.done} of ${latest.cells} cells, running in real time, ${durationText(latest.secondsLeft)} left`,
      ],
  );
  try {
    const onProgress = (progress: CalibrationProgress) => {
      latest = progress;
    };
    return {
      outcomes: await calibrate(cells, { signal: abort.signal, jobs, limits, onProgress }),
      asked: cells.length,
    };
  } finally {
    context.closeStatus();
    interrupt.dispose();
  }
}

function readStrategies(text: string): readonly KernelStrategyName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isKernelStrategy(name as StrategyName));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `'${unknown}': expected names from ${KERNEL_STRATEGIES.join(', ')}, separated by commas`,
    );
  }
  return names as readonly KernelStrategyName[];
}
