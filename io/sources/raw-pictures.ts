import { basename, extname } from 'node:path';
import { Failure } from '../os/failure.ts';

/** Pictures without a header, planar YUV 4:2:0 with 8 bits a sample (I420): nothing in them says how large they are. */
export interface RawPictures {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

const EXTENSIONS: readonly string[] = ['.yuv', '.i420'];
const FRAMES_PER_SECOND_DEFAULT = 25;

/**
 * What the file's name says of its pictures, as `clip_320x192_12fps.yuv` does by custom; `undefined`: not by its name
 * such a file.
 *
 * @param bytes the file's length: it must be a whole number of pictures, or the name is not believed.
 * @param framesPerSecond where the user knows better.
 */
export function rawPicturesOf(path: string, bytes: number, framesPerSecond?: number): RawPictures | undefined {
  if (!EXTENSIONS.includes(extname(path).toLowerCase())) return undefined;
  const name = basename(path);
  const size = /(?<!\d)(\d{2,5})x(\d{2,5})(?!\d)/i.exec(name);
  const width = Number(size?.[1]);
  const height = Number(size?.[2]);
  const pictureBytes = width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
  if (size === null || bytes % pictureBytes !== 0) {
    const reason =
      size === null ? 'of unknown size' : `that are not ${width}x${height}: ${bytes} bytes are no whole number of them`;
    throw new Failure(`${path} holds raw pictures ${reason}: name it as in clip_320x192_30fps.yuv (I420)`);
  }
  const rate = /(?<![\d.])(\d+(?:\.\d+)?)(?:fps|hz)/i.exec(name);
  return { width, height, framesPerSecond: framesPerSecond ?? (rate ? Number(rate[1]) : FRAMES_PER_SECOND_DEFAULT) };
}
