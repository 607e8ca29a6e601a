import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { joinAnnexB, splitAnnexB } from '../../../protocol/codec/nal/annex-b.ts';
import { sampleUnits } from '../../sample-units.ts';
import { all, nalText, SAMPLES, temporaryFolder, withFfmpeg } from './media.ts';
import { file, flat, isInOrder, open } from './opened-source.ts';

const MP4 = join(SAMPLES, 'counter.mp4');
const RAW = join(SAMPLES, 'counter.h264');

const withoutPicture = ({ parts: _, ...rest }: AccessUnit) => rest;
test('streams a raw file unchanged, without ffmpeg', async () => {
  const { source, warnings } = await open(RAW, { ffmpeg: '/no/ffmpeg/here' });
  const units = await all(source.units());
  expect(nalText(units)).toEqual(nalText(sampleUnits()));
  expect(units.map(withoutPicture)).toEqual(sampleUnits().map(withoutPicture));
  expect(source.description).toMatchObject({
    name: 'counter.h264',
    codec: 'avc1.42c01e',
    width: 640,
    height: 360,
    framesPerSecond: 30,
    durationSeconds: undefined,
    mode: 'copy',
  });
  expect(source.description.parameterSets.map((set) => (set[0] as number) & 0x1f)).toEqual([7, 8]);
  expect(warnings).toEqual([]);
});

test('keeps every frame and its time in an MP4 file with B-frames, without ffmpeg', async () => {
  const { source, warnings } = await open(MP4, { ffmpeg: '/no/ffmpeg/here' });
  const units = await all(source.units());
  const shown = units.map((unit) => unit.timestamp).sort((a, b) => a - b);
  expect(shown).toEqual(Array.from({ length: 360 }, (_, index) => index * 3_000));
  expect(isInOrder(units)).toBe(true);
  expect(units.filter((unit) => unit.importance === 'key')).toHaveLength(6);
  expect(units.some((unit) => unit.importance === 'discardable')).toBe(true);
  expect(source.description).toMatchObject({
    width: 640,
    height: 360,
    framesPerSecond: 30,
    durationSeconds: 12,
    mode: 'copy',
  });
  expect(warnings).toEqual([]);
});

test('starts at the beginning in each call of units, also during another one', async () => {
  const { source } = await open(MP4);
  const running = source.units();
  const first = await running.next();
  const again = await all(source.units());
  const rest = await all(running);
  expect(flat([first.value, ...rest])).toEqual(flat(again));
  expect(flat(await all(source.units()))).toEqual(flat(again));
});

test('leaves nothing behind after an early return, and yields nothing after close', async () => {
  const { source } = await open(MP4);
  for await (const _ of source.units()) break;
  const running = source.units();
  await running.next();
  await source.close();
  await source.close();
  expect(await all(running)).toEqual([]);
  expect(await all(source.units())).toEqual([]);
});

test.each([
  ['not-there.mp4', undefined, 'there is no such file or directory'],
  ['empty.mp4', '', 'is empty'],
  ['letter.h264', 'Dear Sir or Madam', 'contains no H.264 byte stream'],
  ['zero.264', Uint8Array.of(0), 'contains no H.264 byte stream'],
  ['frames.yuv', new Uint8Array(1_000), 'raw pictures of unknown size'],
  ['frames_64x64.yuv', new Uint8Array(1_000), 'not a whole number of them'],
  ['capture.pcap', Uint8Array.of(0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0), 'is a packet capture'],
  ['cut.mp4', readFileSync(MP4).subarray(0, 32), 'has no index'],
])('rejects %s in one line that names it', async (name, bytes, cause) => {
  const path = bytes === undefined ? join(temporaryFolder(), name) : file(name, bytes);
  await expect(open(path)).rejects.toMatchObject({
    name: 'Failure',
    exitCode: 1,
    message: expect.stringContaining(path),
  });
  await expect(open(path)).rejects.toThrow(cause);
});

test('rejects a directory', async () => {
  await expect(open(temporaryFolder())).rejects.toThrow('is a directory: name a file');
});

test('rejects a file without read permission', async () => {
  const path = file('secret.mp4', readFileSync(MP4));
  chmodSync(path, 0);
  // root, as in CI, may read everything: switch to another user for a moment.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await expect(open(path)).rejects.toThrow('permission denied');
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test('says that ffmpeg is required when there is none', async () => {
  const path = file('a.webm', 'anything');
  await expect(open(path, { ffmpeg: '/no/ffmpeg/here' })).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/a\.webm requires ffmpeg: --ffmpeg names \/no\/ffmpeg\/here, which is not/),
  });
});

test('streams a truncated file to its end with a warning', async () => {
  const bytes = readFileSync(MP4);
  const whole = await all((await open(MP4)).source.units());
  const { source, warnings } = await open(file('cut.mp4', bytes.subarray(0, Math.round(bytes.length * 0.6))));
  const units = await all(source.units());
  expect(units.length).toBeGreaterThan(100);
  expect(flat(units)).toEqual(flat(whole.slice(0, units.length)));
  expect(warnings).toEqual([expect.stringMatching(/the video ends after \d+\.\d s of 12\.0 s: the file is truncated/)]);
});

test('starts a raw stream at its first key frame', async () => {
  const units = sampleUnits();
  const sets = (units[0] as AccessUnit).parts.slice(1, 3);
  const { source, warnings } = await open(
    file('a.264', joinAnnexB([...sets, ...units.slice(5).flatMap((unit) => unit.parts)])),
  );
  expect(nalText(await all(source.units()))).toEqual(nalText(units.slice(30)));
  expect(warnings).toEqual([
    expect.stringContaining('skipped 25 pictures before the first at which decoding can start'),
  ]);
});

