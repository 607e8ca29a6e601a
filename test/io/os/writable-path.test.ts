import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished } from 'vitest';
import { writeResult } from '../../../cli/result-file.ts';
import { DatagramCapture } from '../../../io/capture/packet-capture.ts';
import { openRecording } from '../../../io/mp4/recording.ts';
import { makeTemporaryFolder } from '../../../io/os/temporary-folder.ts';
import { checkWritable, requireReader } from '../../../io/os/writable-path.ts';
import { isInstalled } from '../../interop/programs.ts';
import { optional } from '../../optional.ts';

const folder = await makeTemporaryFolder('writable-path');
afterAll(() => folder.remove());

const withPipes = optional('mkfifo', isInstalled('mkfifo', '--version'));

withPipes('a pipe that nobody reads is refused by each that would write it, and none of them waits', async () => {
  const pipe = join(folder.path, 'unread.ts');
  execFileSync('mkfifo', [pipe]);
  const refusal = `cannot write ${pipe}: nobody reads this pipe; start its reader first`;
  await expect(checkWritable(pipe)).rejects.toThrow(refusal);
  const description = { width: 0, height: 0, parameterSets: [] };
  await expect(openRecording(pipe, description)).rejects.toThrow(refusal);
  await expect(DatagramCapture.open(pipe, () => {})).rejects.toThrow(refusal);
  await expect(writeResult('the summary', pipe, '{}')).rejects.toThrow('nobody reads this pipe');
});

withPipes('a pipe with a reader, and anything else, is not', async () => {
  const pipe = join(folder.path, 'read.ts');
  execFileSync('mkfifo', [pipe]);
  // It opens the pipe for reading and writing, which never waits.
  const reader = spawn('sh', ['-c', 'exec 3<>"$0"; echo open; sleep 60', pipe], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void reader.kill('SIGKILL'));
  await new Promise((resolve) => reader.stdout.once('data', resolve));
  for (const path of [pipe, join(folder.path, 'absent'), folder.path, '/dev/null']) requireReader(path);
});
