import { availableParallelism } from 'node:os';
import { stderr, stdout } from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { now } from '../io/os/clock.ts';
import { Failure } from '../io/os/failure.ts';
import type { WrittenAnswer } from '../lab/answer.ts';
import type { Shard } from '../lab/grid.ts';
import { HOST_NAMES, type HostName } from '../lab/machine.ts';
import type { OpenRun, RunOptions } from '../lab/run.ts';
import { STRATEGIES, type StrategyName } from '../lab/strategies.ts';
import type { SweepProgress } from '../lab/sweep.ts';
import { elapsed, inSeconds } from '../protocol/base/units.ts';
import { type CommonOptions, Context } from './context.ts';
import { exitAtOnceOnSignal, Interrupt, Interrupted } from './interrupt.ts';
import { addAskCommand } from './lab-ask.ts';
import { addAtlasCommand } from './lab-atlas.ts';
import { addCalibrateCommand } from './lab-calibrate.ts';
import { addCaptureCommand } from './lab-capture.ts';
import { addValidateCommand } from './lab-validate.ts';
import { HELP_OPTION, REPORTS } from './option-groups.ts';
import { readWhole } from './options.ts';
import { packageVersion } from './version.ts';
import { wrapped } from './wrapped.ts';

interface RunCommandOptions extends CommonOptions {
  readonly out?: string;
  readonly jobs?: number;
  readonly shard?: Shard;
  readonly strategies?: readonly StrategyName[];
  readonly host?: HostName;
  readonly frames?: boolean;
  readonly packets?: boolean;
  readonly qlog?: boolean;
  readonly pcapng?: boolean;
  readonly quality?: boolean;
  readonly video?: boolean;
  readonly fresh?: boolean;
}

/** Message to the process that has started this one with an IPC channel, as the page's server does. */
export interface LabProgress {
  /** Part of the work that is done, 0 to 1. */
  readonly share: number;
}

const RUNS = 'Runs:';
const RESULTS = 'Further results:';
const JOBS_MAX = 1_024;
/** Assumed width of a file or a pipe, characters. */
const WIDTH = 120;
const SHARDS_MAX = 100_000;

export function addLabCommand(program: Command): void {
  const lab = program
    .command('lab')
    .description('run experiments: from a scenario file to a folder of results, identical to the byte on every machine')
    .addHelpText(
      'after',
      `
Examples:
  dropframe lab list
  dropframe lab run frontier
  dropframe lab run my-scenario.json --out out/mine --frames
  dropframe lab ask "hybrid nack tcp-bbr" loss=1%,5% rtt=20,80 budget=100..400/50 --until 0.1pp
  dropframe lab atlas --cells 10000                            which strategy is best where, as a page to explore
  dropframe lab sweep atlas --shard 3/16 --out out/atlas       one of sixteen parts, on any machine
  dropframe lab merge out/atlas
  dropframe lab validate --quick                               the simulation against closed-form results
  dropframe lab calibrate --quick                              the simulator against Linux
  dropframe lab capture receiver.pcapng                        the link that a real path is

See docs/LAB.md for the scenario format and the metrics, docs/SCALING.md for sweeps over many machines.`,
    );
  withRunOptions(lab.command('run <scenario>'))
    .description('run a scenario, given as a JSON file or as the name of a ready-made one')
    .optionsGroup(RESULTS)
    .option('--video', '--quality, and also write side-by-side.mp4 with up to four strategies on the first link')
    .action(run);
  withRunOptions(lab.command('sweep <scenario>'))
    .description('run a part of a scenario and store its cells in a folder for `lab merge`')
    .optionsGroup(RUNS)
    .addOption(new Option('--shard <i/n>', 'run part i of n').argParser(readShard))
    .action(sweepCommand);
  addAskCommand(lab, drawIfPossible);
  addAtlasCommand(lab);
  commonOptions(lab.command('merge <folder> [others...]'))
    .description('compute the answer from the cells in a folder, after copying the cells of other folders into it')
    .action(merge);
  commonOptions(lab.command('report <folder>'))
    .description('print the answer in a folder, and draw it as a self-contained report.html and plots/')
    .action(report);
  addCalibrateCommand(lab);
  addCaptureCommand(lab);
  addValidateCommand(lab);
  lab
    .command('list')
    .description('list the ready-made scenarios')
    .option('--json', 'print them as JSON on stdout')
    .action(list);
}

