import { basename, extname } from 'node:path';
import { Failure } from '../os/failure.ts';

/** Geometry of raw pictures without a header: planar YUV 4:2:0, 8 bits per sample (I420). */
export interface RawPictures {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

const EXTENSIONS: readonly string[] = ['.yuv', '.i420'];
const FRAMES_PER_SECOND_DEFAULT = 25;

/**
 * Parses the geometry from a file name such as `clip_320x192_12fps.yuv`; `undefined` for other file types.
 * @param bytes length of the file, which must be a whole number of pictures.
 * @param framesPerSecond overrides the frame rate in the name.
 * @throws {Failure} when name and length do not match.
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
      size === null
        ? 'of unknown size'
        : `that are not ${width}x${height}: ${bytes} bytes are not a whole number of them`;
    throw new Failure(`${path} contains raw pictures ${reason}: name it like clip_320x192_30fps.yuv (I420)`);
  }
  const rate = /(?<![\d.])(\d+(?:\.\d+)?)(?:fps|hz)/i.exec(name);
  return { width, height, framesPerSecond: framesPerSecond ?? (rate ? Number(rate[1]) : FRAMES_PER_SECOND_DEFAULT) };
}
