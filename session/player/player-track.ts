import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { microseconds, type Ticks } from '../../protocol/base/units.ts';
import { toRtpTicks } from '../../protocol/rtp/rtp-clock.ts';
import type { PresentationTrack } from '../../protocol/rtsp/presentation-description.ts';
import { type SentStreamParameters, streamParameters } from '../../protocol/stream-parameters.ts';
import { UnlimitedRate } from '../../sender/rate/unlimited-rate.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { randomSequence, randomSsrc, randomTimestamp } from '../stream/identifiers.ts';

export interface PlayerTrackOptions {
  readonly track: PresentationTrack;
  /** `tcp`: interleaved, where nothing is paced. */
  readonly lower: 'udp' | 'tcp';
  /** Largest RTP packet, bytes. */
  readonly datagramBytesMax: number;
  /** Sends RTP and RTCP packets in order. */
  readonly transmit: (packets: readonly Uint8Array[]) => void;
  /** The player cannot decode without a key frame. */
  readonly onKeyFrameWanted: () => void;
  /** An internal error has ended the track; `line` describes it. */
  readonly onFault: (line: string) => void;
}

/** One stream to one player: its sender, with reports, and the RTCP that comes back. */
export class PlayerTrack {
  readonly #parameters: SentStreamParameters;
  readonly #sender: Sender;
  readonly #driver: EndpointDriver<SenderEvent>;

  constructor({ track, lower, datagramBytesMax, transmit, onKeyFrameWanted, onFault }: PlayerTrackOptions) {
    this.#parameters = streamParameters({
      codec: track.codec,
      clockRate: track.clockRate,
      payloadType: track.payloadType,
      ssrc: randomSsrc(),
      initialSequence: randomSequence(),
      timestampBase: randomTimestamp(),
      datagramBytesMax,
      frameMarks: false,
      recovery: 'reorder',
    });
    const isPaced = lower === 'udp';
    // Players send no report from which the capacity of the path could be learnt.
    const sending = senderOptions(this.#parameters, {
      rate: () => new UnlimitedRate(),
      ...(!isPaced && { spreadMax: microseconds(0) }),
    });
    this.#sender = new Sender(sending);
    this.#driver = new EndpointDriver({
      endpoint: this.#sender,
      transmit,
      onEvent: (event) => {
        if (event.kind === 'keyframe-requested') onKeyFrameWanted();
      },
      onFault: ({ error, datagrams }) => {
        onFault(reportFault({ where: 'RTSP', error, details: { options: sending, datagrams } }));
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

  /** Sends a unit. Returns false when there is no room for it. */
  send(unit: AccessUnit): boolean {
    const outcome = this.#driver.attempt(() => this.#sender.send(now(), unit));
    this.#driver.drain();
    return outcome !== 'refused';
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
