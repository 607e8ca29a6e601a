import { Failure } from '../io/failure.ts';
import type { Part, PartContext } from './part.ts';
import { outputOf } from './programs.ts';
import type { SimulatedHours } from './simulate.ts';
import { table } from './table.ts';

const LINKS: readonly (readonly [name: string, link: string])[] = [
  ['clean, 20 ms', 'delay=20ms'],
  ['2 % loss, 20 ms, nack', 'loss=2% delay=20ms jitter=1ms seed=7'],
];

/** An hour of a 4 Mb/s stream on the virtual clock: how long it takes, and whether the same seed gives the same bytes. */
export const simulation: Part = async (context) => {
  const rows: string[][] = [];
  const figures: unknown[] = [];
  const hours = context.quick ? 0.1 : 1;
  for (const [name, link] of LINKS) {
    context.progress(`simulation: ${name}`);
    const timed = await simulate(context, hours, link, []);
    context.progress(`simulation: ${name}, twice more for the bytes`);
    const first = await simulate(context, hours, link, ['hash']);
    const second = await simulate(context, hours, link, ['hash']);
    const same = first.hash === second.hash;
    rows.push([
      name,
      timed.processorSeconds.toFixed(1),
      timed.datagrams.toLocaleString('en'),
      `${timed.framesReleased.toLocaleString('en')} of ${timed.framesTotal.toLocaleString('en')}`,
      timed.framesRecovered.toLocaleString('en'),
      same ? `same (${first.hash?.slice(0, 12)}…)` : 'DIFFERENT',
    ]);
    figures.push({ name, link, ...timed, hashes: [first.hash, second.hash] });
    if (!same) throw new Failure(`the same seed gave different datagrams (${name}): something reads a clock or chance`);
  }
  const text = [
    `${hours} h of a stream of 4 Mb/s at 30 frames a second on the virtual clock, sender, link and receiver in one process.`,
    'Seconds: processor time without hashing. Bytes: SHA-256 of every datagram, its direction and its instant, of two runs.',
    '',
    table(['link', 'seconds', 'datagrams', 'frames released', 'recovered', 'bytes, twice'], rows),
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
