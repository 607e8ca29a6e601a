import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { joinAnnexB } from '../../../protocol/codec/nal/annex-b.ts';
import { decode } from '../../interop/ffmpeg.ts';
import { fault, withFaults } from './faults.ts';
import { all, temporaryFolder, withFfmpeg } from './media.ts';
import { open } from './opened-source.ts';

withFaults('copies a stream without IDR pictures from its first recovery point on', async () => {
  const { source, warnings } = await open(fault('intra-refresh-noidr.h264'), { encode: 'copy' });
  const units = await all(source.units());
  expect(units).toHaveLength(60);
  expect(units[0]?.importance).toBe('key');
  expect(warnings).toEqual([
    expect.stringContaining('skipped 59 pictures before the first at which decoding can start'),
  ]);
});

withFfmpeg('every refresh of x264 is a key frame, with its parameter sets', async () => {
  const path = join(temporaryFolder(), 'refresh.h264');
  const pattern = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=30:duration=3', '-pix_fmt', 'yuv420p'];
  const refresh = ['-c:v', 'libx264', '-x264-params', 'intra-refresh=1:keyint=30:bframes=0'];
  execFileSync('ffmpeg', ['-v', 'error', ...pattern, ...refresh, '-y', path]);
  const { source } = await open(path, { encode: 'copy' });
  const units = await all(source.units());
  const keys = units.flatMap((unit, index) => (unit.importance === 'key' ? [index] : []));
  expect(keys).toEqual([0, 30, 60]);
  // From the second on, as a late joiner gets it: ffmpeg shows pictures as soon as it has them.
  const joined = decode(joinAnnexB(units.slice(30).flatMap((unit) => unit.parts)));
  expect(joined.pictures).toBeGreaterThan(30);
});
