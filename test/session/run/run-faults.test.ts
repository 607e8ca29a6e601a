import { existsSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRecord } from '../../../cli/source-options.ts';
import { Log } from '../../../io/os/log.ts';
import { ReceiveRun, type ReceiveRunOptions } from '../../../session/run/receive-run.ts';
import { viewerEnd } from '../../../session/run/viewer.ts';
import { dropframeClient } from '../../../session/stream/dropframe-client.ts';
import { until } from '../../io/net/control-peers.ts';
import { temporaryFolder } from '../../io/sources/media.ts';
import { madeUpUnits, serve, sourceOf } from '../../loopback-session.ts';
import { optional } from '../../optional.ts';
import { fakePlayer } from './fake-player.ts';

const CRASH = 'head -c 20000 <&3 >/dev/null; kill -SEGV $$';

async function runWith(options: Partial<ReceiveRunOptions>) {
  const units = madeUpUnits(150);
  const { server } = await serve(units);
  const lines: string[] = [];
  const settings = { latencyMs: 300, recovery: 'hybrid', link: undefined } as const;
  const run = new ReceiveRun({
    ...settings,
    connect: dropframeClient({
      ...settings,
      host: '127.0.0.1',
      port: server.port,
      transport: 'udp',
      release: 'deadline',
      onLoss: 'freeze',
      timeoutMs: 10_000,
    }),
    transport: 'udp',
    ipv6: false,
    play: 'none',
    pagePort: 0,
    openBrowser: false,
    output: undefined,
    capture: undefined,
    log: new Log({ level: 'info', write: (line) => lines.push(line) }),
    ...options,
  });
  return { run, lines, units };
}

/** A name with the ending of a recording, behind which every write finds a full disk. */
function fullDisk(): string {
  const file = join(temporaryFolder(), 'recording.h264');
  symlinkSync('/dev/full', file);
  return file;
}

const withFullDevice = optional('/dev/full', existsSync('/dev/full'));

describe('a player that is killed by a signal', () => {
  test('is named, and the recording continues to the end of the stream', async () => {
    fakePlayer(CRASH);
    const output = join(temporaryFolder(), 'recording.h264');
    const { run, lines, units } = await runWith({ play: 'mpv', output });
    await expect(run.run()).resolves.toBe('end-of-stream');
    expect(lines.join('')).toMatch(/mpv was killed by SIGSEGV; the recording continues/);
    const bytes = units.reduce((sum, { parts }) => sum + parts.reduce((each, part) => each + part.length + 4, 0), 0);
    expect(statSync(output).size).toBeGreaterThan(bytes * 0.9);
  });

  test('ends the run as a failure where nothing is left to do', async () => {
    fakePlayer(CRASH);
    const { run } = await runWith({ play: 'mpv' });
    await expect(run.run()).rejects.toMatchObject({ message: 'mpv was killed by SIGSEGV', exitCode: 1 });
  });
});

test.each(['none', 'mpv'] as const)('a page for other devices is refused without a page: --play %s', async (play) => {
  const { run } = await runWith({ play, pageListen: { host: '127.0.0.1', port: 0 } });
  await expect(run.run()).rejects.toMatchObject({
    message: `--page-listen requires a page: omit --play ${play}, or use --play browser`,
    exitCode: 2,
  });
});

test.each([
  [{ code: 0, signal: null, lastErrorLine: '' }, 'mpv was closed', false],
  [{ code: 4, signal: null, lastErrorLine: '' }, 'mpv was closed', false],
  [{ code: null, signal: 'SIGTERM', lastErrorLine: '' }, 'mpv was closed by SIGTERM', false],
  [{ code: null, signal: 'SIGKILL', lastErrorLine: '' }, 'mpv was killed by SIGKILL', true],
  [{ code: 3, signal: null, lastErrorLine: 'no video' }, 'mpv failed with exit code 3 (no video)', true],
] as const)('a player that exits with %o counts as: %s', (exit, text, failed) => {
  expect(viewerEnd('mpv', exit)).toEqual({ text, failed });
});

withFullDevice('a full disk ends a recording whose stream is shown with a warning, and the run as failed', async () => {
  fakePlayer('cat <&3 >/dev/null');
  const output = fullDisk();
  const { run, lines } = await runWith({ play: 'mpv', output });
  await expect(run.run()).rejects.toThrow('the disk is full');
  expect(lines.join('')).toMatch(
    /the recording ended: cannot write .*recording\.h264: the disk is full; the stream continues/,
  );
  expect(run.summary.frames.total).toBe(150);
});

withFullDevice("a full disk ends a sender's recording with a warning, and not the stream", async () => {
  const lines: string[] = [];
  const log = new Log({ level: 'info', write: (line) => lines.push(line) });
  const units = madeUpUnits(60);
  const record = fullDisk();
  const recorder = await openRecord({ encode: 'auto', bitrate: 1, gop: 1, record }, sourceOf(units), log);
  for (const unit of units) recorder?.write(unit);
  await until('the warning', () => lines.length > 0);
  expect(lines.join('')).toMatch(
    /the recording ended: cannot write .*: the disk is full; the stream continues without it/,
  );
  await recorder?.close();
});
