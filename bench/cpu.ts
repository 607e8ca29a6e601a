import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Failure } from '../io/os/failure.ts';
import type { RunSummary } from '../session/run/run-summary.ts';
import { makeClip } from './clips.ts';
import type { BenchPart, PartContext, PartResult } from './part.ts';
import { bytesWritten, processorMs } from './process-figures.ts';
import { line, sleep } from './programs.ts';
import { median, textTable } from './table.ts';

interface Load {
  readonly name: string;
  readonly input: string;
  readonly megabitsPerSecond: number;
}

/** CPU time of one run, milliseconds per megabit of media. */
export interface Reading {
  readonly sender: number;
  readonly receiver: number;
  /** Over the whole lifetime of both processes, with start-up. */
  readonly senderWhole: number;
  readonly receiverWhole: number;
  /** Fraction delivered in time, 0 … 1: frames for dropframe, bytes for SRT. */
  readonly delivered: number;
}

/** Warm-up of compilers and caches in both programs, milliseconds. */
const START_UP_MS = 3_000;
/** Picture size by bit rate; other rates use synthetic access units. */
const PICTURES: Readonly<Record<number, string>> = { 4: '1280x720', 50: '1920x1080' };

/** CPU time of sender and receiver at several bit rates over loopback, compared with srt-live-transmit. */
export const cpu: BenchPart = async (context) => {
  const { rates, rounds, progress, quick } = context;
  const loads: Load[] = [];
  for (const rate of rates) {
    progress(`cpu: clip of ${rate} Mb/s`);
    loads.push(await loadOf(rate, context));
  }
  const measureMs = quick ? 4_000 : 20_000;
  const readings: { load: string; round: number; peer: string; reading: Reading }[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const load of loads) {
      for (const [peer, run] of [
        ['dropframe', runOurs],
        ['srt', runSrt],
      ] as const) {
        progress(`cpu: round ${round} of ${rounds}, ${load.name}, ${peer}`);
        readings.push({ load: load.name, round, peer, reading: await run(load, measureMs, context) });
      }
    }
  }
  return report(loads, readings, measureMs);
};

export async function loadOf(rate: number, { folder, programs }: PartContext): Promise<Load> {
  const size = PICTURES[rate];
  if (size === undefined)
    return { name: `${rate} Mb/s synthetic`, input: `synthetic=${rate}`, megabitsPerSecond: rate };
  const clip = await makeClip(folder, rate, size, programs);
  return { name: `${rate} Mb/s H.264`, input: clip.path, megabitsPerSecond: clip.megabitsPerSecond };
}

/**
 * @param options.encrypted true: TLS and SRTP, by a passphrase; `sound` false: that of the load is left out. Not for
 *   synthetic loads.
 */
