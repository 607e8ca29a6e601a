import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';

/** Packets that leave further apart than this are of different groups; what lies within is the sender's own work. */
const GROUP_PAUSE_MIN: Microseconds = 2_000;

/** How the packets of the frame in hand leave: a large frame does so in groups, and its last packets have the least time. */
export class FrameDeparture {
  #lastAt: Instant = 0;
  #pause: Microseconds = 0;
  #passesAt: Instant = 0;
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
    this.#pause = 0;
    this.#hurriedFrom = undefined;
    this.#lastAt = now;
    this.#passesAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * @param terms.askableUntil what passes before it can be asked for in time; `spacing` is what the bottleneck takes for
   * a packet.
   */
  onPacket(now: Instant, sequence: Sequence, terms: { askableUntil: Instant; spacing: Microseconds }): void {
    const pause = now - this.#lastAt;
    if (pause >= GROUP_PAUSE_MIN && pause > this.#pause) this.#pause = pause;
    this.#passesAt = Math.max(now, this.#passesAt + terms.spacing);
    if (this.#passesAt >= terms.askableUntil) this.#hurriedFrom ??= sequence;
    this.#lastAt = now;
  }
}
