import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { locateFfmpeg } from '../io/ffmpeg/ffmpeg-locator.ts';
import { causeOf, Failure } from '../io/os/failure.ts';
import { FRAMES_PER_SECOND, openBenchSource } from './bench-source.ts';
import type { Programs } from './programs.ts';

export interface Clip {
  readonly path: string;
  /** Mean bit rate of the access units, megabits per second. */
  readonly megabitsPerSecond: number;
}

/** Clip length: long enough that loops do not matter, short enough to encode in half a minute. */
const SECONDS = 10;

/** Encodes moving pictures with noise, so that the encoder needs its whole bit rate for content instead of filler. */
export async function makeClip(
  folder: string,
  megabitsPerSecond: number,
  size: string,
  programs: Programs,
): Promise<Clip> {
  const path = join(folder, `${megabitsPerSecond}M.mp4`);
  if (!existsSync(path)) await encode(path, megabitsPerSecond, size, programs);
  const source = await openBenchSource(path);
  let bytes = 0;
  let frames = 0;
  for await (const unit of source.units()) {
    frames++;
    for (const part of unit.parts) bytes += part.length;
  }
  await source.close();
  return { path, megabitsPerSecond: (bytes * 8 * FRAMES_PER_SECOND) / frames / 1e6 };
}

/** Adds sound to a clip, Opus of 128 kb/s in stereo, as `dropframe send` encodes it. @returns its path. */
export async function withSound(clip: string, programs: Programs): Promise<string> {
  const path = clip.replace(/\.mp4$/, '-sound.mp4');
  if (existsSync(path)) return path;
  const sound = `aevalsrc=0.3*random(0)-0.15+0.2*sin(440*2*PI*t):s=48000:d=${SECONDS},aformat=channel_layouts=stereo`;
  await run(
    path,
    ['-i', clip, '-f', 'lavfi', '-i', sound, '-c:v', 'copy', '-c:a', 'libopus', '-b:a', '128k'],
    programs,
  );
  return path;
}

async function encode(path: string, megabitsPerSecond: number, size: string, programs: Programs): Promise<void> {
  const rate = `${megabitsPerSecond}M`;
  const picture = `testsrc2=size=${size}:rate=${FRAMES_PER_SECOND}:duration=${SECONDS},noise=alls=25:allf=t`;
  const options = `-c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 0 -g 30 -b:v ${rate} -maxrate ${rate} -bufsize ${rate}`;
  await run(path, ['-f', 'lavfi', '-i', picture, ...options.split(' ')], programs);
}

/** Runs ffmpeg to make an MP4 file. */
async function run(path: string, parameters: readonly string[], programs: Programs): Promise<void> {
  const unfinished = `${path}.part`;
  const { path: ffmpeg } = await locateFfmpeg({}).catch((error: unknown) => {
    throw new Failure(`the clips need ffmpeg with libx264 and libopus: ${causeOf(error)}`, 3);
  });
  const args = ['-loglevel', 'error', '-y', ...parameters, '-f', 'mp4'];
  const child = programs.start(ffmpeg, [...args, unfinished], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Failure(`ffmpeg could not make ${path}: see above`);
  renameSync(unfinished, path);
}