export async function runOurs(
  load: Load,
  measureMs: number,
  { programs, folder, signal }: PartContext,
  { encrypted = false, sound = true }: { readonly encrypted?: boolean; readonly sound?: boolean } = {},
): Promise<Reading> {
  const proof = encrypted ? ['--passphrase', 'of the benchmark'] : [];
  const silent = sound ? [] : ['--no-audio'];
  const synthetic = load.input.startsWith('synthetic');
  const sender = synthetic
    ? programs.startOurs('serve', [load.input], { stdio: ['ignore', 'pipe', 'inherit'] })
    : programs.startOurs('command', ['send', load.input, '--loop', '--listen', '127.0.0.1:0', ...proof, ...silent], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
  const said = await line((sender.stdout ?? sender.stderr)!, /(?:port |127\.0\.0\.1:)(\d+)/, 'the sender');
  const summary = join(folder, `receiver-${said[1]}.json`);
  const url = `dropframe://127.0.0.1:${said[1]}`;
  const receiver = programs.startOurs('command', [
    'receive',
    url,
    '--play',
    'none',
    '--quiet',
    '--summary',
    summary,
    ...proof,
  ]);
  const reading = await measure({ sender: sender.pid!, receiver: receiver.pid! }, load, measureMs, signal);
  await programs.stop(receiver);
  await programs.stop(sender);
  const { frames, encrypted: was } = JSON.parse(readFileSync(summary, 'utf8')) as RunSummary;
  if (was !== encrypted) throw new Failure('the run was not encrypted');
  return { ...reading, delivered: (frames.onTime + frames.recovered) / frames.total };
}

/** SRT buffers for 500 Mb/s at dropframe's default play-out delay. */
const SRT_OPTIONS = 'latency=120&sndbuf=100000000&rcvbuf=100000000&fc=80000';

/** Time until an SRT listener is ready, milliseconds. */
const LISTENING_MS = 300;

async function runSrt(load: Load, measureMs: number, { programs, signal }: PartContext): Promise<Reading> {
  const port = await freePort();
  const srt = (role: string) => `srt://127.0.0.1:${port}?${role}${SRT_OPTIONS}`;
  const receiver = programs.start('srt-live-transmit', ['-q', '-chunk:1316', srt('mode=listener&'), 'file://con']);
  if (receiver.pid === undefined)
    throw new Failure('srt-live-transmit is not installed; install it with apt-get install srt-tools', 3);
  await sleep(LISTENING_MS, signal);
  const sender = programs.start('srt-live-transmit', ['-q', '-chunk:1316', 'file://con', srt('')], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // The feed inherits the pipe, so no data passes through this process.
  const feed = programs.startOurs('feed', [load.input], { stdio: ['ignore', sender.stdin!, 'inherit'] });
  sender.stdin!.destroy();
  let written = 0;
  const count = () => {
    written = bytesWritten(receiver.pid!) - written;
  };
  const pids = { sender: sender.pid!, receiver: receiver.pid };
  const reading = await measure(pids, load, measureMs, signal, count);
  await programs.stop(feed);
  await programs.stop(sender);
  await programs.stop(receiver);
  return { ...reading, delivered: (written * 8) / 1e3 / measureMs / load.megabitsPerSecond };
}

async function measure(
  pids: { readonly sender: number; readonly receiver: number },
  load: Load,
  measureMs: number,
  signal: AbortSignal,
  onMark: () => void = () => {},
): Promise<Omit<Reading, 'delivered'>> {
  const read = () => ({
    at: performance.now(),
    sender: processorMs(pids.sender),
    receiver: processorMs(pids.receiver),
  });
  const startedAt = performance.now();
  await sleep(START_UP_MS, signal);
  const first = read();
  onMark();
  await sleep(measureMs, signal);
  const last = read();
  onMark();
  const megabits = ((last.at - first.at) / 1e3) * load.megabitsPerSecond;
  const whole = ((last.at - startedAt) / 1e3) * load.megabitsPerSecond;
  return {
    sender: (last.sender - first.sender) / megabits,
    receiver: (last.receiver - first.receiver) / megabits,
    senderWhole: last.sender / whole,
    receiverWhole: last.receiver / whole,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function report(
  loads: readonly Load[],
  readings: readonly { load: string; peer: string; reading: Reading }[],
  measureMs: number,
): PartResult {
  const of = (load: string, peer: string, pick: (reading: Reading) => number) =>
    median(readings.filter((each) => each.load === load && each.peer === peer).map((each) => pick(each.reading)));
  const rows: string[][] = [];
  const figures: unknown[] = [];
  for (const { name, megabitsPerSecond } of loads) {
    for (const side of ['sender', 'receiver'] as const) {
      const ours = of(name, 'dropframe', (reading) => reading[side]);
      const srt = of(name, 'srt', (reading) => reading[side]);
      const whole = (peer: string) => of(name, peer, (reading) => reading[`${side}Whole`]);
      rows.push([
        `${name}, ${side}`,
        ours.toFixed(3),
        srt.toFixed(3),
        (ours / srt).toFixed(2),
        whole('dropframe').toFixed(3),
        whole('srt').toFixed(3),
      ]);
      figures.push({ load: name, megabitsPerSecond, side, ours, srt, ratio: ours / srt });
    }
    const delivered = (peer: string) => of(name, peer, (reading) => reading.delivered);
    rows.push([
      `${name}, delivered`,
      `${(delivered('dropframe') * 100).toFixed(1)} %`,
      `${(delivered('srt') * 100).toFixed(1)} %`,
      '',
      '',
      '',
    ]);
  }
  const text = [
    'CPU time, user and system, in milliseconds per megabit of media; loopback, medians.',
    `Steady: ${measureMs / 1_000} s, from ${START_UP_MS / 1_000} s after the start. Whole: from the start, with start-up.`,
    'dropframe: `send` (reading the clip, or synthetic units) and `receive --play none`.',
    'srt: two srt-live-transmit, standard input to SRT to /dev/null; the process that feeds the first is not counted.',
    '',
    textTable(['', 'dropframe', 'srt', 'ratio', 'whole', 'srt whole'], rows),
  ].join('\n');
  return { text, figures: { medians: figures, readings } };
}
