import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRecording } from '../../../io/mp4/recording.ts';
import { codecOfAnnexB } from '../../../io/sources/annex-b-file.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { joinAnnexB, splitAnnexB } from '../../../protocol/codec/nal/annex-b.ts';
import { isInstalled } from '../../interop/programs.ts';
import { optional } from '../../optional.ts';
import { all, SAMPLES, temporaryFolder } from './media.ts';
import { open } from './opened-source.ts';

const H265 = codecByName('h265');
const RAW = join(SAMPLES, 'small.h265');
const withFfmpeg = optional('ffmpeg', isInstalled('ffmpeg'));
const FRAMES = 50;
const QUIET = ['-hide_banner', '-v', 'error', '-y'];

/** Encodes a clip with B-frames and open groups of pictures; its MP4 has the sample entry `hev1`. */
function container(name: string): string {
  const path = join(temporaryFolder(), name);
  const pattern = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=30', '-frames:v', `${FRAMES}`];
  const x265 = 'log-level=error:keyint=20:min-keyint=20:scenecut=0:open-gop=1:bframes=3:b-adapt=0:pools=1';
  execFileSync('ffmpeg', [...QUIET, ...pattern, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', x265, path]);
  return path;
}

/** MD5 of each decoded picture, in order of presentation. */
function pictures(path: string): string[] {
  const output = execFileSync('ffmpeg', [
    ...QUIET,
    '-i',
    path,
    '-an',
    '-fps_mode',
    'passthrough',
    '-f',
    'framemd5',
    '-',
  ]);
  return String(output)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)!.trim());
}

const bytesOf = (units: readonly AccessUnit[]) => Buffer.concat(units.map(({ parts }) => joinAnnexB(parts)));

test('copies raw HEVC NAL unit by NAL unit, with its times, and says so in one line', async () => {
  const { source, warnings } = await open(RAW);
  expect(source.description).toMatchObject({
    codecName: 'h265',
    codec: 'hvc1.1.6.L30.90',
    width: 160,
    height: 90,
    framesPerSecond: 30,
    mode: 'copy',
  });
  const units = await all(source.units());
  expect(Buffer.compare(bytesOf(units), Buffer.from(joinAnnexB(splitAnnexB(readFileSync(RAW)))))).toBe(0);
  expect(units.map(({ timestamp }) => timestamp).toSorted((a, b) => a - b)).toEqual(
    units.map((_, index) => index * 3_000),
  );
  expect(warnings).toEqual([
    `${RAW}: its HEVC is copied as it is; for players and browsers without it, --encode x264 makes H.264`,
  ]);
  await source.close();
});

test('begins a stream at its first key frame, without the leading pictures that refer to earlier ones', async () => {
  const path = join(temporaryFolder(), 'from-the-middle.h265');
  const nalUnits = splitAnnexB(readFileSync(RAW));
  const firstCra = nalUnits.findIndex((nalUnit) => nalUnit[0] === 0x2a);
  writeFileSync(path, joinAnnexB([...nalUnits.slice(0, 3), ...nalUnits.slice(firstCra - 5)]));
  const { source } = await open(path);
  const units = await all(source.units());
  expect(units[0]).toMatchObject({ importance: 'key', timestamp: 0 });
  expect(units.slice(0, 20).some(({ parts }) => H265.refersBeforeEntry!(parts))).toBe(false);
  // Those after the next key frame can be decoded.
  expect(units.filter(({ parts }) => H265.refersBeforeEntry!(parts))).toHaveLength(6);
  await source.close();
});

test('tells HEVC from H.264 by its content', () => {
  expect(codecOfAnnexB(readFileSync(RAW))).toBe('h265');
  expect(codecOfAnnexB(readFileSync(join(SAMPLES, 'counter.h264')).subarray(0, 65_536))).toBe('h264');
});

test('names a file without a byte stream in one line', async () => {
  const path = join(temporaryFolder(), 'empty.hevc');
  writeFileSync(path, 'not a video');
  await expect(open(path)).rejects.toThrow('contains no HEVC byte stream, despite its name');
});

test('encodes HEVC where only H.264 may be copied, or says why it cannot', async () => {
  await expect(open(RAW, { encode: 'copy', copies: ['h264'] })).rejects.toThrow(
    'contains HEVC, but only H.264 can be copied',
  );
});

for (const name of ['a.mp4', 'a.mkv', 'a.ts']) {
  withFfmpeg(`copies HEVC from ${name.slice(1)}, picture by picture, into recordings that decode alike`, async () => {
    const path = container(name);
    const { source } = await open(path);
    expect(source.description).toMatchObject({ codecName: 'h265', mode: 'copy', width: 160 });
    const units = await all(source.units());
    expect(units).toHaveLength(FRAMES);
    const expected = pictures(path);
    expect(expected).toHaveLength(FRAMES);
    for (const recorded of ['b.mp4', 'b.ts', 'b.h265']) {
      const output = join(temporaryFolder(), recorded);
      const recording = await openRecording(output, source.description, H265);
      for (const unit of units) await recording.write(unit);
      await recording.close();
      expect(pictures(output), recorded).toEqual(expected);
    }
    await source.close();
  });
}
