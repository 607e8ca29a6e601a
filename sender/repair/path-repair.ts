import type { Importance } from '../../protocol/access-unit.ts';
import { type Instant, instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import { FrameDeparture } from './frame-departure.ts';

/** Protection of a stream that is split over two paths against the failure of either. */
export interface PathRepairOptions {
  /** True while packets are split over both paths. */
  readonly isSplit: () => boolean;
  /**
   * Share of the packets that is protected when the answer to a request would be too late, 0 … 1. Whole frames are
   * protected, key frames first.
   */
  readonly share: number;
}

/** The frame whose packets leave. */
interface LeavingFrame {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly at: Instant;
  readonly importance: Importance;
}

/**
 * Time in which a receiver detects that a packet is missing and requests it: the silence after the end of a frame, the wait
 * for reordered packets and the variation of both.
 */
const DETECTION: Microseconds = milliseconds(10);
/** Packets by which key frames may be ahead of the share. */
const DEBT_PACKETS_MAX = 300;

/**
 * Computes the repair packets with which a frame survives the failure of a path when it cannot be requested in time: as
 * many as it has packets. A path that carries half of the packets takes half of both with it, and the other half equals
 * the frame. Fewer do not suffice: what the receiver gets in time by either path alone must be the whole stream.
 */
export class PathRepair {
  readonly #options: PathRepairOptions;
  readonly #departure = new FrameDeparture();
  /** Packets by which the protection is behind its share; negative when key frames were ahead of it. */
  #due = 0;

  constructor(options: PathRepairOptions) {
    this.#options = options;
  }

  /** A packet of the frame leaves. @param path the receiver's last notice; `undefined` before the first. */
  onPacket(now: Instant, sequence: Sequence, frame: LeavingFrame, path: PathNotice | undefined): void {
    if (sequence === frame.firstSequence) this.#departure.begin(now);
    const askableUntil =
      path && path.answerTime > 0 ? frame.at + path.latency - path.answerTime - DETECTION : Number.NEGATIVE_INFINITY;
    const spacing = microseconds(path?.spacing ?? 0);
    this.#departure.onPacket(now, sequence, { askableUntil: instant(askableUntil), spacing });
  }

  /** Returns the number of repair packets that a frame needs after its last packet. */
  repairsAfter({ lastSequence, importance }: LeavingFrame): number {
    const { hurriedFrom } = this.#departure;
    if (hurriedFrom === undefined || !this.#options.isSplit()) return 0;
    const packets = lastSequence - hurriedFrom + 1;
    const due = this.#due + packets * this.#options.share;
    const isProtected = this.#options.share > 0 && (importance === 'key' || due >= packets);
    this.#due = Math.max(-DEBT_PACKETS_MAX, isProtected ? due - packets : due);
    return isProtected ? packets : 0;
  }
}
