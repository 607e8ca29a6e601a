import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openRecording } from '../../../io/mp4/recording.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { optional } from '../../optional.ts';
import { all, frameSums, hasEncoder, temporaryFolder } from './media.ts';

const AV1 = codecByName('av1');
const ENCODER = 'libsvtav1';
const withSvt = optional(`ffmpeg with ${ENCODER}`, hasEncoder(ENCODER));

/** A clip with hidden frames and a hierarchy of references, and the same pictures as packets in other containers. */
function clips(folder: string): (ending: string) => string {
  const path = (ending: string): string => join(folder, `clip.${ending}`);
  const input = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=25:duration=2'];
  // SVT-AV1 writes about itself.
  const coding = ['-c:v', ENCODER, '-preset', '8', '-g', '25', '-crf', '50', path('mkv')];
  execFileSync('ffmpeg', [...input, ...coding], { stdio: 'ignore' });
  for (const ending of ['webm', 'mp4', 'ivf', 'obu']) {
    execFileSync('ffmpeg', ['-v', 'error', '-i', path('mkv'), '-c', 'copy', path(ending)]);
  }
  return path;
}

async function record(units: readonly AccessUnit[], path: string, description: Parameters<typeof openRecording>[1]) {
  const sink = await openRecording(path, description, AV1);
  for (const unit of units) await sink.write(unit);
  await sink.close();
  return path;
}

withSvt('AV1 is copied temporal unit by temporal unit, from containers, IVF and OBU files', async () => {
  const folder = temporaryFolder();
  const clip = clips(folder);
  const lines: string[] = [];
  const read = async (ending: string) => {
    const warn = (line: string) => lines.push(line);
    const source = await openMediaSource(clip(ending), { encode: 'auto', bitrate: 1, gop: 1, warn });
    const units = await all(source.units());
    await source.close();
    return { description: source.description, units };
  };
  const { description, units } = await read('mkv');
  expect(description).toMatchObject({ codecName: 'av1', width: 96, height: 64, mode: 'copy' });
  expect(description.codec).toMatch(/^av01\.0\.\d\dM\.08$/);
  expect(lines).toEqual([expect.stringContaining('its AV1 is copied as it is; for players and browsers without it')]);
  expect(units.map(({ importance }) => importance).filter((each) => each === 'key')).toHaveLength(2);
  for (const ending of ['webm', 'mp4', 'ivf', 'obu']) expect((await read(ending)).units).toEqual(units);

  const [packets, pictures] = [frameSums(clip('mkv'), '-c', 'copy'), frameSums(clip('mkv'))];
  expect(pictures).toHaveLength(50);
  for (const ending of ['mkv', 'mp4']) {
    const path = await record(units, join(folder, `recording.${ending}`), description);
    expect(frameSums(path, '-c', 'copy')).toEqual(packets);
    expect(frameSums(path)).toEqual(pictures);
  }
  // All frames that are left decode as before, when those that nothing refers to are dropped.
  const isKept = units.map(({ importance }) => importance !== 'discardable');
  expect(isKept.filter((kept) => !kept).length).toBeGreaterThan(20);
  const kept = units.filter((_, index) => isKept[index]);
  const path = await record(kept, join(folder, 'kept.mkv'), description);
  expect(frameSums(path)).toEqual(pictures.filter((_, index) => isKept[index]));

  await expect(openRecording(join(folder, 'a.ts'), description, AV1)).rejects.toThrow(
    'writing av1 to a transport stream is not supported',
  );
});
