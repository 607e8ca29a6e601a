import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import { inMilliseconds, milliseconds } from '../../protocol/base/units.ts';
import { RistRetransmissions } from '../../protocol/rist/rist-retransmissions.ts';
import { retransmissionSsrc } from '../../protocol/rist/rist-ssrc.ts';
import { TRANSPORT_STREAM_DATAGRAMS } from '../../protocol/rist/transport-stream-datagrams.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { RtpLayout, type RtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import { type ReceiverOptions, receiverOptions } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { RtpIntake } from '../rtp/rtp-intake.ts';
import { FinishedSessions } from '../stream/finished-sessions.ts';
import { randomCname, randomSsrc } from '../stream/identifiers.ts';
import { type ImpairedDirection, impairedPath } from '../stream/media-path.ts';
import { RistPorts } from './rist-ports.ts';

export interface RistReceptionOptions {
  /** Address of this machine. */
  readonly host: string;
  /** Port of RTP, an even number; RTCP uses the next one. */
  readonly port: number;
  /** Time for retransmissions, milliseconds: datagrams are passed on this long after the fastest one would have been. */
  readonly latencyMs: number;
  /** False to request nothing. */
  readonly requests: boolean;
  /** Impairment of the path, in both directions. */
  readonly link?: LinkSpecification | undefined;
  /** A datagram before the link: one that the ports received, or one on its way back. */
  readonly onDatagram?: (direction: 'in' | 'out', datagram: Uint8Array) => void;
  /** Whole packets of MPEG-TS, in order. */
  readonly onPackets: (packets: Uint8Array) => void;
  /** The sender has said goodbye, and all datagrams are decided. */
  readonly onEnd: () => void;
  /** An internal error ended the reception. */
  readonly onFault: (failure: Failure) => void;
}

/** Payload type of MPEG-TS (RFC 3551 §6), and the one under which retransmissions are given to the receiver. */
const PAYLOAD_TYPE = 33;
const AGAIN_PAYLOAD_TYPE = 127;
/** Longest interval between reports (TR-06-1), by which senders know that the receiver is there. */
const REPORT_INTERVAL = milliseconds(100);

/**
 * Receives MPEG-TS by RIST Simple Profile (VSF TR-06-1): answers the reports of a sender, requests missing packets, and
 * passes the stream on at its deadlines.
 */
export class RistReception {
  readonly #options: RistReceptionOptions;
  readonly #ports: RistPorts;
  readonly #intake: RtpIntake;
  readonly #link: { readonly forward: ImpairedDirection; readonly back: ImpairedDirection } | undefined;
  readonly #reportSsrc = randomSsrc();
  readonly #cname = randomCname();
  readonly #layout = new RtpLayout();
  readonly #finished = new FinishedSessions();
  readonly #retransmissions = new RistRetransmissions({ media: PAYLOAD_TYPE, again: AGAIN_PAYLOAD_TYPE });
  #greetedAt = Number.NEGATIVE_INFINITY;
  #mediaAt: number | undefined;
  #otherPayloadType: number | undefined;

