import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stderr, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Command } from 'commander';
import { parseCommandLine } from '../bench/command-line.ts';
import { failureOf, processorTime } from './campaign.ts';
import { FINDINGS, readFinding, writeCorpus, writeFinding } from './corpus.ts';
import { FUZZ_TARGETS } from './fuzz-targets.ts';
import { CURRENT_BYTES, type FuzzJob, type FuzzResult } from './fuzz-worker.ts';
import { ROOT } from './sample-files.ts';

/** CPU time without a new input after which the one under way counts as hanging. A busy machine gives little of it. */
const HANG_MS = 30_000;
const WATCH_INTERVAL_MS = 2_000;
const HEAP_MEGABYTES = 400;
const MINUTE_MS = 60_000;

interface Options {
  readonly minutes: string;
  readonly seed: string;
  readonly save?: boolean;
  readonly replay?: string;
}

interface Outcome {
  readonly result: FuzzResult | undefined;
  /** Why the worker did not come to its end; `undefined` when it did. */
  readonly died: string | undefined;
  readonly inputs: number;
  readonly current: Uint8Array;
}

/** Entry point of `npm run fuzz -- --minutes 10 receiver sender`. */
export async function main(argv: readonly string[]): Promise<number> {
  const names = FUZZ_TARGETS.map(({ name }) => name);
  const program = new Command('fuzz')
    .description('mutates sessions, messages and files, and runs the code that reads them; see docs/SECURITY.md')
    .argument('[targets...]', `what to run; default: all of ${names.join(', ')}`)
    .option('--minutes <count>', 'time for all targets together', '1')
    .option('--seed <number>', 'another seed gives other inputs; default: by the time')
    .option('--save', 'keep inputs that did something new in fuzz/corpus')
    .option('--replay <file>', 'run one input that failed, and print why');
  const ended = parseCommandLine(program, argv);
  if (ended !== undefined) return ended;
  const options = program.opts<Options>();
  if (options.replay !== undefined) return await replay(options.replay);
  const unknown = program.args.find((name) => !names.includes(name));
  const minutes = Number(options.minutes);
  if (unknown !== undefined || !(minutes > 0)) {
    const cause = unknown === undefined ? `--minutes ${options.minutes} is not a time` : `no target '${unknown}'`;
    stderr.write(`fuzz: ${cause}; see npm run fuzz -- --help\n`);
    return 2;
  }
  const seed = options.seed === undefined ? Date.now() >>> 0 : Number(options.seed) >>> 0;
  return await run(program.args.length > 0 ? program.args : names, { minutes, seed, save: options.save ?? false });
}

async function run(
  names: readonly string[],
  { minutes, seed, save }: { readonly minutes: number; readonly seed: number; readonly save: boolean },
): Promise<number> {
  const milliseconds = (minutes * MINUTE_MS) / names.length;
  let total = 0;
  let failures = 0;
  for (const target of names) {
    const start = processorTime();
    const { result, died, inputs, current } = await campaign({ target, seed, milliseconds });
    const seconds = Math.max(processorTime() - start, 1) / 1_000;
    const count = result?.inputs ?? inputs;
    total += count;
    const findings = result?.findings ?? [{ message: died!, input: current }];
    failures += findings.length;
    const rate = Math.round(count / seconds).toLocaleString('en');
    const kept = result ? `${result.features} behaviours, ${result.corpus.length} inputs kept` : 'ended early';
    stdout.write(
      `${target.padEnd(16)} ${count.toLocaleString('en').padStart(11)} inputs, ${rate} per second of CPU time, ${kept}\n`,
    );
    for (const { message, input } of findings) {
      stdout.write(`  FAILED: ${message}\n  npm run fuzz -- --replay ${writeFinding(target, input)}\n`);
    }
    if (save && result) writeCorpus(target, result.corpus);
  }
  stdout.write(`${total.toLocaleString('en')} inputs, ${failures} failures, seed ${seed}\n`);
  mkdirSync(FINDINGS, { recursive: true });
  const entry = {
    at: new Date().toISOString(),
    commit: commit(),
    targets: names,
    minutes,
    seed,
    inputs: total,
    failures,
  };
  appendFileSync(join(FINDINGS, 'log.jsonl'), `${JSON.stringify(entry)}\n`);
  return failures > 0 ? 1 : 0;
}

/** Runs one target in a thread of its own, with a memory limit and a watchdog for inputs that hang. */
async function campaign({ target, seed, milliseconds }: Omit<FuzzJob, 'current'>): Promise<Outcome> {
  const current = new SharedArrayBuffer(CURRENT_BYTES);
  const numbers = new Int32Array(current, 0, 2);
  const worker = new Worker(new URL('./fuzz-worker.js', import.meta.url), {
    workerData: { target, seed, milliseconds, current } satisfies FuzzJob,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  let result: FuzzResult | undefined;
  let died: string | undefined;
  const ended = new Promise<void>((resolve) => {
    worker.on('message', (message: FuzzResult) => {
      result = message;
    });
    worker.on('error', (error) => {
      died = `the thread died: ${error.message}`;
    });
    worker.on('exit', () => resolve());
  });
  const watch = new AbortController();
  const hang = (async () => {
    let last = -1;
    let since = processorTime();
    for (;;) {
      await sleep(WATCH_INTERVAL_MS, undefined, { signal: watch.signal }).catch(() => undefined);
      if (watch.signal.aborted) return;
      const count = Atomics.load(numbers, 0);
      if (count !== last) {
        last = count;
        since = processorTime();
      } else if (processorTime() - since > HANG_MS) {
        died = `no end within ${HANG_MS / 1_000} s of CPU time`;
        await worker.terminate();
        return;
      }
    }
  })();
  await ended;
  watch.abort();
  await hang;
  const inputs = Atomics.load(numbers, 0);
  return {
    result,
    died,
    inputs,
    current: new Uint8Array(current, 8, Math.min(numbers[1]!, CURRENT_BYTES - 8)).slice(),
  };
}

async function replay(path: string): Promise<number> {
  const { target: name, input } = readFinding(path);
  const target = FUZZ_TARGETS.find((each) => each.name === name);
  if (!target) {
    stderr.write(`fuzz: ${path} does not begin with the name of a target\n`);
    return 2;
  }
  const failure = await failureOf(target, input);
  stdout.write(failure === undefined ? 'passes\n' : `${failure}\n`);
  return failure === undefined ? 0 : 1;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
