import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRecording } from '../../../io/mp4/recording.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { joinAnnexB } from '../../../protocol/codec/nal/annex-b.ts';
import { sampleUnits } from '../../sample-units.ts';
import { fault, withFaults } from '../sources/faults.ts';
import { all, nalText, probedTimes, SAMPLES, temporaryFolder, withFfmpeg } from '../sources/media.ts';

const CLIP = sampleUnits().slice(0, 90);
/** Properties known before the stream starts. */
const description = { width: 0, height: 0, parameterSets: [] };

async function open(input: string) {
  const warnings: string[] = [];
  const options = { encode: 'copy', bitrate: 1, gop: 1, warn: (message: string) => warnings.push(message) } as const;
  return { source: await openMediaSource(input, options), warnings };
}

async function record(path: string, units: readonly AccessUnit[]): Promise<void> {
  const sink = await openRecording(path, description);
  for (const unit of units) await sink.write(unit);
  await sink.close();
}

/** The clip with B-frames, and a gap of a second in its middle, as after an outage. */
async function gapped(): Promise<AccessUnit[]> {
  const { source } = await open(join(SAMPLES, 'counter.mp4'));
  const units = await all(source.units());
  await source.close();
  return [...units.slice(0, 60), ...units.slice(120, 240)];
}

test('records raw H.264 as the stream with start codes', async () => {
  const path = join(temporaryFolder(), 'a.h264');
  await record(path, CLIP);
  expect(Buffer.compare(readFileSync(path), joinAnnexB(CLIP.flatMap((unit) => unit.parts)))).toBe(0);
});

test.each(['mp4', 'ts'])('reads back a %s recording unchanged, including B-frames and gaps', async (format) => {
  const units = await gapped();
  const path = join(temporaryFolder(), `a.${format}`);
  await record(path, units);
  const { source, warnings } = await open(path);
  const copies = await all(source.units());
  await source.close();
  const pictures = (all: readonly AccessUnit[]) =>
    nalText(all).map((parts) => parts.filter((nal) => !nal.startsWith('09')));
  expect(pictures(copies)).toEqual(pictures(units));
  const first = units[0]?.timestamp ?? 0;
  expect(copies.map((unit) => unit.timestamp)).toEqual(units.map((unit) => unit.timestamp - first));
  expect(copies.map((unit) => unit.importance)).toEqual(units.map((unit) => unit.importance));
  expect(warnings).toEqual([]);
});

test('leaves a readable MP4 file without a close', async () => {
  const path = join(temporaryFolder(), 'a.mp4');
  const sink = await openRecording(path, description);
  for (const unit of CLIP) await sink.write(unit);
  const { source } = await open(path);
  // Ninety frames at 30 per second: all but the last second is on disk.
  expect(nalText(await all(source.units()))).toEqual(nalText(CLIP.slice(0, 60)));
  await source.close();
  await sink.close();
});