function withRunOptions(command: Command): Command {
  return commonOptions(
    command
      .optionsGroup(RUNS)
      .option('--out <folder>', 'folder of the answer (default: out/, named after the scenario and its hash)')
      .addOption(
        new Option('--jobs <n>', 'number of threads').argParser(
          readWhole({ min: 1, max: JOBS_MAX }, 'a number of threads'),
        ),
      )
      .addOption(
        new Option('--strategies <names>', 'limit the scenario to these strategies, separated by commas').argParser(
          readStrategies,
        ),
      )
      .addOption(new Option('--host <name>', "end hosts in place of the scenario's").choices(HOST_NAMES))
      .option('--fresh', 'run finished cells again')
      .optionsGroup(RESULTS)
      .option('--frames', 'also write frames.parquet, one row per frame')
      .option('--packets', 'also write packets.parquet, one row per datagram')
      .option('--qlog', 'also write an event log of each cell of the first seed (qlog, JSON-SEQ)')
      .option('--pcapng', 'also write a capture of each cell of the first seed for Wireshark')
      .option('--quality', 'compare the shown video with the source: PSNR and SSIM, VMAF if ffmpeg has it'),
  );
}

const commonOptions = (command: Command): Command =>
  command
    .optionsGroup(REPORTS)
    .helpOption(...HELP_OPTION)
    .option('--json', 'print the answer as JSON on stdout; log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail');

async function run(scenario: string, options: RunCommandOptions): Promise<void> {
  const { completeRun } = await import('../lab/run.ts');
  const context = new Context(options);
  const { opened } = await sweepScenario(scenario, context, options, { index: 1, of: 1 });
  const answer = await exitAtOnceOnSignal(allCellsIn(opened.directory), () => completeRun(opened, packageVersion()));
  await show(context, options, opened.directory, answer);
  if (opened.output.video) await writeVideo(context, opened);
  await drawIfPossible(context, opened.directory);
}

/**
 * Makes the comparison video from cells that are already measured.
 * @throws {Interrupted} on Ctrl-C; the answer is complete by then.
 */
async function writeVideo(context: Context, opened: OpenRun): Promise<void> {
  const abort = new AbortController();
  const interrupt = new Interrupt(() => abort.abort());
  const { makeVideo } = await import('../lab/run.ts');
  context.showStatus(() => ['side-by-side.mp4 …']);
  try {
    const { path, labels, isLabeled } = await makeVideo(opened, abort.signal);
    const order = isLabeled ? '' : ' (row by row from the upper left; no font found for labels)';
    context.print(`  ${path}: ${labels.join(', ')}${order}`);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    throw new Interrupted(`interrupted: the answer is in ${opened.directory}, without side-by-side.mp4`);
  } finally {
    context.closeStatus();
    interrupt.dispose();
  }
}

async function sweepCommand(scenario: string, options: RunCommandOptions): Promise<void> {
  const context = new Context(options);
  const shard = options.shard ?? { index: 1, of: 1 };
  const { opened, progress } = await sweepScenario(scenario, context, options, shard);
  const { cells } = progress;
  const { directory } = opened;
  context.print(`shard ${shard.index}/${shard.of}: ${cells} cells are in ${directory}; next: lab merge ${directory}`);
  if (options.json) writeLine({ kind: 'shard', shard, cells, directory, runId: opened.run.runId });
}

/** Opens a run and computes a shard of it, with a status line. @throws {Interrupted} on Ctrl-C; finished cells are kept. */
async function sweepScenario(
  scenario: string,
  context: Context,
  options: RunCommandOptions,
  shard: Shard,
): Promise<{ readonly opened: OpenRun; readonly progress: SweepProgress }> {
  const abort = new AbortController();
  // Before the folder is made, so that nothing is left there without a word.
  const interrupt = new Interrupt(() => abort.abort());
  const startedAt = now();
  let latest: (() => string) | undefined;
  try {
    const [{ openRun, sweepShard }, { qualityProgressText, sweepProgressText }] = await Promise.all([
      import('../lab/run.ts'),
      import('./lab-text.ts'),
    ]);
    const opened = await openRun(scenario, runOptions(options, context));
    context.showStatus(() => latest && [latest()]);
    const progress = await sweepShard(opened, {
      shard,
      jobs: options.jobs ?? availableParallelism(),
      fresh: options.fresh === true,
      signal: abort.signal,
      onProgress: (at) => {
        latest = () => sweepProgressText(at, inSeconds(elapsed(startedAt, now())));
        process.send?.({ share: at.workDone } satisfies LabProgress);
      },
      onQualityProgress: (at) => {
        latest = () => qualityProgressText(at);
      },
    });
    if (progress.done < progress.cells || progress.unmeasured) {
      const pictures = progress.unmeasured ? ', some pictures not compared' : '';
      const kept = `${progress.done} of ${progress.cells} cells are finished and stored in ${opened.directory}${pictures}`;
      throw new Interrupted(`interrupted: ${kept}; run the same command again to continue`);
    }
    return { opened, progress };
  } finally {
    context.closeStatus();
    interrupt.dispose();
  }
}

