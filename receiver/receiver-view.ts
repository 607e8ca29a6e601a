import { type Instant, instant, type Microseconds } from '../protocol/base/units.ts';
import type { Sequence } from '../protocol/rtp/sequence.ts';
import type { Feedback } from './feedback/feedback.ts';
import type { FrameBuffer, PendingFrame } from './frames/frame-buffer.ts';
import type { FrameRelease } from './frames/frame-release.ts';
import type { MarkedFrameBuffer } from './frames/marked-frame-buffer.ts';
import type { StreamView } from './recovery/loss-recovery.ts';

/** What of a receiver changes while it runs. */
export interface ReceiverState {
  readonly ssrc: number | undefined;
  readonly buffer: FrameBuffer | undefined;
  readonly marked: MarkedFrameBuffer | undefined;
}

/** A receiver as its recovery sees it. */
export class ReceiverView implements StreamView {
  readonly #feedback: Feedback;
  readonly #frames: FrameRelease;
  readonly #state: () => ReceiverState;

  constructor(parts: {
    readonly feedback: Feedback;
    readonly frames: FrameRelease;
    readonly state: () => ReceiverState;
  }) {
    this.#feedback = parts.feedback;
    this.#frames = parts.frames;
    this.#state = parts.state;
  }

  get mediaSsrc(): number | undefined {
    return this.#state().ssrc;
  }

  get roundTrip(): Microseconds | undefined {
    return this.#feedback.roundTrip;
  }

  get roundTripSpread(): Microseconds {
    return this.#feedback.roundTripSpread;
  }

  get endKnown(): boolean {
    return this.#frames.endKnown;
  }

  get newest(): PendingFrame | undefined {
    return this.#state().marked?.newest();
  }

  referenceDeadlines(): (sequence: Sequence) => Instant {
    const { buffer } = this.#state();
    return buffer ? this.#frames.referenceDeadlines(buffer) : () => instant(Number.NEGATIVE_INFINITY);
  }

  /** By when a packet must be here: the deadline of its frame, or of the next one that is known. */
  deadlineOf(sequence: Sequence): Instant | undefined {
    const { buffer } = this.#state();
    if (!buffer) return undefined;
    let before: PendingFrame | undefined;
    for (const frame of buffer.frames()) {
      if (sequence <= frame.lastSequence) return this.#frames.deadlineOf(sequence, { before, frame });
      before = frame;
    }
    // Promised by a frame that was taken back: only the sender's word at the end makes it worth asking for.
    return this.#frames.endKnown ? undefined : instant(Number.NEGATIVE_INFINITY);
  }
}
