import type { Importance } from '../../protocol/access-unit.ts';
import type { Codec, Entry } from '../../protocol/codec/codec.ts';

/**
 * State of a decoded picture: `right`; `incomplete`, before a gradual refresh is complete; `doubtful`, after decoding
 * started at a picture that the stream does not declare as a random access point.
 */
export type PictureState = 'right' | 'incomplete' | 'doubtful';

/** Tracks the correctness of pictures after a decoder starts in the middle of a stream (H.264 §D.2.8). */
export class GradualRefresh {
  /** Reference frames until pictures are correct; 0 when they are, `Infinity` until a better random access point. */
  #left = 0;
  #isSafe = true;
  #doubtfulPictures = 0;

  /** Number of pictures in the state `doubtful`. */
  get doubtfulPictures(): number {
    return this.#doubtfulPictures;
  }

  /**
   * Returns the state of the next picture. Call once per decoded frame, in decode order.
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
    // frame_num advances after each reference frame.
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
