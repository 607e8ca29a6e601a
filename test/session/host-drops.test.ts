import { expect, test } from 'vitest';
import { Log } from '../../io/os/log.ts';
import { SyntheticStream } from '../../sim/synthetic-stream.ts';
import { dropframe } from '../cli/dropframe-process.ts';
import { until } from '../io/net/control-peers.ts';
import { serve } from '../loopback-session.ts';

/** 40 Mb/s for half a minute. */
function fastUnits() {
  const frames = 1_500;
  const shape = { framesPerSecond: 50, frameBytes: 100_000, keyFrameBytes: 100_000, keyInterval: 10 };
  const stream = new SyntheticStream({ ...shape, frames, seed: 1 });
  return Array.from({ length: frames }, () => stream.next()!);
}

/** More than the receive buffer holds: 4 MB, which the kernel doubles, at 1,200 bytes a datagram when it keeps them joined. */
const OVERFLOW_PACKETS = 9_000;
/** Shorter than the sender's patience with a receiver that does not report. */
const STOP_MS = 3_000;

test('datagrams that a stopped receiver does not read are attributed to its computer, not to the path', async () => {
  const lines: string[] = [];
  const log = new Log({ level: 'info', write: (line) => lines.push(line) });
  const { server } = await serve(fastUnits(), { log });
  const receiver = dropframe('receive', server.urls[0]!, '--play', 'none', '--json', '--latency', '2000');
  const sent = () => server.status.receivers[0]?.statistics.packets ?? 0;
  const shown = () => [...receiver.output.stdout.matchAll(/"hostDrops":(\d+)/g)].map(([, drops]) => Number(drops));
  await until('the stream is received', () => sent() > 1_000 && shown().length > 0);
  // A busy machine sends too little meanwhile: the receiver is then stopped again.
  while (shown().at(-1) === 0) {
    const before = sent();
    receiver.child.kill('SIGSTOP');
    const stopped = Date.now();
    await until(
      'the receive buffer overflows',
      () => sent() > before + OVERFLOW_PACKETS || Date.now() - stopped > STOP_MS,
    );
    receiver.child.kill('SIGCONT');
    const seen = shown().length;
    await until('there are newer statistics', () => shown().length > seen + 1);
  }
  await until('the sender has the count', () => (server.status.receivers[0]?.reported?.hostDrops ?? 0) > 0);
  receiver.child.kill('SIGINT');
  await receiver.ended;
  expect(receiver.output.stderr).toMatch(/this computer +dropped at least [1-9]\d* datagrams before they were read/);
  expect(receiver.output.stderr).not.toContain('too little capacity');
  expect(lines.filter((line) => line.includes('carries datagrams of'))).toEqual([]);
});
