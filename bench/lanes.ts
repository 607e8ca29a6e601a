import { WebSocket } from 'ws';
import { LANE_SOCKET_PATH, type LaneFigures } from '../protocol/page/lane-message.ts';
import { makeClip } from './clips.ts';
import type { BenchPart, PartContext } from './part.ts';
import { processorMs, residentMegabytes } from './process-figures.ts';
import { line, sleep } from './programs.ts';
import { median, textTable } from './table.ts';

const MEGABITS_PER_SECOND = 2;
const SIZE = '1280x720';
const LINKS = ['delay=10ms', 'loss=4% delay=30ms±4ms order=kept'];
/** Warm-up of compilers, milliseconds. */
const START_UP_MS = 5_000;

interface Reading {
  readonly link: string;
  /** CPU time of the server as a fraction of one core. */
  readonly core: number;
  readonly residentMegabytes: number;
  /** From process start to the first binary message at a connected page, milliseconds. */
  readonly firstPictureMs: number;
  readonly lanes: readonly LaneFigures[];
}

/** Server cost of the page with three lanes and one connected window. */
export const lanes: BenchPart = async (context) => {
  const clip = await makeClip(context.folder, MEGABITS_PER_SECOND, SIZE, context.programs);
  const measureMs = context.quick ? 4_000 : 20_000;
  const readings: Reading[] = [];
  for (let round = 1; round <= context.rounds; round++) {
    for (const link of LINKS) {
      context.progress(`lanes: round ${round} of ${context.rounds}, ${link}`);
      readings.push(await run(clip.path, link, measureMs, context));
    }
  }
  const rows = LINKS.map((link) => {
    const of = readings.filter((reading) => reading.link === link);
    const middle = (pick: (reading: Reading) => number) => median(of.map(pick));
    return [
      link,
      `${(middle(({ core }) => core) * 100).toFixed(1)} %`,
      `${middle((reading) => reading.residentMegabytes).toFixed(0)} MB`,
      `${middle(({ firstPictureMs }) => firstPictureMs).toFixed(0)} ms`,
      ...[0, 1, 2].map((lane) => `${middle((reading) => reading.lanes[lane]?.lagMsP95 ?? Number.NaN).toFixed(0)} ms`),
    ];
  });
  const head = ['link', 'of one core', 'resident', 'first picture', 'lag p95: UDP reorder', 'UDP hybrid', 'TCP cubic'];
  const text = [
    `The demo's three lanes, ${clip.megabitsPerSecond.toFixed(2)} Mb/s of 720p each, with one connected window; medians.`,
    textTable(head, rows),
  ];
  return { text: text.join('\n'), figures: { megabitsPerSecond: clip.megabitsPerSecond, readings } };
};

async function run(input: string, link: string, measureMs: number, context: PartContext): Promise<Reading> {
  const { programs, signal } = context;
  const startedAt = performance.now();
  const server = programs.startOurs('command', ['demo', input, '--no-open-browser', '--link', `${link} seed=1`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [url] = await line(server.stderr!, /http:\/\/127\.0\.0\.1:\d+\//, 'the demo');
  const window = new WebSocket(new URL(LANE_SOCKET_PATH, url.replace('http', 'ws')), { origin: url.slice(0, -1) });
  const firstPictureMs = await new Promise<number>((resolve, reject) => {
    window.on('error', reject);
    window.on('message', (_message, isBinary) => {
      if (isBinary) resolve(performance.now() - startedAt);
    });
  });
  await sleep(START_UP_MS, signal);
  const [at, before] = [performance.now(), processorMs(server.pid!)];
  await sleep(measureMs, signal);
  const core = (processorMs(server.pid!) - before) / (performance.now() - at);
  const resident = residentMegabytes(server.pid!);
  const summary = (await (await fetch(new URL('/summary.json', url))).json()) as {
    readonly lanes: readonly { readonly figures: LaneFigures }[];
  };
  window.terminate();
  await programs.stop(server);
  return {
    link,
    core,
    residentMegabytes: resident,
    firstPictureMs,
    lanes: summary.lanes.map(({ figures }) => figures),
  };
}
