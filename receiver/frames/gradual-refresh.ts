import type { Importance } from '../../protocol/access-unit.ts';
import type { Codec, Entry } from '../../protocol/codec/codec.ts';

/**
 * State of the picture that a decoder makes of a frame: `right`; `incomplete`, until a gradual refresh is through;
 * `doubtful`, where decoding started at a picture that the stream does not call an entry.
 */
export type PictureState = 'right' | 'incomplete' | 'doubtful';

/** Follows what a decoder shows that started in the middle of a stream (H.264 §D.2.8). */
export class GradualRefresh {
  /** Frames that others refer to until pictures are right; `Infinity`: until a better entry. 0: they are. */
  #left = 0;
  #isSafe = true;
  #doubtfulPictures = 0;

  /** Pictures in the state `doubtful` so far. */
  get doubtfulPictures(): number {
    return this.#doubtfulPictures;
  }

  /**
   * Returns the state of the next frame's picture. Called once for each frame that is decoded, in their order.
   * @param frame.enters true when decoding starts with this frame.
   */
  next(
    frame: { readonly importance: Importance; readonly enters: boolean; readonly parts: () => readonly Uint8Array[] },
    codec: Pick<Codec, 'entryOf'>,
  ): PictureState {
    const { importance, enters } = frame;
    if (enters) this.#start(codec.entryOf(frame.parts()));
    else if (importance === 'key' && this.#left > 0) this.#meet(codec.entryOf(frame.parts()));
    const state = this.#left <= 0 ? 'right' : this.#isSafe ? 'incomplete' : 'doubtful';
    if (state === 'doubtful') this.#doubtfulPictures++;
    // frame_num advances behind each frame that others refer to.
    if (importance !== 'discardable') this.#left = Math.max(0, this.#left - 1);
    return state;
  }

  #start({ recoveryFrames, isSafe }: Entry): void {
    this.#left = isSafe ? recoveryFrames : Number.POSITIVE_INFINITY;
    this.#isSafe = isSafe;
  }

  #meet({ recoveryFrames, isSafe }: Entry): void {
    if (isSafe) this.#left = Math.min(this.#left, recoveryFrames);
  }
}
