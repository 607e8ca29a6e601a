import { type Instant, instant, type Microseconds } from '../protocol/base/units.ts';
import type { Sequence } from '../protocol/rtp/sequence.ts';
import type { Feedback } from './feedback/feedback.ts';
import type { FrameBuffer, PendingFrame } from './frames/frame-buffer.ts';
import type { FrameRelease } from './frames/frame-release.ts';
import type { MarkedFrameBuffer } from './frames/marked-frame-buffer.ts';
import type { MarkCompletion } from './intake/mark-completion.ts';
import type { StreamView } from './recovery/loss-recovery.ts';

/** Mutable state of a receiver. */
export interface ReceiverState {
  readonly ssrc: number | undefined;
  readonly buffer: FrameBuffer | undefined;
  readonly marked: MarkedFrameBuffer | undefined;
  readonly marks: Pick<MarkCompletion, 'holds' | 'holdsAfter'> | undefined;
}

/** A recovery's view of the receiver. */
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

  roundTripsWithin(span: Microseconds): number {
    return this.#feedback.roundTripsWithin(span);
  }

  get endKnown(): boolean {
    return this.#frames.endKnown;
  }

  get newest(): PendingFrame | undefined {
    return this.#state().marked?.newest();
  }

  isHeld(sequence: Sequence): boolean {
    return this.#state().marks?.holds(sequence) ?? false;
  }

  referenceDeadlines(): (sequence: Sequence) => Instant {
    const { buffer } = this.#state();
    return buffer ? this.#frames.referenceDeadlines(buffer) : () => instant(Number.NEGATIVE_INFINITY);
  }

  /** Time by which a packet must arrive: the deadline of its frame, or of the next known one. */
  deadlineOf(sequence: Sequence): Instant | undefined {
    const { buffer, marks } = this.#state();
    if (!buffer) return undefined;
    let before: PendingFrame | undefined;
    for (const frame of buffer.frames()) {
      if (sequence <= frame.lastSequence) return this.#frames.deadlineOf(sequence, { before, frame });
      before = frame;
    }
    // Announced by a frame that was removed: only the end of the stream makes the packet worth a request, or a later
    // packet whose frame is unknown.
    return this.#frames.endKnown || marks?.holdsAfter(sequence) ? undefined : instant(Number.NEGATIVE_INFINITY);
  }
}
