import { AV, type AvCodecContext, type AvFrame, type AvLibrary, type AvPacket } from '../io/encoder/av-library.ts';
import { PictureFilter } from '../io/encoder/picture-filter.ts';
import { Failure } from '../io/os/failure.ts';
import { type Luma, lumaSsim } from '../lab/quality/luma-ssim.ts';
import type { SlotPlan } from '../lab/quality/slot-plan.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { joinAnnexB } from '../protocol/codec/nal/annex-b.ts';
import { type FilmPictures, lumaOf } from './film-pictures.ts';

/**
 * Structural similarity of each slot with the film: what was on the screen, decoded from the pictures that the viewer's
 * decoder had and enlarged to the film's size, against the picture that belonged there. A slot before the first picture is
 * black.
 *
 * @param inTime scores of pictures in their own slots, by row; completed, and reused by the next run of the same units.
 */
export async function shownSsim(
  av: AvLibrary,
  film: FilmPictures,
  { units, inTime }: { readonly units: readonly AccessUnit[]; readonly inTime: Map<number, number> },
  { decoded, onScreen }: SlotPlan,
): Promise<readonly number[]> {
  const decoder = await PictureDecoder.open(av);
  const filter = new PictureFilter(av, 0);
  const blank: Luma = { ...film.size, samples: new Uint8Array(film.size.width * film.size.height).fill(BLACK) };
  let screen = (): Luma => blank;
  let next = 0;
  const scores = Array.from(onScreen, (wanted, slot) => {
    while (next < decoded.length && decoded[next]!.slot <= wanted) {
      const picture = decoder.decode(units[decoded[next]!.row]!);
      if (decoded[next++]!.slot === wanted) screen = () => lumaOf(filter.apply(picture, film.size));
    }
    const known = wanted === slot ? inTime.get(slot) : undefined;
    const score = known ?? lumaSsim(screen(), lumaOf(film.at(slot)));
    if (wanted === slot) inTime.set(slot, score);
    return score;
  });
  decoder.close();
  filter.close();
  return scores;
}

/** Luma of black in video range. */
const BLACK = 16;

/** Decodes H.264 without B-frames: an access unit goes in, its picture comes out. */
class PictureDecoder {
  readonly #av: AvLibrary;
  readonly #context: AvCodecContext;
  readonly #packet: AvPacket;
  readonly #frame: AvFrame;

  static async open(av: AvLibrary): Promise<PictureDecoder> {
    const codec = av.Codec.findDecoder(AV.codecIdH264);
    assert(codec !== null, 'the library must decode H.264');
    const decoder = new PictureDecoder(av);
    decoder.#context.allocContext3(codec);
    decoder.#context.threadCount = 1;
    decoder.#check(await decoder.#context.open2(codec, null));
    return decoder;
  }

  private constructor(av: AvLibrary) {
    this.#av = av;
    this.#context = new av.CodecContext();
    this.#packet = new av.Packet();
    this.#packet.alloc();
    this.#frame = new av.Frame();
    this.#frame.alloc();
  }

  /** Valid until the next picture. @throws {Failure} when the unit cannot be decoded. */
  decode({ parts }: AccessUnit): AvFrame {
    this.#packet.unref();
    this.#packet.data = Buffer.from(joinAnnexB(parts));
    this.#check(this.#context.sendPacketSync(this.#packet));
    this.#check(this.#context.receiveFrameSync(this.#frame));
    return this.#frame;
  }

  close(): void {
    this.#context.freeContext();
    this.#frame.free();
  }

  #check(code: number): void {
    if (code < 0) throw new Failure(`a shown picture does not decode: ${new this.#av.FFmpegError(code).message}`);
  }
}
