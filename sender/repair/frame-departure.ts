import {
  elapsed,
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';

/** Packets that leave further apart than this are of different groups; what lies within is the sender's own work. */
const GROUP_PAUSE_MIN: Microseconds = milliseconds(2);

/** How the packets of the frame in hand leave: a large frame does so in groups, and its last packets have the least time. */
export class FrameDeparture {
  #lastAt: Instant = instant(0);
  #pause: Microseconds = microseconds(0);
  #passesAt: Instant = instant(0);
  #hurriedFrom: Sequence | undefined;

  /** The longest pause between two packets; 0: the frame leaves in one piece. */
  get pause(): Microseconds {
    return this.#pause;
  }

  /** When the last packet is through the bottleneck, had the frame the path for itself: so late does it come. */
  get passesAt(): Instant {
    return this.#passesAt;
  }

  /** The first packet for which there is no time to be asked for; `undefined`: there is for all. */
  get hurriedFrom(): Sequence | undefined {
    return this.#hurriedFrom;
  }

  /** The frame's first packet leaves. */
  begin(now: Instant): void {
    this.#pause = microseconds(0);
    this.#hurriedFrom = undefined;
    this.#lastAt = now;
    this.#passesAt = instant(Number.NEGATIVE_INFINITY);
  }

  /**
   * @param terms.askableUntil what passes before it can be asked for in time; `spacing` is what the bottleneck takes for
   * a packet.
   */
  onPacket(now: Instant, sequence: Sequence, terms: { askableUntil: Instant; spacing: Microseconds }): void {
    const pause = elapsed(this.#lastAt, now);
    if (pause >= GROUP_PAUSE_MIN && pause > this.#pause) this.#pause = pause;
    this.#passesAt = instant(Math.max(now, this.#passesAt + terms.spacing));
    if (this.#passesAt >= terms.askableUntil) this.#hurriedFrom ??= sequence;
    this.#lastAt = now;
  }
}
