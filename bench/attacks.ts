import { StreamClient } from '../session/stream/stream-client.ts';
import type { BenchPart, PartContext } from './part.ts';
import { onLoopback } from './plain-receiver.ts';
import { processorMs } from './process-figures.ts';
import { line, sleep } from './programs.ts';
import type { StormTarget } from './storms/storm-target.ts';
import { textTable } from './table.ts';

const KINDS = ['none', 'nack', 'short nack', 'pli', 'statistics', 'attach', 'join'];
const SOURCE = 'synthetic=4';
const SECONDS = 40;
const QUICK_SECONDS = 4;

interface Outcome {
  readonly kind: string;
  readonly frames: number;
  readonly lost: number;
  /** Processor time of the sender for each second, milliseconds. */
  readonly processorMs: number;
}

/** Frames that a well-behaved receiver loses while another one attacks the sender, each in a process of its own. */
export const attacks: BenchPart = async (context) => {
  const outcomes: Outcome[] = [];
  for (const kind of KINDS) {
    context.progress(`attacks: ${kind}`);
    outcomes.push(await attacked(kind, context));
  }
  const rows = outcomes.map(({ kind, frames, lost, processorMs: ms }) => [
    kind,
    String(frames),
    String(lost),
    ms.toFixed(0),
  ]);
  const text = [
    `Frames of a receiver (4 Mb/s, 30 a second, 120 ms, nack) during an attack at up to 20 Mb/s (NACKs of 60 kB: 96), ${SECONDS} s each.`,
    '',
    textTable(['attack', 'frames', 'lost', 'sender, ms a second'], rows),
  ].join('\n');
  return { text, figures: outcomes };
};

async function attacked(kind: string, { programs, quick, signal }: PartContext): Promise<Outcome> {
  const pipe = ['ignore', 'pipe', 'inherit'] as const;
  const server = programs.startOurs('serve', [SOURCE], { stdio: [...pipe] });
  const port = Number((await line(server.stdout!, /^port (\d+)$/, 'the sender'))[1]);
  const client = new StreamClient({
    host: '127.0.0.1',
    port,
    transport: 'udp',
    latencyMs: 120,
    recovery: 'nack',
    release: 'deadline',
    onLoss: 'freeze',
    link: undefined,
    timeoutMs: 5_000,
    onWaiting: () => {},
    onNotice: () => {},
    onWelcome: () => {},
    onUnit: () => {},
    onRecordedUnit: () => {},
    onDrop: () => {},
  });
  const run = client.run();
  await sleep(1_000, signal);
  const target: StormTarget = {
    ...onLoopback(port),
    addresses: ['127.0.0.1'],
    rtsp: 0,
    whep: 0,
    receiver: '127.0.0.1',
    udpPorts: [],
  };
  const attacker = programs.startOurs('attack', [kind, JSON.stringify(target), 'low'], { stdio: [...pipe] });
  await line(attacker.stdout!, /^ready$/, 'the attacker');
  const before = processorMs(server.pid!);
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  await sleep(seconds * 1_000, signal);
  const spent = processorMs(server.pid!) - before;
  client.stop();
  await run;
  await programs.stop(attacker);
  await programs.stop(server);
  let frames = 0;
  let shown = 0;
  for (const session of client.sessions) {
    frames += session.frames.decided;
    shown += session.frames.onTime + session.frames.recovered;
  }
  return { kind, frames, lost: frames - shown, processorMs: spent / seconds };
}
