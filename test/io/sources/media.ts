import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { optional } from '../../optional.ts';

/** Real media outside this repository; read only. */
export const MEDIA = process.env.DROPFRAME_MEDIA ?? join(import.meta.dirname, '../../../../shared/media');
export const SAMPLES = join(import.meta.dirname, '../../../samples');

const hasMedia = existsSync(MEDIA);
const hasFfmpeg = runs('ffmpeg') && runs('ffprobe');

export const withMedia = optional('../shared/media (or DROPFRAME_MEDIA)', hasMedia);
export const withFfmpeg = optional('ffmpeg and ffprobe on the PATH', hasFfmpeg);
export const withMediaAndFfmpeg = optional('../shared/media, ffmpeg and ffprobe', hasMedia && hasFfmpeg);

function runs(program: string): boolean {
  try {
    execFileSync(program, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** True when ffmpeg has this encoder. */
export const hasEncoder = (name: string): boolean =>
  hasFfmpeg && execFileSync('ffmpeg', ['-v', 'quiet', '-encoders']).toString().includes(` ${name} `);

/** MD5 sums of the decoded pictures of a file's video, or of its packets with `-c copy`. */
export function frameSums(path: string, ...coding: string[]): string[] {
  const parameters = ['-v', 'error', '-i', path, '-map', '0:v', ...coding, '-f', 'framemd5', '-'];
  return execFileSync('ffmpeg', parameters)
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => line.split(',').at(-1)!.trim());
}

/** Creates an empty folder that is removed with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Comparable form of a stream: NAL units as text, so that differences are readable. */
export const nalText = (units: readonly AccessUnit[]): string[][] =>
  units.map((unit) => unit.parts.map((nalUnit) => Buffer.from(nalUnit).toString('hex')));

/** `[presentation, decode]` times of the packets of a file's video as reported by ffprobe, 90 kHz. */
export function probedTimes(file: string): { readonly shown: number; readonly decoded: number }[] {
  const entries = ['-show_entries', 'packet=pts,dts:stream=time_base', '-of', 'json'];
  const output = execFileSync('ffprobe', ['-v', 'quiet', '-select_streams', 'v:0', ...entries, file], {
    maxBuffer: 256 * 1024 * 1024,
  });
  const { packets, streams } = JSON.parse(output.toString()) as {
    readonly packets: readonly { readonly pts: number; readonly dts: number }[];
    readonly streams: readonly { readonly time_base: string }[];
  };
  const [numerator = 1, denominator = 1] = (streams[0]?.time_base ?? '1/90000').split('/').map(Number);
  const ticks = (time: number): number => Math.round((time * 90_000 * numerator) / denominator);
  return packets.map(({ pts, dts }) => ({ shown: ticks(pts), decoded: ticks(dts) }));
}
