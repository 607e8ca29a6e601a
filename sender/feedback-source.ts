import type { Instant } from '../protocol/base/units.ts';
import type { RtcpPacket } from '../protocol/rtcp/rtcp.ts';

/**
 * Tells the receiver's RTCP from anybody else's by its SSRC. One that the receiver told on the control channel is the
 * only one; else the first whose report or request names the media, both of 32 random bits that others have to guess.
 */
export class FeedbackSource {
  readonly #mediaSsrc: number;
  #isTold = false;
  #reportSsrc: number | undefined;
  #heardAt: Instant | undefined;

  constructor(mediaSsrc: number) {
    this.#mediaSsrc = mediaSsrc;
  }

  expect(reportSsrc: number): void {
    this.#isTold = true;
    this.#reportSsrc = reportSsrc;
  }

  /** When the receiver's last report or request came that named the media. */
  get heardAt(): Instant | undefined {
    return this.#heardAt;
  }

  /** False where the SSRC cannot be the receiver's. */
  mayBe(ssrc: number): boolean {
    return !this.#isTold || ssrc === this.#reportSsrc;
  }

  /** Returns whether the packet is to be believed, and takes note of it. */
  accepts(now: Instant, packet: RtcpPacket): boolean {
    const ssrc = sourceOf(packet);
    if (this.#isTold && ssrc !== undefined && ssrc !== this.#reportSsrc) return false;
    if (this.#namesMedia(packet)) {
      this.#reportSsrc ??= ssrc;
      if (ssrc === this.#reportSsrc) this.#heardAt = now;
    }
    return packet.kind !== 'application' || this.#reportSsrc === undefined || ssrc === this.#reportSsrc;
  }

  #namesMedia(packet: RtcpPacket): boolean {
    switch (packet.kind) {
      case 'nack':
      case 'picture-loss-indication':
        return packet.mediaSsrc === this.#mediaSsrc;
      case 'receiver-report':
      case 'sender-report':
        return packet.reports.some(({ ssrc }) => ssrc === this.#mediaSsrc);
      default:
        return false;
    }
  }
}

/** SSRC of the packet's sender; `undefined` where the packet has none. */
function sourceOf(packet: RtcpPacket): number | undefined {
  switch (packet.kind) {
    case 'nack':
    case 'picture-loss-indication':
      return packet.senderSsrc;
    case 'goodbye':
      return packet.ssrcs[0];
    case 'source-description':
      return packet.chunks[0]?.ssrc;
    case 'unknown':
      return undefined;
    default:
      return packet.ssrc;
  }
}
