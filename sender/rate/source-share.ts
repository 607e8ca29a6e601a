import { elapsed, type Instant, type Microseconds, seconds } from '../../protocol/base/units.ts';

/** Long enough for the repair of a loss or two, short enough that the source follows a path that begins to lose. */
const SLOT: Microseconds = seconds(0.5);
/** Share of a stream without losses: RTP headers and frame marks take 26 bytes of 1,200. */
const SHARE_DEFAULT = 0.97;
/** However much redundancy a moment needs, the source keeps this share. */
const SHARE_MIN = 0.5;

/** Share of the bytes sent that is the source's own: the rest is headers, repair, retransmission and padding. */
export class SourceShare {
  #slotAt: Instant | undefined;
  #sent = 0;
  #source = 0;
  #sentBefore = 0;
  #sourceBefore = 0;

  /** A datagram left, of which `sourceBytes` came from the source. */
  onSent(now: Instant, bytes: number, sourceBytes: number): void {
    this.#slotAt ??= now;
    if (elapsed(this.#slotAt, now) >= SLOT) {
      this.#slotAt = now;
      this.#sentBefore = this.#sent;
      this.#sourceBefore = this.#source;
      this.#sent = 0;
      this.#source = 0;
    }
    this.#sent += bytes;
    this.#source += sourceBytes;
  }

  /** Share over the last half to one second, 0.5 … 1. */
  get value(): number {
    const sent = this.#sentBefore + this.#sent;
    // Half a slot of data at the start would show the first key frame's repair only.
    if (this.#sentBefore === 0 || sent === 0) return SHARE_DEFAULT;
    return Math.max(SHARE_MIN, (this.#sourceBefore + this.#source) / sent);
  }
}
