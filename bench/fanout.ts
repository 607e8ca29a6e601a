import { once } from 'node:events';
import { join } from 'node:path';
import { Failure } from '../io/os/failure.ts';
import type { BenchPart, PartContext } from './part.ts';
import { processorMs, residentMegabytes } from './process-figures.ts';
import { line, outputOf, sleep } from './programs.ts';
import { median, textTable } from './table.ts';

/** Bit rate of the stream, megabits per second. */
const RATE = 1;
const AUDIENCES = [1, 100, 300];
const QUICK_AUDIENCES = [1, 20];
/** Time to fill the histories (latency, mend and a second), seconds. */
const WARM_UP_S = 8;

/** Figures of the audience. */
interface Heard {
  readonly packets: number;
  readonly sent: number;
  /** Of each receiver. */
  readonly framesPerSecond: number;
  /** Delays from the sender's source to the arrival of a frame's last packet, milliseconds. */
  readonly p50: number | null;
  readonly p99: number | null;
}

interface Reading extends Heard {
  /** CPU time of the sender, share of a core. */
  readonly core: number;
  readonly residentMb: number;
}

/** One sender process and many receivers, which are light enough to run hundreds of them in a process beside it. */
export const fanout: BenchPart = async (context) => {
  const rows: string[][] = [];
  const figures: unknown[] = [];
  let alone: number | undefined;
  for (const count of context.quick ? QUICK_AUDIENCES : AUDIENCES) {
    const readings: Reading[] = [];
    for (let round = 1; round <= context.rounds; round++) {
      context.progress(`fanout: ${count} receivers, round ${round} of ${context.rounds}`);
      readings.push(await measured(count, context));
    }
    const middle = (pick: (reading: Reading) => number) => median(readings.map(pick));
    const resident = middle(({ residentMb }) => residentMb);
    alone ??= resident;
    const each = count === 1 ? '' : ((resident - alone) / (count - 1)).toFixed(2);
    const lost = middle(({ packets, sent }) => 1 - packets / sent);
    rows.push([
      String(count),
      `${(middle(({ core }) => core) * 100).toFixed(1)} %`,
      resident.toFixed(0),
      each,
      middle(({ framesPerSecond }) => framesPerSecond).toFixed(1),
      middle(({ p50 }) => p50 ?? Number.NaN).toFixed(1),
      middle(({ p99 }) => p99 ?? Number.NaN).toFixed(1),
      `${(lost * 100).toFixed(3)} %`,
    ]);
    figures.push({ count, readings });
  }
  const text = [
    `One sender process, ${RATE} Mb/s at 30 frames per second over loopback, receivers that count and report each second.`,
    'CPU of the sender as a share of a core; resident memory; delay from the source to the last packet of a frame.',
    '',
    textTable(['receivers', 'CPU', 'MB', 'MB each', 'frames/s', 'p50 ms', 'p99 ms', 'lost'], rows),
  ].join('\n');
  return { text, figures };
};

async function measured(count: number, { programs, folder, quick, signal }: PartContext): Promise<Reading> {
  const stamps = join(folder, 'fanout.txt');
  const pipe = ['ignore', 'pipe', 'inherit'] as const;
  const sender = programs.startOurs('serve', [`synthetic=${RATE}`, stamps, String(count)], { stdio: [...pipe] });
  const [, port = ''] = await line(sender.stdout!, /^port (\d+)$/, 'the sender');
  const audience = programs.startOurs('audience', [port, String(count), stamps], { stdio: [...pipe] });
  const output = outputOf(audience, 'the audience');
  await Promise.race([once(audience.stdout!, 'data'), output]);
  await sleep(quick ? 1_000 : WARM_UP_S * 1_000, signal);
  const [startedAt, before] = [performance.now(), processorMs(sender.pid!)];
  await sleep(quick ? 2_000 : 20_000, signal);
  const core = (processorMs(sender.pid!) - before) / (performance.now() - startedAt);
  const residentMb = residentMegabytes(sender.pid!);
  // The sender writes its stamps when it ends.
  await programs.stop(sender);
  await programs.stop(audience);
  const text = (await output).split('\n').find((each) => each.startsWith('{'));
  if (text === undefined) throw new Failure('the audience said nothing');
  return { ...(JSON.parse(text) as Heard), core, residentMb };
}
