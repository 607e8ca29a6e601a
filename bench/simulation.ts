import { Failure } from '../io/os/failure.ts';
import type { Recovery } from '../protocol/control/recovery.ts';
import type { BenchPart, PartContext } from './part.ts';
import { outputOf } from './programs.ts';
import type { SimulatedHours } from './simulate.ts';
import { textTable } from './table.ts';

const LOSSY = 'loss=2% delay=20ms seed=7';

const RUNS: readonly (readonly [name: string, link: string, recovery: Recovery])[] = [
  ['clean, 20 ms', 'delay=20ms', 'none'],
  ['2 % loss, 20 ms', LOSSY, 'none'],
  ['2 % loss, 20 ms', LOSSY, 'reorder'],
  ['2 % loss, 20 ms', LOSSY, 'nack'],
  ['2 % loss, 20 ms', LOSSY, 'fec'],
  ['2 % loss, 20 ms', LOSSY, 'hybrid'],
  ['2 % loss, 20 ms, 1 ms jitter', 'loss=2% delay=20ms jitter=1ms seed=7', 'hybrid'],
];

const COLUMNS = [
  'link',
  'recovery',
  'seconds',
  'times real time',
  'µs per datagram',
  'datagrams',
  'frames released',
  'recovered',
  'repeated bytes',
];

/** One hour of a 4 Mb/s stream on the virtual clock: its speed, and whether the same seed gives the same bytes. */
export const simulation: BenchPart = async (context) => {
  const rows: string[][] = [];
  const figures: unknown[] = [];
  const hours = context.quick ? 0.1 : 1;
  for (const [name, link, recovery] of RUNS) {
    context.progress(`simulation: ${name}, ${recovery}`);
    const timed = await simulate(context, hours, link, [recovery]);
    context.progress(`simulation: ${name}, ${recovery}, twice more for the bytes`);
    const first = await simulate(context, hours, link, [recovery, 'hash']);
    const second = await simulate(context, hours, link, [recovery, 'hash']);
    const same = first.hash === second.hash;
    rows.push([
      name,
      recovery,
      timed.processorSeconds.toFixed(1),
      ((hours * 3_600) / timed.processorSeconds).toFixed(0),
      ((timed.processorSeconds * 1e6) / timed.datagrams).toFixed(2),
      timed.datagrams.toLocaleString('en'),
      `${timed.framesReleased.toLocaleString('en')} of ${timed.framesTotal.toLocaleString('en')}`,
      timed.framesRecovered.toLocaleString('en'),
      same ? `same (${first.hash?.slice(0, 12)}…)` : 'DIFFERENT',
    ]);
    figures.push({ name, link, recovery, ...timed, hashes: [first.hash, second.hash] });
    if (!same)
      throw new Failure(
        `the same seed gave different datagrams (${name}); something reads a clock or unseeded randomness`,
      );
  }
  const text = [
    `${hours} h of a 4 Mb/s stream at 30 frames per second on the virtual clock; sender, link and receiver in one process.`,
    'Seconds: CPU time of all threads, without hashing. Bytes: SHA-256 of all datagrams with direction and time, in two runs.',
    '',
    textTable(COLUMNS, rows),
  ].join('\n');
  return { text, figures };
};

export async function simulate(
  { programs }: PartContext,
  hours: number,
  link: string,
  more: readonly string[],
  nodeArgs: readonly string[] = [],
): Promise<SimulatedHours> {
  const child = programs.startOurs('simulate', [String(hours), link, ...more], {
    nodeArgs,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await outputOf(child, 'the simulation')) as SimulatedHours;
}
