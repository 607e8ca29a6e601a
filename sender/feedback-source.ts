import type { Instant } from '../protocol/base/units.ts';
import type { RtcpPacket } from '../protocol/rtcp/rtcp.ts';

/**
 * Recognizes the receiver's RTCP by its SSRC. An SSRC announced on the control channel is the only one accepted;
 * without it, the first whose report or request names the media. Both are 32 random bits that an attacker must guess.
 */
export class FeedbackSource {
  readonly #mediaSsrc: number;
  #isAnnounced = false;
  #reportSsrc: number | undefined;
  #heardAt: Instant | undefined;

  constructor(mediaSsrc: number) {
    this.#mediaSsrc = mediaSsrc;
  }

  expect(reportSsrc: number): void {
    this.#isAnnounced = true;
    this.#reportSsrc = reportSsrc;
  }

  /** Arrival time of the receiver's last report or request that named the media. */
  get heardAt(): Instant | undefined {
    return this.#heardAt;
  }

  /** False when the SSRC cannot be the receiver's. */
  mayBe(ssrc: number): boolean {
    return !this.#isAnnounced || ssrc === this.#reportSsrc;
  }

  /** Returns true when the packet comes from the receiver, and records it. */
  accepts(now: Instant, packet: RtcpPacket): boolean {
    const ssrc = sourceOf(packet);
    if (this.#isAnnounced && ssrc !== undefined && ssrc !== this.#reportSsrc) return false;
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
      case 'full-intra-request':
        return packet.commands.some(({ ssrc }) => ssrc === this.#mediaSsrc);
      case 'receiver-report':
      case 'sender-report':
        return packet.reports.some(({ ssrc }) => ssrc === this.#mediaSsrc);
      default:
        return false;
    }
  }
}

/** SSRC of the packet's sender; `undefined` when the packet has none. */
function sourceOf(packet: RtcpPacket): number | undefined {
  switch (packet.kind) {
    case 'nack':
    case 'picture-loss-indication':
    case 'full-intra-request':
    case 'congestion-control-feedback':
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
