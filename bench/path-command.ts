import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { stderr, stdout, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Command } from 'commander';
import type { SummaryRow } from '../lab/tables.ts';
import { parseCommandLine, readCount } from './command-line.ts';
import { measurePathQuality } from './path-quality.ts';
import { pathQualityTable } from './path-quality-table.ts';
import { type BenchPath, benchPaths, CONSTANT_KBPS, FOLLOWING, type PathStream, runPath } from './path-run.ts';
import { type PathOutcome, pathTable } from './path-table.ts';
import { writeResults } from './results-page.ts';

interface Task {
  readonly path: BenchPath;
  readonly stream: PathStream;
  readonly seed: number;
}

/** Entry point of `npm run bench:path`: streams that follow the path beside constant ones and the limits. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('bench:path')
    .description('frames missed, rate and delay of each congestion control on changing paths, beside the limits')
    .option('--paths <text>', 'only paths whose name contains this')
    .option('--seed <number>', 'seed of encoder and link', readCount, 1)
    .option('--jobs <count>', 'parallel runs', readCount, availableParallelism())
    .option('--quality <film...>', 'send films instead, and compare what was on the screen with them (needs node-av)')
    .option('--seconds-max <count>', 'with --quality: seconds of each path, at most', readCount, 120)
    .option('--docs', 'write the table into docs/RESULTS.md')
    .option('--json', 'print all rows as JSON on stdout');
  const ended = parseCommandLine(program, argv);
  if (ended !== undefined) return ended;
  const { paths: wanted = '', seed, jobs, quality, secondsMax, docs, json } = program.opts();
  const paths = benchPaths().filter(({ name }) => name.includes(wanted));
  if (paths.length === 0) {
    const names = benchPaths().map(({ name }) => `'${name}'`);
    stderr.write(`bench:path: no path contains '${wanted}'; there are ${names.join(', ')}\n`);
    return 2;
  }
  if (quality) {
    const shown = await measurePathQuality(quality, paths, { seed, secondsMax });
    return print({ section: 'path-quality', seed, results: shown, table: pathQualityTable(shown) }, { docs, json });
  }
  const streams: PathStream[] = [...FOLLOWING.map((rate) => ({ rate })), ...CONSTANT_KBPS.map((kbps) => ({ kbps }))];
  const tasks = paths.flatMap((path) => streams.map((stream) => ({ path, stream, seed })));
  const outcomes = await runAll(tasks, jobs);
  return print({ section: 'path', seed, results: outcomes, table: pathTable(outcomes) }, { docs, json });
}

/** Keeps the results in a file, prints them, and writes their table into the documentation where asked. */
function print(
  measured: { readonly section: string; readonly seed: number; readonly results: unknown; readonly table: string },
  { docs, json }: { readonly docs?: boolean; readonly json?: boolean },
): number {
  const { section, seed, results, table } = measured;
  const at = new Date().toISOString();
  const name = `${section}-${at.replaceAll(/[:.]/g, '-')}.json`;
  const file = join(fileURLToPath(new URL('../..', import.meta.url)), name);
  writeFileSync(file, JSON.stringify({ at, node: version, outcomes: results }, null, 2));
  stdout.write(json ? `${JSON.stringify(results, null, 2)}\n` : `${table}\n`);
  if (docs) writeResults(section, `Seed ${seed}.\n\n${table}`);
  return 0;
}

async function runAll(tasks: readonly Task[], jobs: number): Promise<readonly PathOutcome[]> {
  const outcomes: PathOutcome[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < tasks.length; index = next++) {
      const { path, stream } = tasks[index]!;
      outcomes[index] = { path, stream, rows: await runApart(tasks[index]!) };
      stderr.write(`${++done} of ${tasks.length} runs\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
  return outcomes;
}

function runApart(task: Task): Promise<readonly SummaryRow[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: task });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

if (!isMainThread) {
  const { path, stream, seed } = workerData as Task;
  parentPort!.postMessage(await runPath(path, stream, seed));
}
