import type { Instant } from '../protocol/base/units.ts';
import { asSequence, type Sequence, type WireSequence } from '../protocol/rtp/sequence.ts';
import type { MarkedFrameBuffer } from './frames/marked-frame-buffer.ts';

/** Numbers of frames and packets, since the stream began. */
export interface StreamTotal {
  readonly frames: number;
  readonly packets: number;
}

/** Media that was sent, is due, and has not been seen. */
export interface UnseenMedia extends StreamTotal {
  /** Last frame and packet that are due; `undefined` when all have been seen. */
  readonly end?: { readonly frames: number; readonly lastSequence: Sequence };
}

interface Announced extends StreamTotal {
  readonly dueAt: Instant;
}

const NONE: UnseenMedia = { frames: 0, packets: 0 };

/** Limit of pending announcements: one arrives per second, and the longest latency is a minute. */
const WAITING_MAX = 128;

/**
 * Totals that the sender announces while it streams. Media that was sent and has not been seen when it is due counts as
 * lost, also in a silence, in which no sequence number shows a gap.
 */
export class SentTotal {
  readonly #firstFrame: number | undefined;
  readonly #firstSequence: Sequence | undefined;
  readonly #waiting: Announced[] = [];
  #due: StreamTotal = NONE;

  /** @param start first frame and packet of the stream; without both, nothing can be compared. */
  constructor(start: { readonly frame: number | undefined; readonly sequence: WireSequence | undefined }) {
    this.#firstFrame = start.frame;
    this.#firstSequence = start.sequence === undefined ? undefined : asSequence(start.sequence);
  }

  /** @param dueAt when the last of these packets has arrived, or its deadline has passed. */
  announce(total: StreamTotal, dueAt: Instant, now: Instant): void {
    this.handleTimeout(now);
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ ...total, dueAt });
  }

  handleTimeout(now: Instant): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.dueAt <= now) this.#due = this.#waiting.shift()!;
  }

  pollTimeout(): Instant | undefined {
    return this.#waiting[0]?.dueAt;
  }

  /**
   * @param buffer frames known here; `undefined` when there is nothing to compare with.
   * @param highest newest packet known here.
   */
  unseen(buffer: Pick<MarkedFrameBuffer, 'newest' | 'next'> | undefined, highest: Sequence | undefined): UnseenMedia {
    if (this.#firstFrame === undefined || this.#firstSequence === undefined) return NONE;
    if (buffer === undefined || highest === undefined || this.#due.packets === 0) return NONE;
    const end = {
      frames: this.#firstFrame + this.#due.frames,
      lastSequence: asSequence(this.#firstSequence + this.#due.packets - 1),
    };
    const next = Math.max(buffer.next, (buffer.newest()?.number ?? -1) + 1);
    const frames = Math.max(0, end.frames - next);
    const packets = Math.max(0, end.lastSequence - highest);
    return frames + packets === 0 ? NONE : { frames, packets, end };
  }
}
