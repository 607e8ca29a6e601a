import type { Ticks } from '../../protocol/base/units.ts';
import type { CodedPicture } from '../../protocol/codec/nal/coded-picture.ts';

/**
 * Passes pictures from the first one at which decoding can start, and counts those before it. Pictures after a key frame
 * that refer to others before it are left out where decoding starts with it: nothing can be made of them.
 */
export class EntryGate {
  #open = false;
  #skipped = 0;
  #sequenceKnown = false;
  /** True while the last key frame is one at which decoding starts. */
  #isAtStart = false;
  /** Key frames that may still be left out. */
  #keysBefore: number;

  /** Time of the first picture shown, in the container, 90 kHz; `undefined` before it, and without a container. */
  startsAt: Ticks | undefined;

  /** @param keysBefore key frames at which decoding could start, and which are left out with what follows them. */
  constructor(keysBefore = 0) {
    this.#keysBefore = keysBefore;
  }

  /** Pictures before the first that has passed; without `keysBefore` they cannot be decoded. */
  get skipped(): number {
    return this.#skipped;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Why nothing has passed. */
  get cause(): 'no picture' | 'no parameter sets' | 'no key frame' {
    if (this.#skipped === 0) return 'no picture';
    return this.#sequenceKnown ? 'no key frame' : 'no parameter sets';
  }

  admits(picture: CodedPicture): boolean {
    if (this.#open) {
      if (picture.importance === 'key') this.#isAtStart = picture.startsSequence;
      return !(this.#isAtStart && picture.refersBeforeEntry);
    }
    // A key frame without the parameter sets of its slices cannot be decoded.
    const decodable = picture.sequenceParameterSet !== undefined;
    this.#sequenceKnown ||= decodable;
    const isEntry = decodable && picture.importance === 'key';
    this.#open = isEntry && this.#keysBefore === 0;
    if (isEntry && !this.#open) this.#keysBefore -= 1;
    this.#isAtStart = this.#open;
    if (!this.#open) this.#skipped += 1;
    return this.#open;
  }
}
