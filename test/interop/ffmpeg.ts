import { spawnSync } from 'node:child_process';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { joinAnnexB } from '../../protocol/codec/nal/annex-b.ts';

/** Result of decoding a file or bytes with ffmpeg: the number of pictures, and the error output. */
export function decode(input: string | Uint8Array): { readonly pictures: number; readonly complaints: string[] } {
  const source = typeof input === 'string' ? ['-i', input] : ['-f', 'h264', '-i', '-'];
  const { stdout, stderr } = spawnSync(
    'ffmpeg',
    ['-hide_banner', '-v', 'error', ...source, '-an', '-fps_mode', 'passthrough', '-f', 'framecrc', '-'],
    { input: typeof input === 'string' ? undefined : input, maxBuffer: 256 * 1024 * 1024 },
  );
  const lines = (bytes: Buffer) =>
    bytes
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  return { pictures: lines(stdout).filter((line) => !line.startsWith('#')).length, complaints: lines(stderr) };
}

export const annexBOf = (units: readonly AccessUnit[]): Uint8Array =>
  Buffer.concat(units.map((unit) => joinAnnexB(unit.parts)));
