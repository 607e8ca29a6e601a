// Draws city.mp4: every picture and every sample of the sound is made by the code in this folder, from fixed seeds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CityScene, FRAMES, FRAMES_PER_SECOND, HEIGHT, WIDTH } from './scene.js';
import { citySound, SOUND_RATE } from './sound.js';

/**
 * A live stream: no B-frames, one slice per picture, a key frame every second. The buffer is short, so that a key frame is 21
 * packets instead of 45: at 4 % loss, two of five arrive whole without recovery.
 */
const PICTURE = [
  '-c:v',
  'libx264',
  '-preset',
  'slow',
  '-profile:v',
  'high',
  '-bf',
  '0',
  '-g',
  '30',
  '-keyint_min',
  '30',
];
const RATE = ['-sc_threshold', '0', '-b:v', '1150k', '-maxrate', '1300k', '-bufsize', '220k'];
const COLORS = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];
const SOUND = ['-c:a', 'aac', '-b:a', '64k', '-flags:a', '+bitexact'];

/** @param ffmpeg program. @param file to be written. @returns the exit code. */
export async function makeCity(ffmpeg, file) {
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-city-'));
  try {
    const sound = join(folder, 'sound.raw');
    writeFileSync(sound, citySound(FRAMES / FRAMES_PER_SECOND));
    const pictures = [
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgba',
      '-s',
      `${WIDTH}x${HEIGHT}`,
      '-r',
      String(FRAMES_PER_SECOND),
      '-i',
      '-',
    ];
    const tones = ['-f', 's16le', '-ar', String(SOUND_RATE), '-ac', '1', '-i', sound];
    const exact = ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-map_metadata', '-1', '-movflags', '+faststart'];
    const filter = ['-vf', 'scale=out_color_matrix=bt709:out_range=tv,format=yuv420p'];
    const child = spawn(
      ffmpeg,
      [
        '-y',
        '-v',
        'error',
        ...pictures,
        ...tones,
        ...filter,
        ...PICTURE,
        ...RATE,
        ...COLORS,
        ...SOUND,
        ...exact,
        '-threads',
        '1',
        file,
      ],
      { stdio: ['pipe', 'inherit', 'inherit'] },
    );
    const ended = once(child, 'exit').catch((error) => {
      console.error(error.message);
      return [1];
    });
    child.stdin.on('error', () => {});
    const scene = new CityScene();
    for (let frame = 0; frame < FRAMES; frame++) {
      // A copy: the scene draws the next picture into the same memory.
      if (!child.stdin.write(scene.draw(frame).bytes.slice())) {
        await Promise.race([once(child.stdin, 'drain'), ended]);
      }
    }
    child.stdin.end();
    const [code] = await ended;
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
