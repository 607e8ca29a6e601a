import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../io/sources/media.ts';
import { PATIENCE } from '../patience.ts';
import { dropframe, ROOT, withTun } from './inside.ts';

test('refuses a strategy that the kernel cannot run, and lists those that it can', () => {
  const args = dropframe('lab', 'calibrate', '--strategies', 'tcp-reno');
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain("'tcp-reno': expected names from");
  expect(stderr).toContain('tcp-kernel-reno');
});

withTun('stops a calibration and its processes on Ctrl-C, and leaves no files behind', async () => {
  const folder = temporaryFolder();
  const args = dropframe('lab', 'calibrate', '--quick', '--strategies', 'tcp-kernel-reno', '--json');
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const cells = () => readdirSync(folder).filter((name) => name.startsWith('dropframe-cell-'));
  await vi.waitFor(() => expect(cells()).toHaveLength(1), PATIENCE);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect(code).toBe(130);
  expect(stderr).toContain('interrupted');
  expect(cells()).toEqual([]);
});
