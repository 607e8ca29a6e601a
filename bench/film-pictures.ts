import { AV, type AvFrame, type AvLibrary } from '../io/encoder/av-library.ts';
import { PictureFilter } from '../io/encoder/picture-filter.ts';
import { PictureReader } from '../io/encoder/picture-reader.ts';
import { type PictureSize, sizesOf } from '../io/encoder/resolution-steps.ts';
import { Failure } from '../io/os/failure.ts';
import type { Luma } from '../lab/quality/luma-ssim.ts';
import { assert } from '../protocol/base/assert.ts';

/** Pictures of a film that are kept, raw: half a gigabyte of 640×360. */
const PICTURES_MAX = 1_500;

/** Decoded pictures of a film, repeated without end. */
export class FilmPictures {
  readonly size: PictureSize;
  readonly #pictures: readonly AvFrame[];

  /** @throws {Failure} when the film cannot be read. */
  static async open(av: AvLibrary, path: string): Promise<FilmPictures> {
    const order = { input: { url: path }, guard: {}, framesPerSecondDefault: 30, evenTimes: false, from: 0 };
    const rest = { keyInterval: undefined, bufferSeconds: undefined, adapts: false };
    const reader = await PictureReader.open(av, { ...order, ...rest });
    const filter = new PictureFilter(av, reader.quarterTurns);
    const size = sizesOf(reader.opened)[0]!;
    const pictures: AvFrame[] = [];
    for (let next = reader.next(); next && pictures.length < PICTURES_MAX; next = reader.next()) {
      const kept = new av.Frame();
      kept.alloc();
      assert(kept.ref(filter.apply(next.frame, size)) >= 0, 'a decoded picture must be referable');
      pictures.push(kept);
    }
    filter.close();
    reader.close();
    if (pictures.length === 0) throw new Failure(`${path} has no pictures`);
    return new FilmPictures(size, pictures);
  }

  private constructor(size: PictureSize, pictures: readonly AvFrame[]) {
    this.size = size;
    this.#pictures = pictures;
  }

  /** Picture of a frame of the endless stream. */
  at(frame: number): AvFrame {
    return this.#pictures[frame % this.#pictures.length]!;
  }

  close(): void {
    for (const picture of this.#pictures) picture.free();
  }
}

/** Copies the luma samples of a picture, 4:2:0 with 8 bits. */
export function lumaOf(frame: AvFrame): Luma {
  assert(frame.format === AV.pixelFormatYuv420p, 'compared pictures must have 8 bits a sample');
  const { width, height } = frame;
  const plane = frame.data?.[0];
  const stride = frame.linesize[0]!;
  assert(plane !== undefined, 'a picture must have samples');
  const samples = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    samples.set(plane.subarray(row * stride, row * stride + width), row * width);
  }
  return { width, height, samples };
}
