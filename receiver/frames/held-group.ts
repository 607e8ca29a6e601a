import {
  earliest,
  type Instant,
  instant,
  later,
  type Microseconds,
  milliseconds,
  seconds,
} from '../../protocol/base/units.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import type { FrameBuffer, PendingFrame } from './frame-buffer.ts';
import type { PlayoutClock } from './playout-clock.ts';

export interface HeldGroupOptions {
  readonly release: 'deadline' | 'asap';
  readonly overdue: 'drop' | 'wait';
  /** True when discardable frames are mended too, for a recording. */
  readonly records: boolean;
  /** True when no frame is shown, so that no key frame takes over. */
  readonly recordsOnly: boolean;
  /** Limit of bytes held in frames past their deadline. */
  readonly heldBytesMax: number;
}

/** Decoder state that determines which frames are still useful. */
export interface DecodingState {
  /** True when only a key frame can be decoded. */
  readonly needsKey: boolean;
  /** True when a frame has been released before. */
  readonly started: boolean;
  /** Time until which the last packets may arrive, once the end of the stream is known. */
  readonly endsAt: Instant | undefined;
}

/** Mending time after the end of the stream, when nothing more is shown and only a recording benefits. */
const MEND_AFTER_END: Microseconds = seconds(2);
/** A picture later than this is not shown; the viewer continues at the live edge. */
const SHOWN_LATE_MAX: Microseconds = milliseconds(500);
/**
 * Time for which a late frame waits for a newer one. After an outage frames arrive in a burst, datagram by datagram;
 * within a quarter of a display's refresh (60 Hz) only the last of them can be seen.
 */
const NEWER_WAIT: Microseconds = milliseconds(4);
const NEVER: Instant = instant(Number.NEGATIVE_INFINITY);

/**
 * A frame that has missed its deadline and the later frames that refer to it: held undecoded until it is mended, a
 * later key frame takes over where frames are shown, or a limit is reached.
 */
export class HeldGroup {
  readonly #options: HeldGroupOptions;
  readonly #clock: PlayoutClock;

  constructor(options: HeldGroupOptions, clock: PlayoutClock) {
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * Time until which the overdue head of the buffer is held; −∞ when it is given up.
   * @param dueAt the head's display deadline.
   */
  heldUntil(now: Instant, buffer: FrameBuffer, { dueAt, state }: { dueAt: Instant; state: DecodingState }): Instant {
    let until = this.#clock.referenceDeadline(dueAt);
    if (now >= until) return NEVER;
    const head = buffer.head();
    if (!this.#mayBeDecoded(head, state) || buffer.full) return NEVER;
    if (state.endsAt !== undefined) until = instant(Math.min(until, Math.max(dueAt, state.endsAt) + MEND_AFTER_END));
    let heldBytes = 0;
    for (const frame of buffer.frames()) {
      const shownAt = this.#clock.deadline(frame.decodeTimestamp);
      if (shownAt <= now) heldBytes += frame.receivedBytes;
      if (this.#options.recordsOnly || frame === head || !isWholeKey(frame)) continue;
      until = earliest(until, this.#options.release === 'asap' ? now : shownAt);
    }
    return heldBytes > this.#options.heldBytesMax ? NEVER : until;
  }

  /**
   * Returns a function from a packet to the time until which it is useful to the decoder, apart from its display
   * deadline; −∞ when it is not.
   */
  referenceDeadlines(
    buffer: FrameBuffer,
    state: DecodingState,
    deadlineOf: (sequence: Sequence, around: Surrounding) => Instant,
  ): (sequence: Sequence) => Instant {
    if (this.#clock.mend === 0) return () => NEVER;
    let firstKey: PendingFrame | undefined;
    let takeOver: PendingFrame | undefined;
    for (const frame of buffer.frames()) {
      if (frame.importance === 'key') firstKey ??= frame;
      if (!this.#options.recordsOnly && isWholeKey(frame)) takeOver = frame;
    }
    return (sequence) => {
      const around = surroundingOf(buffer, sequence);
      if (!around) return NEVER;
      const { frame } = around;
      const own = sequence >= frame.firstSequence;
      if (own && frame.importance === 'discardable' && !this.#options.records) return NEVER;
      const useless = state.needsKey && !(firstKey && firstKey.number <= frame.number && (own || firstKey !== frame));
      if (useless && (state.started || own)) return NEVER;
      const until = this.#clock.referenceDeadline(deadlineOf(sequence, around));
      if (!takeOver || takeOver.number < frame.number || (own && takeOver === frame)) return until;
      return earliest(until, this.#clock.deadline(takeOver.decodeTimestamp));
    };
  }

  /** True when the decoder, or a recording, benefits from the frame; one of unknown importance may be a reference. */
  #mayBeDecoded(head: PendingFrame | undefined, { needsKey, started }: DecodingState): boolean {
    if (head?.importance === 'discardable' && !this.#options.records) return false;
    if (!needsKey || head?.importance === 'key') return true;
    return !started && head?.importance === undefined;
  }

  /**
   * Time until which a whole head that arrived after its deadline waits for a newer frame, which is shown in its place;
   * `undefined` when it does not.
   */
  newerUntil(now: Instant, buffer: FrameBuffer, head: PendingFrame): Instant | undefined {
    if (this.#options.overdue === 'wait' || head.lastArrivalAt <= this.#clock.deadline(head.decodeTimestamp))
      return undefined;
    const until = later(head.lastArrivalAt, NEWER_WAIT);
    return now < until && buffer.following() === undefined ? until : undefined;
  }

  /** True when a newer frame can be shown now, or the frame is too old to be shown at all. */
  isOutdated(now: Instant, buffer: FrameBuffer, frame: PendingFrame): boolean {
    if (now - this.#clock.deadline(frame.decodeTimestamp) > SHOWN_LATE_MAX) return true;
    let { number } = frame;
    for (const next of buffer.frames()) {
      if (next.number <= number) continue;
      if (next.number > number + 1) return false;
      if (next.complete) return this.#options.release === 'asap' || this.#clock.deadline(next.decodeTimestamp) <= now;
      if (next.importance !== 'discardable') return false;
      number = next.number;
    }
    return false;
  }
}

const isWholeKey = (frame: PendingFrame): boolean => frame.complete && frame.importance === 'key';

/** Position of a packet: its frame, or the first one after it, and the frame before that. */
interface Surrounding {
  readonly before: PendingFrame | undefined;
  readonly frame: PendingFrame;
}

function surroundingOf(buffer: FrameBuffer, sequence: Sequence): Surrounding | undefined {
  let before: PendingFrame | undefined;
  for (const frame of buffer.frames()) {
    if (sequence <= frame.lastSequence) return { before, frame };
    before = frame;
  }
  return undefined;
}
