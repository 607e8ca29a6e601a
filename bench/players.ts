import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeClip } from './clips.ts';
import { freePortPair } from './interop/free-port-pair.ts';
import type { BenchPart } from './part.ts';
import { processorMs } from './process-figures.ts';
import { line, outputOf, sleep } from './programs.ts';
import { textTable } from './table.ts';

const COMMAND = fileURLToPath(new URL('../../../../bin/dropframe.js', import.meta.url));
/** Bit rate of the stream, megabits per second. */
const RATE = 2;
/** Receivers of each kind. */
const COUNT = 10;
const SECONDS = 30;
const QUICK_SECONDS = 5;
const KINDS = ['RTSP', 'WHEP', 'dropframe'] as const;

/** Figures of one receiver. */
interface Heard {
  readonly frames: number;
  /** Frames within the latency of the fastest one. */
  readonly inTime: number;
  /** Packets that are missing between the first and the last one. */
  readonly lost: number;
}

/** One `send`, and receivers by each of its protocols at once. */
export const players: BenchPart = async ({ programs, folder, quick, signal, progress }) => {
  const clip = await makeClip(folder, RATE, '1280x720', programs);
  const limits = ['--max-receivers', '40', '--receivers-per-address', '40'];
  const [listen, rtsp, whep] = [await freePortPair(), await freePortPair(), await freePortPair()];
  const at = (port: number) => `127.0.0.1:${port}`;
  const places = ['--listen', at(listen), '--rtsp', at(rtsp), '--whep', at(whep)];
  const pipe = { stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] };
  const sender = programs.start(process.execPath, [COMMAND, 'send', clip.path, '--loop', ...limits, ...places], pipe);
  await line(sender.stderr!, /for browsers/, 'the sender');
  const name = basename(clip.path, '.mp4');
  const urls = { RTSP: `rtsp://${at(rtsp)}/${name}`, WHEP: `http://${at(whep)}/${name}`, dropframe: at(listen) };
  const audiences = [];
  for (const kind of KINDS) {
    progress(`players: ${COUNT} by ${kind}`);
    const program = programs.startOurs('player', [kind, urls[kind], String(COUNT)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = outputOf(program, `the players by ${kind}`);
    await Promise.race([new Promise((resolve) => program.stdout!.once('data', resolve)), output]);
    audiences.push({ kind, program, output });
  }
  // All begin anew once all are there.
  for (const { program } of audiences) program.kill('SIGUSR2');
  const [startedAt, before] = [performance.now(), processorMs(sender.pid!)];
  await sleep((quick ? QUICK_SECONDS : SECONDS) * 1_000, signal);
  const core = (processorMs(sender.pid!) - before) / (performance.now() - startedAt);
  const rows: string[][] = [];
  const figures: Record<string, readonly Heard[]> = {};
  for (const { kind, program, output } of audiences) {
    await programs.stop(program);
    const heard = JSON.parse((await output).split('\n').find((text) => text.startsWith('['))!) as Heard[];
    figures[kind] = heard;
    const least = (pick: (each: Heard) => number) => Math.min(...heard.map(pick));
    const most = (pick: (each: Heard) => number) => Math.max(...heard.map(pick));
    const sum = (pick: (each: Heard) => number) => heard.reduce((all, each) => all + pick(each), 0);
    rows.push([
      kind,
      `${least(({ frames }) => frames)} to ${most(({ frames }) => frames)}`,
      `${((100 * sum(({ inTime }) => inTime)) / sum(({ frames }) => frames)).toFixed(2)} %`,
      `${(100 * least(({ inTime, frames }) => inTime / frames)).toFixed(2)} %`,
      String(sum(({ lost }) => lost)),
    ]);
  }
  await programs.stop(sender);
  const text = [
    `One send of ${clip.megabitsPerSecond.toFixed(1)} Mb/s at 30 frames per second, ${COUNT} receivers by each protocol at once, which decode nothing.`,
    `In time: within 120 ms of the fastest frame. CPU of the sender: ${(core * 100).toFixed(1)} % of a core.`,
    '',
    textTable(['by', 'frames of each', 'in time', 'the worst', 'packets lost'], rows),
  ].join('\n');
  return { text, figures: { core, figures } };
};
