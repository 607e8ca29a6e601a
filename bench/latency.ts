import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { percentile, type Sorted, sorted } from '../lab/metrics/percentile.ts';
import type { ReceiverStatistics } from '../receiver/receiver-statistics.ts';
import type { BenchPart, PartContext } from './part.ts';
import { line, outputOf, sleep } from './programs.ts';
import { median, textTable } from './table.ts';

const SAMPLE = fileURLToPath(new URL('../../../../samples/counter.mp4', import.meta.url));
/** The command as it is packaged; compiles the checkout if it has changed. */
const COMMAND = fileURLToPath(new URL('../../../../bin/dropframe.js', import.meta.url));
const BUDGETS_MS = [60, 120, 300];
const ROUNDS_MIN = 5;
/** Default of `receive --latency`. */
const PLAYOUT_DELAY_MS = 120;

/** Time to the first picture, and accuracy of the play-out delay relative to the budget. */
export const latency: BenchPart = async (context) => {
  const first = await firstPictures(context);
  const delays: PlayoutDelay[] = [];
  for (const budget of BUDGETS_MS) {
    context.progress(`latency: play-out delay at ${budget} ms`);
    delays.push(await playoutDelay(budget, context));
  }
  const empty = first.map(({ emptyMs }) => emptyMs);
  const text = [
    'First picture: from the start of `receive --play none --output -` to the first bytes of its output; the sender is',
    `already serving samples/counter.mp4. In turns with an empty Node process, ${first.length} runs each.`,
    '',
    textTable(
      ['', 'median ms', 'best', 'worst', 'median / node -e 0'],
      [
        ['first picture', first.map(({ pictureMs }) => pictureMs)],
        ['… without the play-out delay', first.map(({ pictureMs }) => pictureMs - PLAYOUT_DELAY_MS)],
        ['node -e 0', empty],
      ].map(([name, values]) => startRow(name as string, values as number[], median(empty))),
    ),
    '',
    'Play-out delay: as reported by the receiver (above the fastest observed transit), and true, from the time the frame',
    'enters the sender to its release by the receiver, on the clock shared by both processes.',
    '',
    textTable(
      ['budget ms', 'own p50', 'own p99', 'true p50', 'true p99', 'frames'],
      delays.map(({ budget, own, trueMs }) => [
        String(budget),
        ms((own.p50 ?? Number.NaN) / 1e3),
        ms((own.p99 ?? Number.NaN) / 1e3),
        ms(percentile(trueMs, 0.5) ?? Number.NaN),
        ms(percentile(trueMs, 0.99) ?? Number.NaN),
        String(trueMs.length),
      ]),
    ),
  ].join('\n');
  const figures = delays.map(({ budget, own, trueMs }) => {
    return { budget, own, trueP50: percentile(trueMs, 0.5), trueP99: percentile(trueMs, 0.99) };
  });
  return { text, figures: { firstPicture: first, playoutDelay: figures } };
};

const ms = (value: number): string => value.toFixed(1);

const startRow = (name: string, values: readonly number[], emptyMs: number): string[] => [
  name,
  ms(median(values)),
  ms(Math.min(...values)),
  ms(Math.max(...values)),
  (median(values) / emptyMs).toFixed(2),
];

/** Wall-clock times of two programs started one after the other. */
interface Starts {
  readonly pictureMs: number;
  readonly emptyMs: number;
}

async function firstPictures({ programs, rounds, quick, progress }: PartContext): Promise<Starts[]> {
  spawnSync(process.execPath, [COMMAND, '--version']);
  const sender = programs.startOurs('command', ['send', SAMPLE, '--loop', '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [, port] = await line(sender.stderr!, /127\.0\.0\.1:(\d+)/, 'the sender');
  const found: Starts[] = [];
  for (let round = 0; round < (quick ? 2 : Math.max(ROUNDS_MIN, rounds)); round++) {
    progress(`latency: first picture, run ${round + 1}`);
    const startedAt = performance.now();
    const args = ['receive', `dropframe://127.0.0.1:${port}`, '--play', 'none', '--quiet', '--output', '-'];
    const receiver = programs.start(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(receiver.stdout!, 'data');
    const pictureMs = performance.now() - startedAt;
    receiver.stdout!.resume();
    await programs.stop(receiver);
    const emptyAt = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    found.push({ pictureMs, emptyMs: performance.now() - emptyAt });
  }
  await programs.stop(sender);
  return found;
}

interface PlayoutDelay {
  readonly budget: number;
  /** Reported by the receiver, microseconds. */
  readonly own: ReceiverStatistics['playoutDelay'];
  /** Measured per frame, milliseconds. */
  readonly trueMs: Sorted;
}

async function playoutDelay(budget: number, { programs, folder, quick, signal }: PartContext): Promise<PlayoutDelay> {
  const sent = join(folder, 'sent.txt');
  const released = join(folder, 'released.txt');
  const sender = programs.startOurs('serve', [SAMPLE, sent], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [, port = ''] = await line(sender.stdout!, /port (\d+)/, 'the sender');
  const receiver = programs.startOurs('join', [port, String(budget), released], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const summary = outputOf(receiver, 'the receiver');
  await sleep(quick ? 3_000 : 20_000, signal);
  await programs.stop(receiver);
  const own = JSON.parse(await summary) as ReceiverStatistics['playoutDelay'];
  await programs.stop(sender);
  const sentAt = stampsOf(sent);
  const trueMs: number[] = [];
  for (const [timestamp, at] of stampsOf(released)) {
    const from = sentAt.get(timestamp);
    if (from !== undefined) trueMs.push((at - from) / 1e3);
  }
  return { budget, own, trueMs: sorted(trueMs) };
}

function stampsOf(path: string): Map<number, number> {
  const stamps = new Map<number, number>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    const [timestamp, at] = text.split(' ').map(Number);
    if (timestamp !== undefined && at !== undefined) stamps.set(timestamp, at);
  }
  return stamps;
}
