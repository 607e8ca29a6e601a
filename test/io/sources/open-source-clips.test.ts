import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { joinAnnexB, splitAnnexB } from '../../../protocol/codec/nal/annex-b.ts';
import { all, MEDIA, probedTimes, withMedia, withMediaAndFfmpeg } from './media.ts';
import { flat, isInOrder, open, outcome } from './opened-source.ts';

withMediaAndFfmpeg('copies every H.264 clip NAL unit by NAL unit, at the times of ffprobe', async () => {
  for (const path of clips()) {
    const { source } = await open(path, { ffmpeg: 'ffmpeg' }).catch(() => ({ source: undefined }));
    if (source?.description.mode !== 'copy' || source.description.codecName !== 'h264') continue;
    const units = await all(source.units());
    const times = probedTimes(path).map(({ shown }) => shown);
    expect(units.length, path).toBe(times.length);
    expect(isInOrder(units), path).toBe(true);
    const start = Math.min(...times);
    const error = Math.max(
      ...units.map((unit, index) => Math.abs(unit.timestamp - ((times[index] as number) - start))),
    );
    expect(error, path).toBeLessThanOrEqual(1);
    expect(pictures(resplit(units)), path).toEqual(pictures(reference(path)));
    await source.close();
  }
});

withMediaAndFfmpeg('encodes every other clip frame by frame, at the times of ffprobe', async () => {
  let count = 0;
  for (const path of clips()) {
    if (path.endsWith('.yuv')) continue;
    const { source } = await open(path);
    if (source.description.mode === 'copy') continue;
    count += 1;
    const units = await all(source.units());
    const times = probedTimes(path)
      .map(({ shown }) => shown)
      .sort((a, b) => a - b);
    const start = times[0] as number;
    // Frames before the first key frame of the file are not decoded.
    expect(times.length - units.length, path).toBeLessThanOrEqual(2);
    const known = new Set(times.map((time) => time - start));
    const isKnown = (time: number) => [-1, 0, 1].some((step) => known.has(time + step));
    const shift = (times.at(-1) as number) - start - (units.at(-1) as AccessUnit).timestamp;
    expect(
      units.every((unit) => isKnown(unit.timestamp + shift)),
      path,
    ).toBe(true);
    await source.close();
  }
  expect(count).toBeGreaterThan(0);
});

withMediaAndFfmpeg('copies every VP9 clip packet by packet, at the times of ffprobe', async () => {
  const path = join(MEDIA, 'clips/akiyo-news_vp9_352x288_29.97.webm');
  const { source } = await open(path);
  const units = await all(source.units());
  const times = probedTimes(path).map(({ shown }) => shown);
  expect(units.map(({ timestamp }) => timestamp + times[0]!)).toEqual(times);
  const parameters = ['-v', 'error', '-i', path, '-map', '0:v:0', '-c', 'copy', '-f', 'framemd5', '-'];
  const sums = execFileSync('ffmpeg', parameters)
    .toString()
    .matchAll(/^0,.*?\b([0-9a-f]{32})\b/gm);
  const sumOf = ({ parts }: AccessUnit) => createHash('md5').update(parts[0]!).digest('hex');
  expect(units.map(sumOf)).toEqual([...sums].map(([, sum]) => sum));
  await source.close();
});

withMedia('copies every raw stream NAL unit by NAL unit from its first key frame', async () => {
  const folder = join(MEDIA, 'annexb');
  for (const name of readdirSync(folder)) {
    const { source } = await open(join(folder, name));
    const units = await all(source.units());
    expect(pictures(flat(units)), name).toEqual(pictures(splitAnnexB(readFileSync(join(folder, name))).map(hex)));
    expect(isInOrder(units), name).toBe(true);
    await source.close();
  }
});

withMediaAndFfmpeg('streams the intact part of every broken file, or fails in one line that names it', async () => {
  const folder = join(MEDIA, 'broken');
  const files = ['', 'fuzz_mpegts', 'fuzz_annexb'].flatMap((sub) =>
    readdirSync(join(folder, sub)).map((name) => join(folder, sub, name)),
  );
  const streaming: string[] = [];
  for (const path of files.filter((name) => statSync(name).isFile())) {
    const { count, failure } = await outcome(path);
    if (failure === undefined) streaming.push(path.slice(folder.length + 1));
    else expect(failure, path).toContain(path);
    if (failure === undefined) expect(count, path).toBeGreaterThan(0);
  }
  expect(streaming.sort()).toEqual([
    'h264_BA_MW_D_IDR_LOST.264',
    'h264_bitflips_flower.h264',
    'h264_every-10th-slice-lost_water.h264',
    'mp4_annexb-inside_cut.mp4',
    'mp4_cut_mid-mdat.mp4',
    'mp4_mdat_too_long.mp4',
    'mp4_with_invalid_nalu.mp4',
  ]);
});

withMediaAndFfmpeg('encodes raw pictures with size and rate in the file name, picture by picture', async () => {
  const path = clips().find((clip) => clip.endsWith('.yuv')) as string;
  const { source } = await open(path);
  const { width, height, framesPerSecond } = source.description;
  expect({ width, height, framesPerSecond }).toEqual({ width: 320, height: 192, framesPerSecond: 12 });
  const units = await all(source.units());
  expect(units.map((unit) => unit.timestamp)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].map((frame) => frame * 7_500));
  await source.close();
});

function clips(): string[] {
  return readdirSync(join(MEDIA, 'clips')).map((name) => join(MEDIA, 'clips', name));
}

/** Result of ffmpeg's own extraction. */
function reference(path: string): string[] {
  const filter = path.endsWith('.ts') ? [] : ['-bsf:v', 'h264_mp4toannexb'];
  const extraction = ['-v', 'error', '-i', path, '-map', '0:v:0', '-c', 'copy', ...filter, '-f', 'h264', '-'];
  return splitAnnexB(execFileSync('ffmpeg', extraction, { maxBuffer: 64 * 1024 * 1024 })).map(hex);
}

/** Serialized like the reference: one clip has a start code inside a length-prefixed NAL unit. */
function resplit(units: readonly AccessUnit[]): string[] {
  return units.flatMap((unit) => splitAnnexB(joinAnnexB(unit.parts))).map(hex);
}

/**
 * Removes parameter sets: ffmpeg repeats them at IDR pictures even where the stream has them; dropframe adds them to
 * key frames without any.
 */
function pictures(parts: readonly string[]): string[] {
  return parts.filter((nalUnit) => ![7, 8].includes(Number.parseInt(nalUnit.slice(0, 2), 16) & 0x1f));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
