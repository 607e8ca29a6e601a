import type { Importance } from '../../protocol/access-unit.ts';
import { type Microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';

/** The worth of a frame that is missed for itself alone, packets. */
const ONE_FRAME = 50;
/** Where damage is shown, nothing stands still for a missed frame, but its damage stays up to the next key frame. */
const SHOWN_DAMAGED: Readonly<Record<Importance, number>> = { key: 1_000, reference: 333, discardable: ONE_FRAME };
/** Before the first interval from key frame to key frame is known, frames. */
const KEY_INTERVAL_MIN = 60;
/** Before an answer time is measured. */
const ANSWER_TIME_DEFAULT: Microseconds = milliseconds(50);

/**
 * Worth of frames in packets: another repair packet is sent as long as it saves more than one frame in so many. It
 * follows from how many frames a missed one takes with it: those up to the next key frame, or, where it is mended,
 * those up to then. How far key frames are from each other is learned from the stream.
 */
export class FrameWorth {
  readonly #mends: boolean;
  #sinceKey = 0;
  #keyInterval: number | undefined;

  /** @param mends whether the receiver asks on for frames after their deadline. */
  constructor(mends: boolean) {
    this.#mends = mends;
  }

  /** A frame is sent. */
  onFrame(importance: Importance): void {
    if (importance !== 'key') {
      this.#sinceKey++;
      return;
    }
    if (this.#sinceKey > 0) this.#keyInterval = this.#sinceKey + 1;
    this.#sinceKey = 0;
  }

  /** Worth of a frame of this importance in packets, at the newest frame's place. */
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

/** A frame that is mended misses its own time and holds up others for the answer time, which is reckoned low. */
const HELD_FRAMES = 6;
/** Of a key frame more is missing as a rule, which takes longer. */
const HELD_BY_KEY = 3;
