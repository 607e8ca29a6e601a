import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { stderr, stdout, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Command, InvalidArgumentError } from 'commander';
import { commaSeparated } from '../lab/report/comma-separated.ts';
import { openDrawer } from '../lab/report/draw-plot.ts';
import { sum } from '../lab/report/operating-point.ts';
import { markdownTable } from '../lab/report/text-table.ts';
import { RECOVERIES, type Recovery } from '../protocol/control/recovery.ts';
import { parseCommandLine, readCount } from './command-line.ts';
import { type BenchPoint, interval, MORE_POINTS, POINTS, type PointOutcome, runPoint } from './point.ts';
import { boundOf, boundText } from './point-bound.ts';
import { readPoint } from './point-text.ts';
import { LIMIT_NOTE, percent, type Row, tableOf } from './points.ts';
import { writeResults } from './results-page.ts';
import { figuresOf, SCAN_NAMES, type ScanName, scanOf, scanRows } from './scan.ts';
import { scanPlot } from './scan-plot.ts';

const ALL: readonly BenchPoint[] = [...POINTS, ...MORE_POINTS];

interface Task {
  readonly point: BenchPoint;
  readonly recovery: Recovery;
  readonly frames: number;
  readonly seed: number;
}

function readPoints(text: string): readonly BenchPoint[] {
  const known = ALL.filter(({ name }) => text.includes(name));
  if (known.length === text.length) return known;
  const names = ALL.map(({ name }) => name).join('');
  throw new InvalidArgumentError(`expected names of points from ${names}, such as ABD`);
}

function readScan(text: string): ScanName {
  const known = SCAN_NAMES.find((name) => name === text);
  if (known === undefined) throw new InvalidArgumentError(`expected one of ${SCAN_NAMES.join(', ')}`);
  return known;
}

function readRecoveries(text: string): readonly Recovery[] {
  const wanted = text.split(',');
  const known = RECOVERIES.filter((recovery) => wanted.includes(recovery));
  if (known.length === wanted.length) return known;
  throw new InvalidArgumentError(`expected a comma-separated list of ${RECOVERIES.join(', ')}`);
}

