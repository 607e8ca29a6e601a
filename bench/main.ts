import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { platform, stderr, stdout, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Argument, Command } from 'commander';
import { Failure } from '../io/os/failure.ts';
import { attacks } from './attacks.ts';
import { cipher } from './cipher.ts';
import { parseCommandLine } from './command-line.ts';
import { cpu } from './cpu.ts';
import { encryption } from './encryption.ts';
import { fanout } from './fanout.ts';
import { forgeries } from './forgeries.ts';
import { lanes } from './lanes.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { page } from './page.ts';
import type { BenchPart } from './part.ts';
import { players } from './players.ts';
import { points } from './points.ts';
import { BenchInterrupted, Programs } from './programs.ts';
import { repair } from './repair.ts';
import { secrets } from './secrets.ts';
import { simulation } from './simulation.ts';
import { day, soak } from './soak.ts';
import { sound } from './sound.ts';
import { start } from './start.ts';
import { storms } from './storms.ts';
import { sync } from './sync.ts';
import { tcpModel } from './tcp-model.ts';
import { tracks } from './tracks.ts';
import { tun } from './tun.ts';
import { whep } from './whep.ts';

const PARTS: Readonly<Record<string, BenchPart>> = {
  attacks,
  cipher,
  cpu,
  day,
  encryption,
  fanout,
  forgeries,
  lanes,
  latency,
  memory,
  page,
  players,
  points,
  repair,
  secrets,
  simulation,
  soak,
  sound,
  start,
  storms,
  sync,
  'tcp-model': tcpModel,
  tracks,
  tun,
  whep,
};
const INTERRUPTED = 130;

interface Options {
  readonly quick?: boolean;
  readonly rounds: string;
  readonly rates: string;
  readonly minutes: string;
}

/**
 * Entry point of `npm run bench -- cpu latency`: runs the parts in turn, prints tables, and writes JSON to out/bench/.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('bench')
    .description('benchmarks of dropframe; see docs/BENCHMARKS.md')
    .addArgument(new Argument('[parts...]', 'parts to measure; default: all').choices(Object.keys(PARTS)))
    .option('--quick', 'short runs, to check that it works; do not quote the figures')
    .option('--rounds <count>', 'repetitions of each measurement; medians are shown', '5')
    .option('--rates <list>', 'bit rates of cpu, Mb/s', '4,50,500')
    .option('--minutes <count>', 'duration of soak, and of the memory measurement of page', '10');
  const ended = parseCommandLine(program, argv);
  if (ended !== undefined) return ended;
  const parts = program.args.length > 0 ? program.args : Object.keys(PARTS);
  return await run(parts, program.opts<Options>());
}

async function run(parts: readonly string[], options: Options): Promise<number> {
  if (platform !== 'linux') {
    stderr.write('bench: needs Linux, to read CPU time from /proc\n');
    return 3;
  }
  const folder = fileURLToPath(new URL('../..', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const programs = new Programs();
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const aborted = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(new BenchInterrupted()));
  });
  aborted.catch(() => {});
  try {
    for (const name of parts) {
      const part = PARTS[name]!({
        folder,
        programs,
        signal: stop.signal,
        quick: options.quick === true,
        rates: options.rates.split(',').map(Number),
        minutes: options.quick ? 1 : Number(options.minutes),
        rounds: options.quick ? 1 : Number(options.rounds),
        progress: showProgress,
      });
      const { text, figures } = await Promise.race([part, aborted]);
      clearProgress();
      stdout.write(`\n${name}\n${'='.repeat(name.length)}\n${text}\n`);
      const machine = { processor: cpus()[0]?.model, cores: cpus().length, node: version };
      const record = { at: new Date().toISOString(), machine, quick: options.quick === true, figures };
      writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`);
    }
    return 0;
  } catch (error) {
    clearProgress();
    if (error instanceof BenchInterrupted) return INTERRUPTED;
    if (!(error instanceof Failure)) throw error;
    stderr.write(`bench: ${error.message}\n`);
    return error.exitCode;
  } finally {
    await programs.stopAll();
  }
}

function showProgress(text: string): void {
  if (stderr.isTTY) stderr.write(`\r\u001b[K${text}`);
  else stderr.write(`${text}\n`);
}

function clearProgress(): void {
  if (stderr.isTTY) stderr.write('\r\u001b[K');
}
