import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Failure } from '../io/os/failure.ts';
import type { MemoryInUse } from './heap-probe.ts';
import type { BenchPart } from './part.ts';
import { line, type Programs, sleep } from './programs.ts';
import { simulate } from './simulation.ts';
import { textTable } from './table.ts';
import { trendOf } from './trend.ts';

const SAMPLE_MS = 10_000;
/** A receiver joins, stays for this time, and leaves; the next one then joins. */
const STAY_MS = 7_000;
/** Share of the time after which pools are filled and code is compiled. */
const WARM_UP = 0.25;
const PASSPHRASE = 'soak soak soak';
const SIDES = ['sender', 'udp receiver', 'tcp receiver'] as const;

interface Sample {
  readonly hours: number;
  readonly memory: Readonly<Record<string, MemoryInUse>>;
}

/**
 * Memory of an encrypted stream on real sockets: a sender, a receiver on an impaired path, one over TCP, and one that joins
 * and leaves all the time.
 */
export const soak: BenchPart = async (context) => {
  const { programs, signal, progress, quick } = context;
  const minutes = quick ? 1 : context.minutes;
  const clip = fileURLToPath(new URL('../../../../samples/counter.h264', import.meta.url));
  const proof = ['--passphrase', PASSPHRASE];
  const sender = ours(programs, ['send', clip, '--loop', '--listen', '127.0.0.1:0', ...proof], 'pipe');
  const [, url = ''] = await line(sender.stderr!, /(dropframe:\/\/\S+)$/, 'the sender');
  const receive = (...args: readonly string[]): ChildProcess =>
    ours(programs, ['receive', url, '--play', 'none', '--quiet', ...proof, ...args], 'inherit');
  const processes: Readonly<Record<string, ChildProcess>> = {
    sender,
    'udp receiver': receive('--link', 'loss=2% burst=2 delay=20ms jitter=3ms dup=0.5%'),
    'tcp receiver': receive('--transport', 'tcp'),
  };
  let visits = 0;
  const over = new AbortController();
  const visiting = (async () => {
    while (!over.signal.aborted && !signal.aborted) {
      const visitor = receive();
      await sleep(STAY_MS, signal);
      await programs.stop(visitor);
      visits++;
    }
  })();
  // Awaited at the end only; an interruption ends the measurement before.
  visiting.catch(() => {});
  const startedAt = performance.now();
  const samples: Sample[] = [];
  for (let elapsedMs = 0; elapsedMs < minutes * 60_000; ) {
    await sleep(SAMPLE_MS, signal);
    elapsedMs = performance.now() - startedAt;
    const memory: Record<string, MemoryInUse> = {};
    for (const [name, child] of Object.entries(processes)) memory[name] = await memoryOf(child, name);
    samples.push({ hours: elapsedMs / 3_600_000, memory });
    progress(`soak: ${(elapsedMs / 60_000).toFixed(1)} of ${minutes} min, ${visits} visits`);
  }
  over.abort();
  await visiting;
  for (const child of Object.values(processes)) await programs.stop(child);
  return { text: textOf(samples, { minutes, visits }), figures: { samples, visits } };
};

/** Memory at each hour of a simulated day, with its slope. */
export const day: BenchPart = async (context) => {
  const hours = context.quick ? 4 : 24;
  context.progress(`day: ${hours} simulated hours`);
  const run = await simulate(context, hours, 'loss=1% delay=20ms', ['hybrid'], ['--expose-gc']);
  const points = run.heapMegabytes.map((megabytes, index) => [index + 1, megabytes] as const).slice(1);
  const { slope, margin } = trendOf(points);
  const text = [
    `Heap and buffers of sender, link and receiver in MB after collection, at each of ${hours} simulated hours (4 Mb/s, 1 % loss,`,
    `hybrid; ${run.framesTotal.toLocaleString('en')} frames). Slope from the second hour on: ${(slope * 1_000).toFixed(1)} ± ${(margin * 1_000).toFixed(1)} kB an hour (95 %).`,
    '',
    run.heapMegabytes.map((megabytes) => megabytes.toFixed(2)).join('  '),
  ].join('\n');
  return { text, figures: run };
};

function textOf(samples: readonly Sample[], run: { readonly minutes: number; readonly visits: number }): string {
  const settled = samples.filter(({ hours }) => hours * 60 >= run.minutes * WARM_UP);
  const rows = SIDES.flatMap((name) =>
    (['heap', 'resident'] as const).map((kind) => {
      const points = settled.map(({ hours, memory }) => [hours, memory[name]![kind]] as const);
      const values = points.map(([, value]) => value);
      const { slope, margin, effectiveSamples } = trendOf(points);
      return [
        `${name}, ${kind === 'heap' ? 'heap and buffers after collection' : 'resident'}`,
        Math.min(...values).toFixed(1),
        Math.max(...values).toFixed(1),
        `${slope.toFixed(2)} ± ${margin.toFixed(2)}`,
        effectiveSamples.toFixed(0),
      ];
    }),
  );
  return [
    `Memory in MB, ${run.minutes} minutes of an encrypted stream on loopback, a sample each ${SAMPLE_MS / 1_000} s, without the first`,
    `${WARM_UP * 100} %. ${run.visits} further receivers joined and left. Slope: least squares with its 95 % interval, MB an hour.`,
    '',
    textTable(['', 'least', 'most', 'slope', 'independent samples'], rows),
  ].join('\n');
}

/** Starts the command, which answers with its memory. */
function ours(programs: Programs, args: readonly string[], errors: 'pipe' | 'inherit'): ChildProcess {
  return programs.startOurs('command', args, {
    nodeArgs: ['--expose-gc', '--import', new URL('./heap-probe.js', import.meta.url).href],
    stdio: ['ignore', 'ignore', errors, 'ipc'],
  });
}

async function memoryOf(child: ChildProcess, name: string): Promise<MemoryInUse> {
  if (!child.connected) throw new Failure(`the ${name} has ended before its time`);
  const answer = once(child, 'message');
  child.send('memory');
  const [memory] = await answer;
  return memory as MemoryInUse;
}
