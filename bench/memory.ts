import { makeClip } from './clips.ts';
import type { BenchPart, PartContext } from './part.ts';
import { residentMegabytes } from './process-figures.ts';
import { line, sleep } from './programs.ts';
import { simulate } from './simulation.ts';
import { textTable } from './table.ts';
import { trendOf } from './trend.ts';

/** Time until memory pools are filled; growth is measured after it, seconds. */
const SETTLED_S = 180;
const SAMPLE_MS = 2_000;

interface Sample {
  readonly seconds: number;
  readonly sender: number;
  readonly receiver: number;
}

/** Memory over ten real minutes, and over ten simulated hours, of a 4 Mb/s stream. */
export const memory: BenchPart = async (context) => {
  const samples = await resident(context);
  const hours = context.quick ? 2 : 10;
  context.progress(`memory: ${hours} simulated hours`);
  const { heapMegabytes } = await simulate(context, hours, 'loss=1% delay=20ms', ['hybrid'], ['--expose-gc']);
  const settled = samples.filter(({ seconds }) => seconds >= (context.quick ? SETTLED_S / 6 : SETTLED_S));
  const side = (name: 'sender' | 'receiver'): string[] => {
    const values = settled.map((sample) => sample[name]);
    const slope = trendOf(settled.map((sample) => [sample.seconds, sample[name]] as const)).slope;
    return [name, Math.min(...values).toFixed(1), Math.max(...values).toFixed(1), (slope * 60).toFixed(2)];
  };
  const text = [
    `Resident memory in MB, ${(samples.at(-1)!.seconds / 60).toFixed(0)} real minutes of 4 Mb/s H.264 over loopback, one`,
    'sample per 2 s, without the first three minutes (--quick: half a minute). Slope: least squares, MB per minute.',
    '',
    textTable(['', 'least', 'most', 'slope'], [side('sender'), side('receiver')]),
    '',
    `Heap and buffers in MB after garbage collection at each of ${hours} simulated hours (4 Mb/s, 1 % loss, hybrid):`,
    heapMegabytes.map((megabytes) => megabytes.toFixed(1)).join('  '),
  ].join('\n');
  return { text, figures: { samples, heapMegabytes } };
};

async function resident({ programs, folder, quick, signal, progress }: PartContext): Promise<Sample[]> {
  const clip = await makeClip(folder, 4, '1280x720', programs);
  const sender = programs.startOurs('command', ['send', clip.path, '--loop', '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [, port] = await line(sender.stderr!, /127\.0\.0\.1:(\d+)/, 'the sender');
  const url = `dropframe://127.0.0.1:${port}`;
  const receiver = programs.startOurs('command', ['receive', url, '--play', 'none', '--quiet']);
  const startedAt = performance.now();
  const lengthS = quick ? 60 : 600;
  const samples: Sample[] = [];
  for (let seconds = 0; seconds < lengthS; ) {
    await sleep(SAMPLE_MS, signal);
    seconds = (performance.now() - startedAt) / 1e3;
    samples.push({ seconds, sender: residentMegabytes(sender.pid!), receiver: residentMegabytes(receiver.pid!) });
    const { sender: theirs, receiver: ours } = samples.at(-1)!;
    progress(
      `memory: ${seconds.toFixed(0)} of ${lengthS} s, sender ${theirs.toFixed(0)} MB, receiver ${ours.toFixed(0)} MB`,
    );
  }
  await programs.stop(receiver);
  await programs.stop(sender);
  return samples;
}