test('copies a raw stream with distant key frames, with a warning', async () => {
  const units = sampleUnits();
  const first = units[0] as AccessUnit;
  const { source, warnings } = await open(
    file('a.264', joinAnnexB([...first.parts, ...units.slice(1, 30), ...repeated(units)].flatMap(nalUnitsOf))),
  );
  expect((await all(source.units())).length).toBeGreaterThan(150);
  expect(warnings).toEqual([expect.stringMatching(/key frames are more than 5 s apart.*--encode x264 --gop/)]);

  function repeated(all: readonly AccessUnit[]): AccessUnit[] {
    return Array.from({ length: 6 }, () => all.slice(1, 30)).flat();
  }
  function nalUnitsOf(item: AccessUnit | Uint8Array): readonly Uint8Array[] {
    return item instanceof Uint8Array ? [item] : item.parts;
  }
});

test('cannot copy a stream without a key frame or without parameter sets', async () => {
  const units = sampleUnits();
  const sets = (units[0] as AccessUnit).parts.slice(1, 3);
  const headless = file('headless.264', joinAnnexB([...sets, ...units.slice(1, 30).flatMap((unit) => unit.parts)]));
  await expect(open(headless, { encode: 'copy' })).rejects.toThrow('headless.264: its H.264 has no key frame');
  const bare = units.map((unit) => unit.parts.filter((nal) => ![7, 8].includes((nal[0] as number) & 0x1f)));
  const unset = file('unset.264', joinAnnexB(bare.flat()));
  await expect(open(unset)).rejects.toThrow('unset.264: its H.264 has no readable parameter sets');
});

withFfmpeg(
  'a file without a random access point, of which ffmpeg decodes nothing, fails with that reason',
  async () => {
    // Intra refresh: after the first picture none is intra as a whole. That one is taken away, and recovery points.
    const path = join(temporaryFolder(), 'refresh.h264');
    const encoding = ['-c:v', 'libx264', '-g', '10', '-bf', '0', '-x264-params', 'intra-refresh=1:slices=1:aud=1'];
    const command = ['-nostdin', '-v', 'error', '-i', MP4, '-frames:v', '60', ...encoding, path];
    execFileSync('ffmpeg', command);
    const isKept = (nalUnit: Uint8Array) => ![5, 6].includes((nalUnit[0] as number) & 0x1f);
    writeFileSync(path, joinAnnexB(splitAnnexB(readFileSync(path)).filter(isKept)));
    for (const encode of ['copy', 'auto'] as const) {
      await expect(open(path, { encode })).rejects.toThrow('refresh.h264: its H.264 has no key frame');
    }
  },
);

withFfmpeg('keeps every frame and its time when encoding, and starts each picture with a delimiter', async () => {
  const { source } = await open(MP4, { encode: 'x264', gop: 15 });
  const units = await all(source.units());
  expect(units.map((unit) => unit.timestamp)).toEqual(Array.from({ length: 360 }, (_, index) => index * 3_000));
  expect(units.map((unit) => unit.decodeTimestamp)).toEqual(units.map((unit) => unit.timestamp));
  expect(units.map((unit) => unit.importance === 'key')).toEqual(units.map((_, index) => index % 15 === 0));
  const shapes = new Set(units.map((unit) => unit.parts.map((nal) => (nal[0] as number) & 0x1f).join(' ')));
  expect([...shapes].sort()).toEqual(['9 1', '9 7 8 5', '9 7 8 6 5']);
  expect(source.description).toMatchObject({ mode: 'x264', framesPerSecond: 30, durationSeconds: 12 });
});

withFfmpeg('draws a test pattern of the requested length', async () => {
  const { source } = await open('testsrc=320x240@25:2');
  expect(await all(source.units())).toHaveLength(50);
  expect(source.description).toMatchObject({
    width: 320,
    height: 240,
    framesPerSecond: 25,
    durationSeconds: 2,
    mode: 'x264',
  });
});

withFfmpeg('ends the readers of an endless source on close', async () => {
  const { source } = await open('testsrc=320x240');
  let count = 0;
  const reading = (async () => {
    for await (const _ of source.units()) {
      count += 1;
      if (count === 100) void source.close();
    }
  })();
  await reading;
  expect(count).toBeGreaterThanOrEqual(100);
});

withFfmpeg('copies H.264 from containers that only ffmpeg reads, with B-frames in order', async () => {
  const whole = await all((await open(MP4)).source.units());
  const folder = temporaryFolder();
  for (const name of ['a.flv', 'a.avi', 'odd: 100 %d.flv']) {
    const path = join(folder, name);
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-i', MP4, '-c', 'copy', `file:${path}`]);
    const { source } = await open(path);
    const units = await all(source.units());
    expect(source.description.mode).toBe('copy');
    expect(flat(units)).toEqual(flat(whole));
    expect(isInOrder(units)).toBe(true);
    // FLV has a resolution of milliseconds.
    const error = Math.max(
      ...units.map((unit, index) => Math.abs(unit.timestamp - (whole[index] as AccessUnit).timestamp)),
    );
    expect(error).toBeLessThanOrEqual(45);
  }
});

withFfmpeg('rejects input without video', async () => {
  const path = join(temporaryFolder(), 'sound.m4a');
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'sine=d=1', path]);
  await expect(open(path)).rejects.toThrow('sound.m4a contains no video, only audio');
});
