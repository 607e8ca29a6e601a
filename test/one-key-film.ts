import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from './io/sources/media.ts';

/**
 * Makes a gray film of 640 × 360 with one key frame, by ffmpeg; removed after the test.
 * @param gray gray level of frame N, as an expression of ffmpeg.
 * @returns path of the raw H.264.
 */
export function oneKeyFilm({ frames, gray }: { readonly frames: number; readonly gray: string }): string {
  const path = join(temporaryFolder(), 'film.h264');
  const source = `color=size=640x360:rate=30:duration=${frames / 30},format=gray`;
  execFileSync('ffmpeg', [
    ...['-hide_banner', '-v', 'error', '-f', 'lavfi', '-i', `${source},scale=32:18,geq=lum='${gray}',scale=640:360`],
    ...['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-profile:v', 'baseline', '-tune', 'zerolatency'],
    ...['-x264-params', 'keyint=infinite:scenecut=0:aud=1', path],
  ]);
  return path;
}
