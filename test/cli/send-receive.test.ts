import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PATIENCE } from '../patience.ts';
import { dropframe } from './dropframe-process.ts';

const SAMPLE = 'samples/counter.h264';

/** Returns a port on which another program listens until the end of the test. */
async function occupiedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('reports a taken port in one line, without totals', async () => {
  const port = await occupiedPort();
  const run = dropframe('send', SAMPLE, '--listen', `127.0.0.1:${port}`);
  expect(await run.ended).toBe(1);
  expect(run.output.stderr.trimEnd().split('\n')).toEqual([
    expect.stringMatching(new RegExp(`^dropframe: .*127\\.0\\.0\\.1:${port}`)),
  ]);
  expect(run.output.stdout).toBe('');
});

test('fails when the sender dies, with the amount received and the summary', async () => {
  const sender = dropframe('send', SAMPLE, '--loop', '--listen', '127.0.0.1:0');
  await vi.waitFor(() => expect(sender.output.stderr).toContain('serving'), PATIENCE);
  const [, url] = /at (dropframe:\/\/\S+)/.exec(sender.output.stderr)!;
  // Long enough for a slow machine to start: a shorter timeout would expire before the first frame.
  const receiver = dropframe('receive', url!, '--play', 'none', '--output', '-', '--timeout', '8');
  // Frames have arrived, so the sender dies during a stream.
  await vi.waitFor(() => expect(receiver.output.stdout.length).toBeGreaterThan(20_000), PATIENCE);
  sender.child.kill('SIGKILL');
  expect(await receiver.ended).toBe(1);
  const lines = receiver.output.stderr.trimEnd().split('\n');
  expect(receiver.output.stderr).not.toContain('no program listens there yet');
  expect(lines.at(-1)).toMatch(
    /^dropframe: the stream from 127\.0\.0\.1:\d+ ended after [1-9]\d* frames: the sender disappeared without a goodbye/,
  );
  expect(receiver.output.stderr).toMatch(/^ {2}frames .*on time/m);
});
