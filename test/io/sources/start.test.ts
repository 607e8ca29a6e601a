import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MediaSourceOptions } from '../../../io/sources/open-source.ts';
import { type AccessUnit, shifted } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { optional } from '../../optional.ts';
import { all, SAMPLES, temporaryFolder, withFfmpeg } from './media.ts';
import { open } from './opened-source.ts';

const COUNTER = join(SAMPLES, 'counter.mp4');

/** The film from a place on, as the whole film tells it: from its last key frame, moved, and hidden before the place. */
function expectedFrom(whole: readonly AccessUnit[], seconds: number): AccessUnit[] {
  const at = ticks(seconds * 90_000);
  const key = whole.findLastIndex(({ importance, timestamp }) => importance === 'key' && timestamp <= at);
  return whole
    .slice(key)
    .filter(({ importance, timestamp }) => timestamp >= at || importance !== 'discardable')
    .map((unit) => shifted(unit.timestamp < at ? { ...unit, decodeOnly: true } : unit, ticks(-at)));
}

/** Units in a form that is compared fast. */
const summed = (units: readonly AccessUnit[]) =>
  units.map(({ parts, ...times }) => {
    const sum = createHash('md5');
    for (const part of parts) sum.update(part);
    return { ...times, sum: sum.digest('hex') };
  });

async function startsAt(path: string, startSeconds: number): Promise<void> {
  const whole = (await open(path)).source;
  const expected = expectedFrom(await all(whole.units()), startSeconds);
  const { source, warnings } = await open(path, { startSeconds });
  expect(expected[0]!.decodeOnly).toBe(true);
  expect(summed(await all(source.units()))).toEqual(summed(expected));
  expect(warnings.filter((line) => !line.includes('copied as it is'))).toEqual([]);
}

test('a film starts at the key frame before the place, and shows nothing before it', () => startsAt(COUNTER, 3.5));

test('a raw stream starts at the key frame before the place', () => startsAt(join(SAMPLES, 'counter.h264'), 3.5));

test('leading pictures of the key frame before the place are left out', async () => {
  const { source } = await open(join(SAMPLES, 'small.h265'), { startSeconds: 1.3 });
  const [first, ...others] = await all(source.units());
  expect(first).toMatchObject({ importance: 'key', timestamp: -45_000, decodeOnly: true });
  expect(others.every(({ timestamp }) => timestamp > first!.timestamp)).toBe(true);
});

withFfmpeg('fragments and files that ffmpeg reads start there too', async () => {
  const folder = temporaryFolder();
  for (const [name, ...options] of [
    ['fragments.mp4', '-movflags', 'frag_keyframe+empty_moov'],
    ['index.mkv'],
    ['stream.ts'],
    ['through-ffmpeg.flv'],
  ]) {
    const path = join(folder, name!);
    execFileSync('ffmpeg', ['-v', 'error', '-i', COUNTER, '-c', 'copy', ...options, path]);
    await startsAt(path, 3.5);
  }
});

test('sound starts at the place', async () => {
  const clip = join(SAMPLES, 'flash.mp4');
  const sound = {};
  const [whole, source] = [(await open(clip, { sound })).source, (await open(clip, { sound, startSeconds: 2 })).source];
  const units = await all(whole.sound!.units());
  const expected = units.filter(({ timestamp }) => timestamp >= 171_000).map((unit) => shifted(unit, ticks(-180_000)));
  expect(summed(await all(source.sound!.units()))).toEqual(summed(expected));
});

withFfmpeg('sound that is encoded anew starts at the place', async () => {
  const clip = join(temporaryFolder(), 'ac3.mkv');
  execFileSync('ffmpeg', ['-v', 'error', '-i', join(SAMPLES, 'flash.mp4'), '-c:v', 'copy', '-c:a', 'ac3', clip]);
  const { source } = await open(clip, { sound: {}, startSeconds: 2 });
  const times = (await all(source.sound!.units())).map(({ timestamp }) => timestamp);
  expect(times[0]).toBeGreaterThanOrEqual(-9_000);
  expect(times[0]).toBeLessThan(-9_000 + 1_800);
  expect(times.at(-1)).toBeGreaterThan(3.9 * 90_000);
});

test('sound alone starts at the place', async () => {
  const order: Partial<MediaSourceOptions> = { sound: {}, pictures: false, startSeconds: 2 };
  const { source } = await open(join(SAMPLES, 'flash.mp4'), order);
  const times = (await all(source.units())).map(({ timestamp }) => timestamp);
  expect(times[0]).toBeGreaterThanOrEqual(-9_000);
  expect(times[0]).toBeLessThanOrEqual(0);
  expect(times.at(-1)).toBeLessThan(4.1 * 90_000);
});

test('a repetition begins at the beginning, and another first pass at the place', async () => {
  const whole = await all((await open(COUNTER)).source.units());
  const { source } = await open(COUNTER, { startSeconds: 3.5 });
  const expected = expectedFrom(whole, 3.5);
  expect(summed(await all(source.units()))).toEqual(summed(expected));
  expect(summed(await all(source.units({ isRepeat: true })))).toEqual(summed(whole));
  expect(summed(await all(source.units()))).toEqual(summed(expected));
});

withFfmpeg('an encoder starts with the first picture at the place', async () => {
  const { source } = await open('testsrc=64x64@10:5', { encode: 'x264', startSeconds: 2 });
  const units = await all(source.units());
  expect(units.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 30 }, (_, index) => index * 9_000));
  expect(units[0]!.importance).toBe('key');
  expect((await all(source.units({ isRepeat: true }))).length).toBe(50);
  const film = (await open(COUNTER, { encode: 'x264', startSeconds: 3.5 })).source;
  expect((await all(film.units())).length).toBe(360 - 3.5 * 30);
});

withFfmpeg('a clip of two pictures that is encoded anew starts at the place', async () => {
  const clip = join(temporaryFolder(), 'short.mp4');
  const pattern = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-frames:v', '2'];
  execFileSync('ffmpeg', ['-v', 'error', ...pattern, '-c:v', 'libx264', clip]);
  const { source } = await open(clip, { encode: 'x264', startSeconds: 0.03 });
  expect((await all(source.units())).length).toBe(1);
});

test('a place behind the end is refused', async () => {
  await expect(open(COUNTER, { startSeconds: 12 })).rejects.toThrow('cannot start at 12.0 s: it is 12.0 s long');
  const raw = join(SAMPLES, 'counter.h264');
  await expect(open(raw, { startSeconds: 12 })).rejects.toThrow('cannot start at 12.0 s: it ends before that');
  const order: Partial<MediaSourceOptions> = { sound: {}, pictures: false, startSeconds: 99 };
  await expect(open(join(SAMPLES, 'flash.mp4'), order)).rejects.toThrow('cannot start at 99.0 s: it is 6.0 s long');
});

optional('/proc', existsSync('/proc/self/fd'))('a check of the place leaves no file open', async () => {
  // A file of its own: those of other tests may be closed meanwhile.
  const clip = join(temporaryFolder(), 'place.mp4');
  copyFileSync(join(SAMPLES, 'flash.mp4'), clip);
  const opened = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === clip;
      } catch {
        return false;
      }
    }).length;
  await open(clip, { sound: {}, pictures: false, startSeconds: 2 });
  // A file is closed in another thread.
  await expect.poll(opened).toBe(0);
});

test('a live source has no places', async () => {
  await expect(open('udp://127.0.0.1:9', { live: true, startSeconds: 1 })).rejects.toThrow(/no place to start at/);
});
