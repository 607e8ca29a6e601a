import type { CodedPicture } from '../../protocol/codec/h264/access-unit-splitter.ts';

/** Lets pictures through from the first one at which decoding can start, and counts those before it. */
export class EntryGate {
  #open = false;
  #skipped = 0;
  #sequenceKnown = false;

  /** Pictures before the first keyframe; nothing could be made of them. */
  get skipped(): number {
    return this.#skipped;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Why nothing came through. */
  get cause(): 'no picture' | 'no parameter sets' | 'no keyframe' {
    if (this.#skipped === 0) return 'no picture';
    return this.#sequenceKnown ? 'no keyframe' : 'no parameter sets';
  }

  admits(picture: CodedPicture): boolean {
    if (this.#open) return true;
    // Without the sets that its slices refer to, a keyframe is of no use.
    const decodable = picture.sequenceParameterSet !== undefined;
    this.#sequenceKnown ||= decodable;
    this.#open = decodable && picture.importance === 'key';
    if (!this.#open) this.#skipped += 1;
    return this.#open;
  }
}
