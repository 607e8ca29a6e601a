import { argv, stdout } from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { RECOVERIES, type Recovery } from '../protocol/recovery.ts';
import type { Part } from './part.ts';
import { interval, MORE_POINTS, type Outcome, POINTS, type Point, runPoint } from './point.ts';
import { table } from './table.ts';

interface Row {
  readonly point: Point;
  readonly recovery: Recovery;
  readonly outcomes: readonly Outcome[];
}

const percent = (share: number, digits: number): string => `${(share * 100).toFixed(digits)}`;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function cells({ point, recovery, outcomes }: Row): string[] {
  const frames = sum(outcomes.map((outcome) => outcome.frames));
  const lost = sum(outcomes.map((outcome) => outcome.framesLost));
  const overhead = sum(outcomes.map((outcome) => outcome.overhead)) / outcomes.length;
  const { low, high } = interval(lost, frames);
  const { target } = point;
  const goal = target ? `${percent(target.lost, 2)} / ${percent(target.overhead, 1)}` : '–';
  const first = outcomes[0]!;
  return [
    point.name,
    recovery,
    `${point.forward}, ${point.budgetMs} ms`,
    `${percent(lost / frames, 4)}`,
    `${percent(low, 4)}–${percent(high, 4)}`,
    `${percent(overhead, 2)}`,
    goal,
    `${first.delayMsP50.toFixed(1)} / ${first.delayMsP99.toFixed(1)}`,
  ];
}

const HEAD = [
  'point',
  'recovery',
  'forward path, budget',
  'frames lost %',
  '95 %',
  'overhead %',
  'target',
  'p50/p99 ms',
];

const tableOf = (rows: readonly Row[]): string => table(HEAD, rows.map(cells));

/** Frames lost and bytes spent at each point of the comparison with SRT and RIST, on the virtual clock. */
export const points: Part = async (context) => {
  const rows: Row[] = [];
  const frames = context.quick ? 2_000 : 20_000;
  for (const recovery of RECOVERIES.slice(2)) {
    for (const point of POINTS) {
      const outcomes: Outcome[] = [];
      for (let seed = 1; seed <= context.rounds; seed++) {
        context.progress(`points: ${point.name}, ${recovery}, seed ${seed}`);
        outcomes.push(runPoint(point, { recovery, frames, seed }));
        // A breath, for Ctrl-C.
        await new Promise((resolve) => setImmediate(resolve));
      }
      rows.push({ point, recovery, outcomes });
    }
  }
  return { text: tableOf(rows), figures: rows };
};

/** `tsx bench/points.ts --points AB --recovery hybrid --frames 100000 --seeds 3` */
function main(): void {
  const { values } = parseArgs({
    options: {
      points: { type: 'string', default: POINTS.map(({ name }) => name).join('') },
      recovery: { type: 'string', default: 'hybrid' },
      frames: { type: 'string', default: '20000' },
      seeds: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const rows: Row[] = [];
  for (const recovery of RECOVERIES.filter((known) => values.recovery.split(',').includes(known))) {
    for (const point of [...POINTS, ...MORE_POINTS].filter(({ name }) => values.points.includes(name))) {
      const outcomes: Outcome[] = [];
      for (let seed = 1; seed <= Number(values.seeds); seed++) {
        outcomes.push(runPoint(point, { recovery, frames: Number(values.frames), seed }));
      }
      rows.push({ point, recovery, outcomes });
    }
  }
  stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : `${tableOf(rows)}\n`);
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) main();
