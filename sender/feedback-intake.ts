import { readUint32 } from '../protocol/base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../protocol/base/parsed.ts';
import type { Instant } from '../protocol/base/units.ts';
import { parseRtcp, type RtcpPacket } from '../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../protocol/rtp/multiplex.ts';
import { FeedbackBudget } from './feedback-budget.ts';
import { FeedbackSource } from './feedback-source.ts';
import type { SenderStatistics } from './sender-statistics.ts';

type Counters = Pick<SenderStatistics, 'foreign' | 'feedbackRefused' | 'requestsRefused'>;

/** Parses datagrams into RTCP packets of the receiver, within its work budget. */
export class FeedbackIntake {
  readonly source: FeedbackSource;
  readonly #budget = new FeedbackBudget();
  readonly #counters: Counters;

  constructor(mediaSsrc: number, counters: Counters) {
    this.source = new FeedbackSource(mediaSsrc);
    this.#counters = counters;
  }

  /** A media packet was sent. */
  earn(bytes: number): void {
    this.#budget.earn(bytes);
  }

  /** @returns `undefined` when the datagram is ignored. */
  read(now: Instant, datagram: Uint8Array): Parsed<RtcpPacket[]> | undefined {
    // Checked first: datagrams with a foreign SSRC are not charged to the receiver.
    if (datagram.length >= 8 && !this.source.mayBe(readUint32(datagram, 4))) {
      this.#counters.foreign++;
      return undefined;
    }
    if (!this.#budget.allows(now, datagram.length)) {
      this.#counters.feedbackRefused++;
      return undefined;
    }
    if (classifyDatagram(datagram) !== 'rtcp') return malformed('not RTCP');
    const packets = parseRtcp(datagram);
    if (!packets.ok) return packets;
    const own: RtcpPacket[] = [];
    for (const packet of packets.value) {
      if (!this.source.accepts(now, packet)) this.#counters.foreign++;
      else own.push(packet.kind === 'nack' ? this.#withinBudget(now, packet) : packet);
    }
    return parsed(own);
  }

  #withinBudget(now: Instant, nack: RtcpPacket & { kind: 'nack' }): RtcpPacket {
    const { sequenceNumbers } = nack;
    const count = this.#budget.takeRequests(now, sequenceNumbers.length);
    if (count === sequenceNumbers.length) return nack;
    this.#counters.requestsRefused += sequenceNumbers.length - count;
    return { ...nack, sequenceNumbers: sequenceNumbers.slice(0, count) };
  }
}