/** Entry point of `npm run bench:points -- --frames 200000`: the points of the comparison on the virtual clock. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('bench:points')
    .description('frame loss and overhead at each point on the virtual clock, identical on every machine')
    .option('--points <names>', 'points of bench/point.ts', readPoints, readPoints('ABCDEFG'))
    .option(
      '--point <text>',
      'a point of your own, instead: "loss=5% delay=25ms budget=150 fps=30 packets=12"',
      readPoint,
    )
    .option(
      '--scan <name>',
      `cells along a property of the path instead, with a picture: ${SCAN_NAMES.join(', ')}`,
      readScan,
    )
    .option('--recovery <names>', 'recovery strategies', readRecoveries, ['hybrid'])
    .option('--frames <count>', 'frames per run', readCount, 20_000)
    .option('--seeds <count>', 'runs per point', readCount, 5)
    .option('--jobs <count>', 'parallel runs', readCount, availableParallelism())
    .option('--docs', 'write the table into docs/RESULTS.md')
    .option('--json', 'print all figures as JSON on stdout');
  const ended = parseCommandLine(program, argv);
  if (ended !== undefined) return ended;
  const { points: named, point: own, scan, recovery, frames, seeds, jobs, docs, json } = program.opts();
  if (scan) return runScan(scan, { frames, seeds, jobs });
  const points: readonly BenchPoint[] = own ? [own] : named;
  const tasks: Task[] = [];
  for (const one of recovery) {
    for (const point of points) {
      for (let seed = 1; seed <= seeds; seed++) tasks.push({ point, recovery: one, frames, seed });
    }
  }
  const outcomes = await runAll(tasks, jobs);
  const rows: Row[] = [];
  for (let index = 0; index < tasks.length; index += seeds) {
    const { point, recovery: one } = tasks[index]!;
    rows.push({ point, recovery: one, outcomes: outcomes.slice(index, index + seeds) });
  }
  const record = { at: new Date().toISOString(), node: version, rows };
  const file = join(
    fileURLToPath(new URL('../..', import.meta.url)),
    `points-${record.at.replaceAll(/[:.]/g, '-')}.json`,
  );
  writeFileSync(file, JSON.stringify(record, null, 2));
  stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : `${tableOf(rows)}\n`);
  if (docs) writeResults('points', markdown(rows));
  return 0;
}

/** Computes the cells of a scan; writes them and their picture into a folder of the current directory. */
async function runScan(
  name: ScanName,
  { frames, seeds, jobs }: { readonly frames: number; readonly seeds: number; readonly jobs: number },
): Promise<number> {
  const scan = scanOf(name);
  const tasks: Task[] = [];
  for (const { point } of scan.cells) {
    for (const recovery of scan.recoveries) {
      for (let seed = 1; seed <= seeds; seed++) tasks.push({ point, recovery, frames, seed });
    }
  }
  const outcomes = await runAll(tasks, jobs);
  const width = scan.recoveries.length * seeds;
  const figures = scan.cells.map((_, cell) =>
    scan.recoveries.map((_one, place) =>
      figuresOf(outcomes.slice(cell * width + place * seeds, cell * width + (place + 1) * seeds)),
    ),
  );
  const rows = scanRows(scan, figures);
  const folder = join('out', `scan-${name}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cells.csv'), commaSeparated(rows));
  writeFileSync(join(folder, 'scan.svg'), await (await openDrawer()).draw(scanPlot(name, rows), 'wide'));
  const behind = rows.filter(({ behindPercent }) => Number(behindPercent) > 0);
  for (const { loss, delayMs, jitterMs, budgetMs, packets, behindPercent } of behind) {
    const text = `loss ${loss}, ${delayMs} ms, jitter ${jitterMs} ms, budget ${budgetMs} ms, ${packets} packets`;
    stdout.write(`${text}: hybrid loses ${Number(behindPercent).toFixed(2)} points more than the best\n`);
  }
  stdout.write(`${scan.cells.length} cells, hybrid is behind in ${behind.length}: ${folder}\n`);
  return 0;
}

/** In order; largest first would not help, because all points take about equally long. */
async function runAll(tasks: readonly Task[], jobs: number): Promise<PointOutcome[]> {
  const outcomes: PointOutcome[] = [];
  let next = 0;
  let done = 0;
  const startedAt = Date.now();
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url));
    for (let index = next++; index < tasks.length; index = next++) {
      outcomes[index] = await runApart(worker, tasks[index]!);
      done++;
      const left = ((Date.now() - startedAt) / done) * (tasks.length - done);
      stderr.write(`${done} of ${tasks.length} runs, about ${Math.ceil(left / 60_000)} min to go\n`);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
  return outcomes;
}

async function runApart(worker: Worker, task: Task): Promise<PointOutcome> {
  worker.postMessage(task);
  // Rejects when the worker fails.
  const [outcome] = await once(worker, 'message');
  return outcome as PointOutcome;
}

const HEAD = ['point', 'path, budget', 'recovery', 'frames lost', '95 %', 'overhead', 'limit', 'target', 'p50 / p99'];
const ALIGNMENTS = ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'] as const;

function markdown(rows: readonly Row[]): string {
  const { outcomes } = rows[0]!;
  const frames = sum(outcomes.map((outcome) => outcome.frames)).toLocaleString('en');
  const table = markdownTable(HEAD, rows.map(cellsOf), ALIGNMENTS);
  return `${frames} frames per point, ${outcomes.length} seeds.\n\n${table}\n\n${LIMIT_NOTE}`;
}

function cellsOf({ point, recovery, outcomes }: Row): string[] {
  const frames = sum(outcomes.map((outcome) => outcome.frames));
  const lost = sum(outcomes.map(({ framesLost }) => framesLost));
  const withheld = sum(outcomes.map(({ framesWithheld }) => framesWithheld));
  const overhead = sum(outcomes.map((outcome) => outcome.overhead)) / outcomes.length;
  const { low, high } = interval(lost, frames);
  const { name, forward, back, budgetMs, target } = point;
  const path = forward === back ? `\`${forward}\`, both directions` : `\`${forward}\`; back \`${back}\``;
  const goal = target ? `${percent(target.lost, 2)} %, ${percent(target.overhead, 0)} %` : '–';
  const share = `${percent(lost / frames, 4)} % (${lost}${withheld > 0 ? `, of which ${withheld} were withheld` : ''})`;
  const bounds = `${percent(low, 4)} – ${percent(high, 4)} %`;
  const { delayMsP50, delayMsP99 } = outcomes[0]!;
  return [
    `**${name}**`,
    `${path}, ${budgetMs} ms`,
    recovery,
    share,
    bounds,
    `${percent(overhead, 2)} %`,
    boundText(boundOf(point, outcomes), overhead),
    goal,
    `${delayMsP50.toFixed(1)} / ${delayMsP99.toFixed(1)} ms`,
  ];
}

if (!isMainThread && parentPort) {
  const port = parentPort;
  port.on('message', ({ point, recovery, frames, seed }: Task) =>
    port.postMessage(runPoint(point, { recovery, frames, seed })),
  );
}
