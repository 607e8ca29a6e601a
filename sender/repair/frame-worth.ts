import type { Importance } from '../../protocol/access-unit.ts';
import { type Microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';

/** Worth of a frame on which no other depends, packets. */
const ONE_FRAME = 50;
/**
 * Worth when damaged frames are shown: a missing frame stops nothing, but its damage stays until the next key frame.
 */
const SHOWN_DAMAGED: Readonly<Record<Importance, number>> = { key: 1_000, reference: 333, discardable: ONE_FRAME };
/** Assumed key-frame interval until the first one is known, frames. */
const KEY_INTERVAL_MIN = 60;
/** Assumed answer time until it is measured. */
const ANSWER_TIME_DEFAULT: Microseconds = milliseconds(50);

/**
 * Worth of frames in packets: another repair packet is sent as long as it saves more than one frame in this many. It
 * follows from the number of frames lost with a missed one: those up to the next key frame or, when it is mended, those
 * up to then. The key-frame interval is learned from the stream.
 */
export class FrameWorth {
  readonly #mends: boolean;
  #sinceKey = 0;
  #keyInterval: number | undefined;

  /** @param mends true when the receiver requests frames after their deadline. */
  constructor(mends: boolean) {
    this.#mends = mends;
  }

  /** Called for each frame sent. */
  onFrame(importance: Importance): void {
    if (importance !== 'key') {
      this.#sinceKey++;
      return;
    }
    if (this.#sinceKey > 0) this.#keyInterval = this.#sinceKey + 1;
    this.#sinceKey = 0;
  }

  /** Worth of a frame of this importance in packets, at the position of the newest frame. */
  of(importance: Importance, path: PathNotice | undefined, frameInterval: Microseconds): number {
    if (path?.showsDamaged) return SHOWN_DAMAGED[importance];
    return importance === 'discardable' ? ONE_FRAME : ONE_FRAME * this.#framesMissed(importance, path, frameInterval);
  }

  #framesMissed(importance: Importance, path: PathNotice | undefined, frameInterval: Microseconds): number {
    const interval = this.#keyInterval ?? Math.max(KEY_INTERVAL_MIN, 2 * this.#sinceKey);
    const untilKey = importance === 'key' ? interval : Math.max(1, interval - this.#sinceKey);
    if (!this.#mends) return untilKey;
    const held = HELD_FRAMES + (path?.answerTime || ANSWER_TIME_DEFAULT) / frameInterval;
    return Math.min(untilKey, importance === 'key' ? held * HELD_BY_KEY : held);
  }
}

/** Frames delayed by a mended frame beyond the answer time; a low estimate. */
const HELD_FRAMES = 6;
/** A key frame usually misses more packets, which takes longer. */
const HELD_BY_KEY = 3;
