import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cwd, platform, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readWhole } from '../../cli/options.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { parseCommandLine } from '../command-line.ts';
import type { BenchPoint } from '../point.ts';
import { BenchInterrupted } from '../programs.ts';
import { writeResults } from '../results-page.ts';
import { measure } from './measure.ts';
import { OWN_PEERS } from './own.ts';
import type { Peer } from './peer.ts';
import { PEER_POINTS, POINTS_DEFAULT } from './peer-points.ts';
import { machine, type PeersRecord, type RecordedRun, scheduling } from './record.ts';
import { resultsText } from './results-text.ts';
import { RIST_PEER } from './rist.ts';
import { planOf, scheduleProgressText, workThrough } from './schedule.ts';
import { SRT_PEERS } from './srt.ts';
import { WORKLOAD_FRAMES_PER_SECOND } from './workload.ts';

const PEERS: readonly Peer[] = [...SRT_PEERS, RIST_PEER, ...OWN_PEERS];
const PEERS_DEFAULT = 'srt,srt-fec,srt-lossmaxttl,rist,dropframe';
const FOLDER = fileURLToPath(new URL('../../../', import.meta.url));
const INTERRUPTED = 130;
const QUICK_SECONDS = 8;

/** Tolerance beyond the budget for timers, pipes and machine load, milliseconds. */
const TOLERANCE_MS = 10;
const JUDGEMENT = {
  toleranceMs: TOLERANCE_MS,
  warmUpFrames: 5 * WORKLOAD_FRAMES_PER_SECOND,
  tailFrames: WORKLOAD_FRAMES_PER_SECOND,
} as const;

interface Options {
  readonly points: readonly BenchPoint[];
  readonly programs: readonly Peer[];
  readonly seconds: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly docs: boolean;
  readonly from?: string;
}

/**
 * Entry point of `npm run bench:peers`: compares SRT, RIST and dropframe over the same impaired networks, as a table
 * and as JSON.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = command();
  const ended = parseCommandLine(program, argv);
  if (ended !== undefined) return ended;
  const options = program.opts<Options>();
  try {
    if (options.from !== undefined) {
      show(readRecord(options.from), options);
      return 0;
    }
    return await compare(options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    stderr.write(`bench:peers: ${error.message}\n`);
    return error.exitCode;
  }
}

function command(): Command {
  const seconds = readWhole({ min: 3, max: 3_600 }, 'seconds');
  const count = readWhole({ min: 1, max: 100 }, 'a count');
  return new Command('bench:peers')
    .description('compares SRT, RIST and dropframe over the same impaired networks; see docs/RESULTS.md')
    .addOption(
      new Option('--points <names>', `any of ${PEER_POINTS.map(({ name }) => name).join('')}`)
        .default(readPoints(POINTS_DEFAULT), POINTS_DEFAULT)
        .argParser(readPoints),
    )
    .addOption(
      new Option('--programs <list>', `any of ${PEERS.map(({ name }) => name).join(',')}`)
        .default(readPeers(PEERS_DEFAULT), PEERS_DEFAULT)
        .argParser(readPeers),
    )
    .option('--seconds <count>', 'seconds counted in each run, after 5 s of warm-up', seconds, 40)
    .option('--seeds <count>', 'runs of each program at each point', count, 3)
    .option('--jobs <count>', 'parallel runs', count, 2)
    .option(
      '--quick',
      `one seed of ${QUICK_SECONDS} s, to check that it works; do not quote the figures; does not change docs/`,
    )
    .option('--no-docs', 'do not change docs/RESULTS.md')
    .option('--json', 'print all runs as JSON on stdout')
    .option('--from <file>', 'format the table of an earlier JSON file, without measuring');
}

function readPoints(text: string): readonly BenchPoint[] {
  const found = PEER_POINTS.filter(({ name }) => text.includes(name));
  if (found.length !== text.length) throw new InvalidArgumentError('expected point names, such as ABD');
  return found;
}

function readPeers(text: string): readonly Peer[] {
  const names = text.split(',');
  const found = PEERS.filter(({ name }) => names.includes(name));
  if (found.length !== names.length) throw new InvalidArgumentError('expected program names, such as srt,dropframe');
  return found;
}

async function compare(options: Options): Promise<number> {
  if (platform !== 'linux') throw new Failure('needs Linux, where 127.0.0.2 is a local address', 3);
  const present = options.programs.filter((peer) => peer.version() !== undefined);
  const absent = options.programs.filter((peer) => !present.includes(peer)).map(({ absence }) => absence);
  for (const text of new Set(absent)) stderr.write(`bench:peers: ${text}; continuing without it\n`);
  if (present.length === 0) throw new Failure('none of the programs is installed', 3);
  const seconds = options.quick ? QUICK_SECONDS : options.seconds;
  const seeds = options.quick ? 1 : options.seeds;
  const plan = planOf(options.points, present, seeds);
  const scratch = join(FOLDER, 'peers-scratch');
  mkdirSync(scratch, { recursive: true });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const runs: RecordedRun[] = [];
  const failures: string[] = [];
  const startedAt = performance.now();
  showProgress(scheduleProgressText(0, plan.length, 0));
  let interrupted = false;
  try {
    await workThrough(plan, options.jobs, async (planned) => {
      const { signal } = stop;
      const run = await measure({ ...planned, seconds, signal, scratch, judgement: JUDGEMENT });
      if (typeof run === 'string') failures.push(run);
      else runs.push(run);
      const done = runs.length + failures.length;
      showProgress(scheduleProgressText(done, plan.length, performance.now() - startedAt));
    });
  } catch (error) {
    if (!(error instanceof BenchInterrupted)) throw error;
    interrupted = true;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    clearProgress();
  }
  const record: PeersRecord = {
    at: new Date().toISOString(),
    machine: machine(),
    complete: !interrupted,
    quick: options.quick === true,
    seconds,
    seeds,
    jobs: options.jobs,
    scheduling: scheduling(),
    judgement: JUDGEMENT,
    points: options.points,
    peers: present.map((peer) => ({ name: peer.name, title: peer.title, version: peer.version() ?? '' })),
    absent: [...new Set(absent)],
    failures,
    runs,
  };
  const file = join(FOLDER, `peers-${record.at.replace(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  stderr.write(`bench:peers: all runs are in ${relative(cwd(), file)}\n`);
  for (const text of failures) stderr.write(`bench:peers: failed: ${text}\n`);
  if (runs.length > 0) show(record, options);
  if (interrupted) return INTERRUPTED;
  return failures.length > 0 ? 1 : 0;
}

function show(record: PeersRecord, { json, docs }: Options): void {
  const text = resultsText(record);
  stdout.write(json ? `${JSON.stringify(record, null, 2)}\n` : `${text}\n`);
  if (docs && record.complete && !record.quick) writeResults('peers', text);
}

function readRecord(path: string): PeersRecord {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as PeersRecord;
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${causeOf(error)}`, 2);
  }
}

function showProgress(text: string): void {
  stderr.write(stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
}

function clearProgress(): void {
  if (stderr.isTTY) stderr.write('\r\u001b[K');
}
