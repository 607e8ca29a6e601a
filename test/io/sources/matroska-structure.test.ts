import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { all, temporaryFolder, withFfmpeg } from './media.ts';
import { file, open } from './opened-source.ts';

const CLUSTER = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);

/** Eight seconds in clusters of one second, with a ten-second tone. */
function film(...parameters: readonly string[]): Buffer {
  const path = join(temporaryFolder(), 'film.mkv');
  const pattern = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=8', ...parameters];
  const encoding = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-g', '25', '-cluster_time_limit', '1000'];
  execFileSync('ffmpeg', ['-v', 'error', ...pattern, ...encoding, '-y', path]);
  return readFileSync(path);
}

async function read(bytes: Uint8Array) {
  const { source, warnings } = await open(file('film.mkv', bytes), { encode: 'copy' });
  return { count: (await all(source.units())).length, warnings };
}

withFfmpeg('a Matroska file is read past garbage between its clusters', async () => {
  const bytes = film();
  const third = bytes.indexOf(CLUSTER, bytes.indexOf(CLUSTER, bytes.indexOf(CLUSTER) + 4) + 4);
  for (const junk of [Buffer.alloc(3_000), Buffer.alloc(3_000, 0x5a)]) {
    const { count, warnings } = await read(Buffer.concat([bytes.subarray(0, third), junk, bytes.subarray(third)]));
    expect(count).toBe(200);
    expect(warnings).toEqual([expect.stringContaining('ffmpeg reads the remainder')]);
  }
});

withFfmpeg('a Matroska file whose sound outlasts its pictures is not reported as truncated', async () => {
  const bytes = film('-f', 'lavfi', '-i', 'sine=duration=10');
  expect(await read(bytes)).toEqual({ count: 200, warnings: [] });
  const { warnings } = await read(bytes.subarray(0, Math.round(bytes.length * 0.6)));
  expect(warnings).toEqual([expect.stringMatching(/the video ends after .*: the file is truncated$/)]);
});