async function merge(folder: string, others: readonly string[], options: CommonOptions): Promise<void> {
  const { mergeRun } = await import('../lab/run.ts');
  const context = new Context(options);
  const { adopted, ...answer } = await exitAtOnceOnSignal(allCellsIn(folder), () =>
    mergeRun(folder, others, packageVersion()),
  );
  if (adopted > 0) context.log.info(`copied ${adopted} files`);
  await show(context, options, folder, answer);
  await drawIfPossible(context, folder);
}

const withoutReport = (folder: string): string => `the answer is in ${folder}, without report.html`;
const allCellsIn = (folder: string): string => `all cells are in ${folder}; run the same command again to continue`;

async function report(folder: string, options: CommonOptions): Promise<void> {
  const context = new Context(options);
  await exitAtOnceOnSignal(withoutReport(folder), async () => {
    const { readAnswer } = await import('../lab/answer.ts');
    await show(context, options, folder, await readAnswer(folder));
    await draw(context, folder);
  });
}

async function draw(context: Context, folder: string): Promise<void> {
  const { reportFolder } = await import('../lab/report/report-folder.ts');
  const { page, plots, warnings } = await reportFolder(folder);
  for (const warning of warnings) context.log.warn(warning);
  context.print(`  ${page}: ${plots.length} plots`);
}

/** Draws the report. The answer exists already, so a failure to draw is a warning. */
async function drawIfPossible(context: Context, folder: string): Promise<void> {
  try {
    await exitAtOnceOnSignal(withoutReport(folder), () => draw(context, folder));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    context.log.warn(`report.html was not drawn: ${error.message}`);
  }
}

async function list(options: CommonOptions): Promise<void> {
  const [{ listScenarios }, { paddedCells }] = await Promise.all([
    import('../lab/ready-made.ts'),
    import('../lab/report/text-table.ts'),
  ]);
  const scenarios = await listScenarios();
  if (options.json) return void stdout.write(`${JSON.stringify(scenarios)}\n`);
  const names = paddedCells(
    scenarios.map(({ name }) => [name]),
    () => 'left',
  ).flat();
  // One line per scenario for programs, whatever its length.
  const columns = stdout.columns ?? Number.POSITIVE_INFINITY;
  for (const [index, { question }] of scenarios.entries()) {
    const name = names[index]!;
    stdout.write(`${wrapped(`${name}  ${question}`, columns, name.length + 2)}\n`);
  }
}

async function show(
  context: Context,
  options: CommonOptions,
  directory: string,
  { manifest, rows, cost }: WrittenAnswer,
): Promise<void> {
  const [{ answerTable }, { flowTable }, { costText, measuredText }] = await Promise.all([
    import('./answer-table.ts'),
    import('./flow-table.ts'),
    import('./lab-text.ts'),
  ]);
  const summary = manifest.files['summary.csv']?.sha256.slice(0, 16);
  const hasFlows = rows.some(({ flow }) => flow !== undefined);
  context.print((hasFlows ? flowTable : answerTable)(rows, stderr.columns ?? WIDTH));
  if (cost.length > 0) context.print(costText(cost));
  if (manifest.measured) context.print(measuredText(manifest.measured));
  context.print(`  run ${manifest.runId.slice(0, 8)}, summary.csv ${summary}, in ${directory}`);
  if (options.json) writeLine({ kind: 'answer', directory, manifest, cost, rows });
}

function writeLine(value: unknown): void {
  const finite = (_: string, item: unknown) => (item === Number.POSITIVE_INFINITY ? 'inf' : item);
  stdout.write(`${JSON.stringify(value, finite)}\n`);
}

function runOptions(options: RunCommandOptions, context: Context): RunOptions {
  return {
    out: options.out,
    strategies: options.strategies,
    host: options.host,
    output: {
      ...(options.frames && { frames: true }),
      ...(options.packets && { packets: true }),
      ...(options.qlog && { qlog: true }),
      ...(options.pcapng && { pcapng: true }),
      ...((options.quality || options.video) && { quality: true }),
      ...(options.video && { video: true }),
    },
    warn: (message) => context.log.warn(message),
  };
}

function readShard(text: string): Shard {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, of] = [Number(match?.[1]), Number(match?.[2])];
  if (!(index >= 1 && index <= of && of <= SHARDS_MAX)) {
    throw new InvalidArgumentError('expected a shard number and the number of shards, such as 3/16, counted from 1');
  }
  return { index, of };
}

function readStrategies(text: string): readonly StrategyName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(STRATEGIES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`'${unknown}': expected names from ${STRATEGIES.join(', ')}, separated by commas`);
  }
  return names as readonly StrategyName[];
}
