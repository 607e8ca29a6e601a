import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { joinAnnexB } from '../../../protocol/codec/nal/annex-b.ts';
import { fault, withFaults } from './faults.ts';
import { all, nalText, temporaryFolder, withFfmpeg } from './media.ts';
import { file, isInOrder, open } from './opened-source.ts';

async function read(path: string) {
  const { source, warnings } = await open(path, { encode: 'copy' });
  const units = await all(source.units());
  expect(isInOrder(units)).toBe(true);
  return { units, warnings, description: source.description };
}

const shown = (units: readonly AccessUnit[]): number[] =>
  units
    .filter((unit) => unit.decodeOnly !== true)
    .map((unit) => unit.timestamp)
    .sort((a, b) => a - b);

withFaults('gives each sample description its own parameter sets', async () => {
  const { units, warnings } = await read(fault('two-sample-descriptions.mp4'));
  const sets = nalText(units).map((parts) =>
    parts.filter((part) => part.startsWith('67')).map((sps) => sps.slice(0, 8)),
  );
  // Level 1.2, then level 1.1.
  expect(sets).toEqual([['6764000c'], [], ['6764000b'], []]);
  expect(warnings).toEqual([]);
});

withFaults('continues with the fragments after the samples of the movie box', async () => {
  const { units, warnings, description } = await read(fault('partially-fragmented.mp4'));
  expect(units).toHaveLength(30);
  expect(shown(units)).toEqual(Array.from({ length: 30 }, (_, index) => index * 3_003));
  // The mean over the fragments; the first pictures precede them.
  expect(description.framesPerSecond).toBeGreaterThan(28);
  expect(warnings).toEqual([]);
});

withFaults('shows each frame once where fragments overlap', async () => {
  const { units } = await read(fault('overlapping-fragments.mp4'));
  expect(units).toHaveLength(96);
  const steps = units
    .slice(1)
    .map((unit, index) => unit.decodeTimestamp - (units[index] as AccessUnit).decodeTimestamp);
  // 24 frames a second; the first of the second fragment comes 2 ms early.
  for (const step of steps) expect(Math.abs(step - 3_750)).toBeLessThan(200);
});

withFaults('decodes what an edit list cuts away and does not show it', async () => {
  const { units, warnings } = await read(fault('editlist-trim.mp4'));
  expect(shown(units)).toHaveLength(48);
  expect(units[0]).toMatchObject({ importance: 'key', decodeOnly: true });
  expect(units.filter((unit) => unit.decodeOnly && unit.importance === 'discardable')).toEqual([]);
  expect(warnings).toEqual([]);
});

withFaults('starts where an empty edit ends, and does not report a complete file as truncated', async () => {
  const { units, warnings } = await read(fault('empty-edit-false-cut.mp4'));
  expect(units).toHaveLength(270);
  expect(shown(units)[0]).toBe(90_000);
  expect(warnings.filter((warning) => !/key ?frames are/.test(warning))).toEqual([]);
});

withFaults('does not report a fragmented file of unknown duration as truncated', async () => {
  const { units, warnings, description } = await read(fault('fragmented-unknown-duration-false-cut.mp4'));
  expect(units).toHaveLength(30);
  expect(description.durationSeconds).toBeUndefined();
  expect(warnings).toEqual([]);
});

withFfmpeg('applies edit lists written by ffmpeg, and shows the same pictures as ffmpeg', async () => {
  const folder = temporaryFolder();
  const make = (name: string, ...parameters: readonly string[]) => {
    const path = join(folder, name);
    execFileSync('ffmpeg', ['-v', 'error', ...parameters, '-y', path]);
    return path;
  };
  const pattern = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=4'];
  const film = make('film.mp4', ...pattern, ...['-c:v', 'libx264', '-bf', '2', '-g', '50', '-pix_fmt', 'yuv420p']);
  const trimmed = make('trimmed.mp4', '-ss', '1.2', '-i', film, '-c', 'copy');
  const delayed = make('delayed.mp4', '-itsoffset', '0.5', '-i', film, '-c', 'copy');
  const pictures = (path: string) =>
    execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'framemd5', '-'])
      .toString()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(/\s+/).at(-1));
  const { units } = await read(trimmed);
  const decoded = pictures(file('trimmed.h264', joinAnnexB(units.flatMap((unit) => unit.parts))));
  const inOrder = [...units].sort((a, b) => a.timestamp - b.timestamp);
  expect(decoded.filter((_, index) => inOrder[index]?.decodeOnly !== true)).toEqual(pictures(trimmed));
  expect(shown((await read(delayed)).units)).toEqual(shown((await read(film)).units).map((time) => time + 45_000));
});

withFfmpeg('reports a file as truncated when a sample or a part of a fragment is missing', async () => {
  const folder = temporaryFolder();
  const pattern = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=4', '-c:v', 'libx264', '-g', '25'];
  for (const flags of ['+faststart', '+frag_keyframe+empty_moov']) {
    const whole = join(folder, 'whole.mp4');
    execFileSync('ffmpeg', ['-v', 'error', ...pattern, '-movflags', flags, '-y', whole]);
    const bytes = readFileSync(whole);
    expect((await read(whole)).warnings, flags).toEqual([]);
    const { warnings } = await read(file('cut.mp4', bytes.subarray(0, Math.round(bytes.length * 0.7))));
    expect(warnings, flags).toHaveLength(1);
    expect(warnings[0], flags).toMatch(/the video ends after .*: the file is truncated$/);
  }
});

withFaults('encodes a raw stream at its declared rate', async () => {
  const { source, warnings } = await open(fault('annexb-30fps-encoded-at-25.h264'), { encode: 'x264' });
  const units = await all(source.units());
  expect(source.description.framesPerSecond).toBe(30);
  expect(units.map((unit) => unit.timestamp)).toEqual(units.map((_, index) => index * 3_000));
  expect(warnings).toEqual([]);
});

withFaults('does not report a line of ffmpeg about itself as the cause', async () => {
  await expect(open(fault('ffmpeg-usage-as-cause.mp4'))).rejects.toThrow(/can read: no stream in it$/);
});