withFfmpeg('an MP4 recording shows every picture of a stream whose size changes and comes back', async () => {
  const folder = temporaryFolder();
  const parts: Uint8Array[] = [];
  for (const size of ['64x48', '96x64', '64x48']) {
    const path = join(folder, `${size}.h264`);
    const pattern = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30:duration=0.5`, '-pix_fmt', 'yuv420p'];
    execFileSync('ffmpeg', ['-v', 'error', ...pattern, '-c:v', 'libx264', '-bf', '0', '-g', '8', '-y', path]);
    parts.push(readFileSync(path));
  }
  const raw = join(folder, 'raw.h264');
  writeFileSync(raw, Buffer.concat(parts));
  const { source } = await open(raw);
  const units = await all(source.units());
  await source.close();
  const recorded = join(folder, 'recorded.mp4');
  await record(recorded, units);
  expect(pictures(recorded)).toEqual(pictures(raw));
  const copy = await open(recorded);
  const copies = await all(copy.source.units());
  await copy.source.close();
  const ownSets = (each: readonly AccessUnit[]) =>
    nalText(each).map((nalUnits) => nalUnits.filter((nalUnit) => nalUnit.startsWith('67')));
  expect(ownSets(copies)).toEqual(ownSets(units));
  // Two sizes are two sample entries.
  const file = readFileSync(recorded);
  expect(file.readUInt32BE(file.indexOf('stsd') + 8)).toBe(2);
});

withFaults('an MP4 recording has no wrong picture where the resolution changes', async () => {
  const raw = fault('resolution-change.h264');
  const { source } = await open(raw);
  const recorded = join(temporaryFolder(), 'recorded.mp4');
  await record(recorded, await all(source.units()));
  await source.close();
  expect(pictures(recorded)).toEqual(pictures(raw));
});

withFfmpeg('an MP4 recording hides decode-only pictures', async () => {
  const { source } = await open(join(SAMPLES, 'counter.mp4'));
  const units = await all(source.units());
  await source.close();
  const trimmed = units
    .slice(0, 60)
    .map((unit) => (unit.timestamp < 30_000 ? { ...unit, decodeOnly: true as const } : unit));
  const recorded = join(temporaryFolder(), 'recorded.mp4');
  await record(recorded, trimmed);
  const copy = await open(recorded);
  const copies = await all(copy.source.units());
  await copy.source.close();
  const shown = (each: readonly AccessUnit[]) => each.filter((unit) => unit.decodeOnly !== true).length;
  expect(shown(copies)).toBe(shown(trimmed));
});

/** The hash of each decoded picture, in its own size. */
function pictures(path: string): (string | undefined)[] {
  const filter = ['-autoscale', '0', '-f', 'framemd5', '-'];
  return execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-fps_mode', 'passthrough', ...filter])
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/).at(-1));
}

test('an MP4 recording that joins between key frames begins at the next one', async () => {
  const path = join(temporaryFolder(), 'a.mp4');
  await record(path, CLIP.slice(10));
  const { source } = await open(path);
  expect(nalText(await all(source.units()))).toEqual(nalText(CLIP.slice(30)));
  await source.close();
});

test('keeps the order of writes that are not awaited', async () => {
  const path = join(temporaryFolder(), 'a.h264');
  const sink = await openRecording(path, description);
  const writes = CLIP.map((unit) => sink.write(unit));
  await Promise.all([...writes, sink.close(), sink.close()]);
  expect(Buffer.compare(readFileSync(path), joinAnnexB(CLIP.flatMap((unit) => unit.parts)))).toBe(0);
});

test.each([
  ['no/such/folder/a.mp4', 1, 'there is no such file or directory'],
  ['a.avi', 2, 'must end in .h264, .mp4, .mkv or .ts'],
])('rejects a recording to %s with code %i', async (name, exitCode, cause) => {
  const path = join(temporaryFolder(), name);
  await expect(openRecording(path, description)).rejects.toMatchObject({
    exitCode,
    message: expect.stringContaining(`cannot write ${path}: `),
  });
  await expect(openRecording(path, description)).rejects.toThrow(cause);
});

test.skipIf(!existsSync('/dev/full')).each(['h264', 'mp4', 'ts'])(
  'names the file on a full disk (%s)',
  async (format) => {
    const path = join(temporaryFolder(), `a.${format}`);
    symlinkSync('/dev/full', path);
    const sink = await openRecording(path, description);
    const writing = (async () => {
      for (const unit of CLIP) await sink.write(unit);
    })();
    await expect(writing).rejects.toMatchObject({ exitCode: 1, message: `cannot write ${path}: the disk is full` });
    await sink.close();
  },
);

withFfmpeg('writes MP4 and MPEG-TS recordings in which ffprobe finds every frame at its time', async () => {
  const units = await gapped();
  const folder = temporaryFolder();
  const first = units[0] as AccessUnit;
  const expected = units.map((unit) => ({
    shown: unit.timestamp - first.timestamp,
    decoded: unit.decodeTimestamp - first.timestamp,
  }));
  for (const format of ['mp4', 'ts']) {
    const path = join(folder, `a.${format}`);
    await record(path, units);
    const times = probedTimes(path);
    const start = times[0]?.shown ?? 0;
    const relative = times.map(({ shown, decoded }) => ({ shown: shown - start, decoded: decoded - start }));
    expect(relative).toEqual(expected);
  }
});
