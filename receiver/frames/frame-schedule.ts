import {
  CLOCK_RATE,
  earlier,
  earliest,
  type Instant,
  later,
  latest,
  type Microseconds,
  microseconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import type { FrameBuffer, PendingFrame } from './frame-buffer.ts';
import type { PlayoutClock } from './playout-clock.ts';
import type { StreamEnd } from './stream-end.ts';

/** A frame, and the undecided one before it. */
export interface FrameWithPredecessor {
  readonly before: PendingFrame | undefined;
  readonly frame: PendingFrame;
}

const FRAME_INTERVAL_DEFAULT: Ticks = ticks(3_000);
/**
 * A shorter step (1 ms) is not that of a stream: frame numbers and timestamps do not fit together. The frames between are
 * due at once, and decided in one step, instead of one timeout for each.
 */
const FRAME_INTERVAL_MIN: Ticks = ticks(CLOCK_RATE / 1_000);
/** A gap of at least this many frames is an outage: its packets belong to frames with different deadlines. */
const LONG_GAP_FRAMES = 16;
/** A longer step is a pause, and says nothing about the deadlines of the frames around it. */
const FRAME_INTERVAL_MAX: Ticks = ticks(CLOCK_RATE);

/**
 * Deadlines of frames and packets by the play-out clock; those of missing frames are estimated from their neighbours.
 */
export class FrameSchedule {
  readonly #clock: PlayoutClock;
  /** Last decided frame with a known media time; the times of frames that never arrive are estimated from it. */
  #decided: { readonly number: number; readonly decodeTimestamp: Ticks } | undefined;
  #frameInterval: Ticks = FRAME_INTERVAL_DEFAULT;
  /** `undefined` until the sender has reported it. */
  end: StreamEnd | undefined;

  constructor(clock: PlayoutClock) {
    this.#clock = clock;
  }

  /** Records a decided frame whose media time is plausible. */
  noteDecided({ number, decodeTimestamp }: PendingFrame): void {
    if (this.#decided && number > this.#decided.number) {
      const step = (decodeTimestamp - this.#decided.decodeTimestamp) / (number - this.#decided.number);
      if (step >= FRAME_INTERVAL_MIN) this.#frameInterval = ticks(Math.min(step, FRAME_INTERVAL_MAX));
    }
    this.#decided = { number, decodeTimestamp };
  }

  /** Lateness of the next frame, as estimated from the frames before it; 0 before the first. */
  overdueBy(now: Instant): Microseconds {
    if (!this.#decided) return microseconds(0);
    return microseconds(
      Math.max(0, now - this.#clock.deadline(ticks(this.#decided.decodeTimestamp + this.#frameInterval))),
    );
  }

  /** Expected arrival of the frame on the fastest observed path. */
  expected(frame: PendingFrame): Instant {
    return this.#clock.expected(frame.decodeTimestamp);
  }

  /** Time by which the frame must be released. */
  deadline(frame: PendingFrame): Instant {
    return later(this.expected(frame), this.#clock.latency);
  }

  /**
   * Time by which a packet must arrive to be shown: a packet of the frame, or one missing before it. In a long gap,
   * most deadlines passed long ago.
   * @param decidedThrough last packet of the decided frames.
   */
  deadlineOf(sequence: Sequence, { before, frame }: FrameWithPredecessor, decidedThrough: Sequence): Instant {
    const deadline = this.deadline(frame);
    const number = before?.number ?? this.#decided?.number;
    if (sequence >= frame.firstSequence || number === undefined) return deadline;
    const frames = frame.number - number - 1;
    if (frames < LONG_GAP_FRAMES) return deadline;
    const last = before?.lastSequence ?? decidedThrough;
    const behind = (frame.firstSequence - sequence) / (frame.firstSequence - last - 1);
    return earlier(deadline, ticksToMicroseconds(ticks(Math.floor(behind * frames) * this.#intervalBefore(frame))));
  }

  /**
   * Release time of the head: never after that of the frame behind it, whatever its own timestamp is. What was sent early is
   * released as much earlier once it is complete, with the picture that it was sent with: each release wakes the process.
   */
  releaseAt(buffer: FrameBuffer, head: PendingFrame): Instant {
    const following = buffer.following();
    const deadline =
      head.complete && head.sentEarly ? earlier(this.deadline(head), head.sentEarly) : this.deadline(head);
    return following ? earliest(deadline, this.deadline(following)) : deadline;
  }

  /** Time by which the next frame must be decided; estimated from its neighbours when nothing of it arrived. */
  dueAt(buffer: FrameBuffer): Instant | undefined {
    const earliest = buffer.earliest();
    if (earliest?.number === buffer.next) return this.releaseAt(buffer, earliest);
    return this.missingDueAt(buffer.next, earliest);
  }

  /**
   * Time by which a frame that has not arrived must be decided; never decreases as `number` rises.
   * @param earliest the first later frame that has arrived at least in part.
   */
  missingDueAt(number: number, earliest: PendingFrame | undefined): Instant | undefined {
    if (earliest) {
      const ahead = ticks((earliest.number - number) * this.#intervalBefore(earliest));
      return earlier(this.deadline(earliest), ticksToMicroseconds(ahead));
    }
    if (!this.end || !(number < this.end.frames)) return undefined;
    if (!this.#decided) return this.end.waitUntil;
    const behind = (number - this.#decided.number) * this.#frameInterval;
    // The deadlines of the last frames are unknown; the control channel may have overtaken their packets.
    return latest(this.end.waitUntil, this.#clock.deadline(ticks(this.#decided.decodeTimestamp + behind)));
  }

  /** Frame interval between the last decided frame and this one. */
  #intervalBefore(frame: PendingFrame): Ticks {
    if (!this.#decided) return this.#frameInterval;
    const step = (frame.decodeTimestamp - this.#decided.decodeTimestamp) / (frame.number - this.#decided.number);
    return step < FRAME_INTERVAL_MIN ? ticks(0) : ticks(Math.min(step, FRAME_INTERVAL_MAX));
  }
}
