import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { dropframe } from './dropframe-process.ts';

const SAMPLE = 'samples/counter.h264';
const PATIENCE = { timeout: 40_000 };

/** A port on which a stranger listens until the test has finished. */
async function occupiedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('a sender whose port is taken says that in one line, and reports nothing', async () => {
  const port = await occupiedPort();
  const run = dropframe('send', SAMPLE, '--listen', `127.0.0.1:${port}`);
  expect(await run.ended).toBe(1);
  expect(run.output.stderr.trimEnd().split('\n')).toEqual([
    expect.stringMatching(new RegExp(`^dropframe: .*127\\.0\\.0\\.1:${port}`)),
  ]);
  expect(run.output.stdout).toBe('');
}, 60_000);

test('a receiver whose sender dies says so, with how much it received and its summary, and fails', async () => {
  const sender = dropframe('send', SAMPLE, '--loop', '--listen', '127.0.0.1:0');
  await vi.waitFor(() => expect(sender.output.stderr).toContain('serving'), PATIENCE);
  const [, url] = /at (dropframe:\/\/\S+)/.exec(sender.output.stderr)!;
  // Long enough for a slow machine to begin in: shorter, it would give up before the first frame.
  const receiver = dropframe('receive', url!, '--play', 'none', '--output', '-', '--timeout', '8');
  // Frames have come: what dies now is a stream.
  await vi.waitFor(() => expect(receiver.output.stdout.length).toBeGreaterThan(20_000), PATIENCE);
  sender.child.kill('SIGKILL');
  expect(await receiver.ended).toBe(1);
  const lines = receiver.output.stderr.trimEnd().split('\n');
  expect(receiver.output.stderr).not.toContain('nothing listens there yet');
  expect(lines.at(-1)).toMatch(
    /^dropframe: the stream from 127\.0\.0\.1:\d+ ended after [1-9]\d* frames: its sender went away without a goodbye/,
  );
  expect(receiver.output.stderr).toMatch(/^ {2}frames .*on time/m);
}, 150_000);