  constructor(options: RistReceptionOptions) {
    this.#options = options;
    if (options.link) {
      this.#link = impairedPath(options.link, {
        toReceiver: (datagram) => this.#receive(datagram),
        toSender: (datagram) => this.#ports.send(datagram),
      });
    }
    this.#ports = new RistPorts({
      ...options,
      onDatagram: (datagram) => {
        options.onDatagram?.('in', datagram);
        if (this.#link) this.#link.forward.send(datagram);
        else this.#receive(datagram);
      },
    });
    this.#intake = new RtpIntake({
      codec: TRANSPORT_STREAM_DATAGRAMS,
      payloadType: PAYLOAD_TYPE,
      receiverOptions: (first) => this.#receiving(first),
      transmit: (datagrams) => {
        for (const datagram of datagrams) this.#send(datagram);
      },
      onBegin: ({ ssrc }) => {
        this.#ports.source = ssrc;
      },
      onReport: () => {},
      onEvent: (event) => this.#handleEvent(event),
      onEnd: (statistics) => this.#finished.add({ statistics }),
      onFault: ({ error, datagrams }, receiving) => {
        const details = { options: receiving, datagrams };
        options.onFault(new Failure(reportFault({ where: 'receiver', error, details })));
      },
    });
  }

  /** Statistics of each stream so far, the present one last; a frame is a datagram. */
  get sessions(): readonly ReceiverStatistics[] {
    const { session } = this.#intake;
    return session ? [...this.#finished.rows, session.receiver.statistics] : this.#finished.rows;
  }

  /** Number of streams so far. */
  get sessionCount(): number {
    return this.#finished.count + (this.#intake.session ? 1 : 0);
  }

  get receiveDrops(): readonly (number | undefined)[] {
    return this.#ports.receiveDrops;
  }

  /** Time of the last datagram of the stream, milliseconds; `undefined` before the first. */
  get mediaAt(): number | undefined {
    return this.#mediaAt;
  }

  /** Payload type of RTP that is not MPEG-TS; `undefined` when none has come. */
  get otherPayloadType(): number | undefined {
    return this.#otherPayloadType;
  }

  /** Opens the ports. @throws {Failure} when one cannot be opened. */
  async open(): Promise<void> {
    await this.#ports.open();
  }

  close(): void {
    this.#intake.end();
    this.#link?.forward.close();
    this.#link?.back.close();
    this.#ports.close();
  }

  #receiving({ ssrc, payloadType, timestamp }: RtpPacket): ReceiverOptions {
    const { latencyMs, requests } = this.#options;
    const parameters = streamParameters({
      codec: TRANSPORT_STREAM_DATAGRAMS,
      ...{ ssrc, payloadType, timestampBase: timestamp, frameMarks: false },
      retransmission: { ssrc: retransmissionSsrc(ssrc), payloadType: AGAIN_PAYLOAD_TYPE },
      recovery: requests ? 'nack' : 'reorder',
      latency: milliseconds(latencyMs),
      mend: milliseconds(0),
    });
    return {
      ...receiverOptions(parameters, { reportSsrc: this.#reportSsrc, cname: this.#cname }),
      foreign: { keyFrames: false, reportInterval: REPORT_INTERVAL },
    };
  }

  #receive(datagram: Uint8Array): void {
    const kind = classifyDatagram(datagram);
    if (kind === 'rtcp') {
      this.#greet();
      return this.#intake.receive(datagram);
    }
    if (kind !== 'rtp' || this.#layout.read(datagram) !== undefined) return this.#intake.receive(datagram);
    const payloadType = datagram[1]! & 0x7f;
    if (payloadType === PAYLOAD_TYPE) this.#mediaAt = inMilliseconds(now());
    else this.#otherPayloadType = payloadType;
    this.#intake.receive(this.#retransmissions.translate(datagram));
  }

  /** Answers a sender that waits for a receiver before it sends anything. */
  #greet(): void {
    const at = inMilliseconds(now());
    if (this.#intake.session || at - this.#greetedAt < inMilliseconds(REPORT_INTERVAL) / 2) return;
    this.#greetedAt = at;
    const ssrc = this.#reportSsrc;
    const name = { kind: 'source-description', chunks: [{ ssrc, cname: this.#cname }] } as const;
    this.#send(serializeRtcp([{ kind: 'receiver-report', ssrc, reports: [] }, name]));
  }

  #send(datagram: Uint8Array): void {
    this.#options.onDatagram?.('out', datagram);
    if (this.#link) this.#link.back.send(datagram);
    else this.#ports.send(datagram);
  }

  #handleEvent(event: ReceiverEvent): void {
    if (event.kind === 'access-unit') for (const part of event.unit.parts) this.#options.onPackets(part);
    else if (event.kind === 'ended') {
      this.#intake.end();
      this.#ports.source = undefined;
      this.#options.onEnd();
    }
  }
}
