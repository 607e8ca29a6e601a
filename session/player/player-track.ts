import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Instant, Ticks } from '../../protocol/base/units.ts';
import { parseRtcp, type RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import { toRtpTicks } from '../../protocol/rtp/rtp-clock.ts';
import type { PresentationTrack } from '../../protocol/rtsp/presentation-description.ts';
import { type SentStreamParameters, streamParameters } from '../../protocol/stream-parameters.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { type SenderSettings, senderOptions } from '../../sender/sender-options.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { randomSequence, randomSsrc, randomTimestamp } from '../stream/identifiers.ts';

export interface PlayerTrackOptions {
  readonly parameters: SentStreamParameters;
  /** Settings of the sender, such as its rate control; both tracks of a player have one canonical name. */
  readonly settings: Partial<SenderSettings> & Pick<SenderSettings, 'cname'>;
  /** Sends RTP and RTCP packets in order. */
  readonly transmit: (packets: readonly Uint8Array[]) => void;
  /** The player cannot decode without a key frame. */
  readonly onKeyFrameWanted: () => void;
  /** An internal error has ended the track; `line` describes it. */
  readonly onFault: (line: string) => void;
}

/**
 * Returns the parameters of a track's stream to one player.
 * @param terms.retransmission payload type of retransmissions (RFC 4588), for a player that requests them.
 */
export function playerStream(
  { codec, clockRate, payloadType }: PresentationTrack,
  terms: { readonly datagramBytesMax: number; readonly retransmission?: number | undefined },
): SentStreamParameters {
  const { datagramBytesMax, retransmission } = terms;
  return streamParameters({
    codec,
    clockRate,
    payloadType,
    ssrc: randomSsrc(),
    initialSequence: randomSequence(),
    timestampBase: randomTimestamp(),
    datagramBytesMax,
    frameMarks: false,
    recovery: retransmission === undefined ? 'reorder' : 'nack',
    ...(retransmission !== undefined && { retransmission: { ssrc: randomSsrc(), payloadType: retransmission } }),
  });
}

/** One stream to one player: its sender, with reports, and the RTCP that comes back. */
export class PlayerTrack {
  readonly #parameters: SentStreamParameters;
  readonly #sender: Sender;
  readonly #driver: EndpointDriver<SenderEvent>;

  constructor({ parameters, settings, transmit, onKeyFrameWanted, onFault }: PlayerTrackOptions) {
    this.#parameters = parameters;
    const sending = senderOptions(parameters, settings);
    this.#sender = new Sender(sending);
    this.#driver = new EndpointDriver({
      endpoint: this.#sender,
      transmit,
      onEvent: (event) => {
        if (event.kind === 'keyframe-requested') onKeyFrameWanted();
      },
      onFault: ({ error, datagrams }) => {
        onFault(reportFault({ where: 'player', error, details: { options: sending, datagrams } }));
      },
    });
  }

  get ssrc(): number {
    return this.#parameters.ssrc;
  }

  get statistics(): Readonly<SenderStatistics> {
    return this.#sender.statistics;
  }

  /** True when the stream was finished and its last packet has left. */
  get finished(): boolean {
    return this.#sender.finished;
  }

  /** Sequence number of the next packet, as on the wire. */
  get nextSequence(): number {
    const { lastSequence } = this.#sender;
    return lastSequence === undefined ? this.#parameters.initialSequence : (lastSequence + 1) & 0xffff;
  }

  /** RTP timestamp of a media time, as on the wire. */
  wireTimestamp(time: Ticks): number {
    const { clockRate, timestampBase } = this.#parameters;
    return (toRtpTicks(time, clockRate) + timestampBase) >>> 0;
  }

  /**
   * Sends a unit. Returns false when there is no room for it.
   * @param dueAt instant of its media time, by which reports keep the tracks of a player together; now by default.
   */
  send(unit: AccessUnit, dueAt?: Instant): boolean {
    const outcome = this.#driver.attempt(() => this.#sender.send(now(), unit, dueAt));
    this.#driver.drain();
    return outcome !== 'refused';
  }

  /** True when RTCP reports on, or requests something of, the stream of this track. */
  isSubjectOf(packet: Uint8Array): boolean {
    const read = parseRtcp(packet);
    return read.ok && read.value.some((each) => subjectsOf(each).includes(this.ssrc));
  }

  /** Takes RTCP of the player. */
  receive(packet: Uint8Array): void {
    this.#driver.receive(packet);
  }

  /** Sends what is queued, a last report, and BYE. */
  finish(): void {
    this.#sender.finish();
    this.#driver.drain();
  }

  close(): void {
    this.#driver.close();
  }
}

function subjectsOf(packet: RtcpPacket): readonly number[] {
  switch (packet.kind) {
    case 'receiver-report':
    case 'sender-report':
      return packet.reports.map(({ ssrc }) => ssrc);
    case 'nack':
    case 'picture-loss-indication':
      return [packet.mediaSsrc];
    default:
      return [];
  }
}
