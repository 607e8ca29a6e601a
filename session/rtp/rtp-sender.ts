import { bracketed } from '../../io/net/control-server.ts';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { isLoopback } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { inSeconds } from '../../protocol/base/units.ts';
import type { Codec, ParameterSetTracker } from '../../protocol/codec/codec.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { orientedUnit } from '../../protocol/codec/oriented-unit.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { writeSessionDescription } from '../../protocol/sdp.ts';
import { type SentStreamParameters, streamParameters } from '../../protocol/stream-parameters.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { Broadcast } from '../stream/broadcast.ts';
import { randomSequence, randomSsrc, randomTimestamp } from '../stream/identifiers.ts';
import { resolveRtpAddress } from './rtp-address.ts';

export interface RtpSenderOptions {
  readonly source: MediaSource;
  readonly host: string;
  /** RTP port, 1 to 65534; RTCP uses the next one (RFC 3550 §11). */
  readonly port: number;
  readonly loop: boolean;
  /** Largest UDP payload, bytes. */
  readonly datagramBytesMax: number;
  /** Called for each access unit as it enters the stream. */
  readonly onUnit?: (unit: AccessUnit) => void;
  readonly onStall: (late: number) => void;
}

/**
 * Delay of BYE after the last packet, milliseconds. Some players (ffmpeg) read the RTCP socket before the RTP socket
 * and stop at BYE, so unread packets would be lost.
 */
const BYE_DELAY_MS = 500;
/** Time limit of a stop, milliseconds: the rest of a frame, and BYE. */
const FINISH_MS = 1_000;

/** Sends a source as plain RTP to one address: no control channel, no frame marks, no feedback required. */
export class RtpSender {
  readonly #options: RtpSenderOptions;
  readonly #parameters: SentStreamParameters;
  readonly #sender: Sender;
  readonly #driver: EndpointDriver<SenderEvent>;
  readonly #broadcast: Broadcast;
  readonly #codec: Codec;
  readonly #parameterSets: ParameterSetTracker;
  readonly #finished: Promise<void>;
  #address = '';
  #stopping = false;
  #media: DatagramSocket | undefined;
  #control: DatagramSocket | undefined;
  #onFinished: () => void = () => {};
  #onEnd: (error: unknown) => void = () => {};

  constructor(options: RtpSenderOptions) {
    this.#options = options;
    // The session description offers no retransmission (RFC 4588 §8): requests are counted and refused.
    this.#parameters = streamParameters({
      codec: codecByName(options.source.description.codecName),
      ssrc: randomSsrc(),
      initialSequence: randomSequence(),
      timestampBase: randomTimestamp(),
      datagramBytesMax: options.datagramBytesMax,
      frameMarks: false,
      recovery: 'reorder',
    });
    const sending = senderOptions(this.#parameters);
    this.#sender = new Sender(sending);
    this.#codec = this.#parameters.codec;
    this.#parameterSets = this.#codec.trackParameterSets();
    this.#driver = new EndpointDriver({
      endpoint: this.#sender,
      transmit: (datagrams) => this.#transmit(datagrams),
      onEvent: () => {}, // counted in the statistics
      onFault: ({ error, datagrams }) => {
        const line = reportFault({ where: 'sender', error, details: { options: sending, datagrams } });
        this.#onEnd(new Failure(line));
        this.#onFinished();
      },
    });
    for (const set of options.source.description.parameterSets) this.#parameterSets.add(set);
    this.#finished = new Promise((resolve) => {
      this.#onFinished = resolve;
    });
    this.#broadcast = new Broadcast({
      units: () => options.source.units(),
      loop: options.loop,
      onUnit: (unit) => this.#send(unit),
      onEnd: (error) => this.#onEnd(error),
      onStall: options.onStall,
    });
  }

  get statistics(): Readonly<SenderStatistics> {
    return this.#sender.statistics;
  }

  /** Datagrams that the operating system refused to send; on the same machine: no program listens on the port. */
  get refused(): number {
    return this.#media?.sendErrors ?? 0;
  }

  /** Place in the source, seconds; `undefined` before the first frame. */
  get positionSeconds(): number | undefined {
    const { position } = this.#broadcast;
    return position === undefined ? undefined : inSeconds(position);
  }

  /** Destination of the media, once it is open. */
  get destination(): string {
    return `${bracketed(this.#address)}:${this.#options.port}`;
  }

  /** SDP file for players, once it is open. */
  get sessionDescription(): string {
    const { port, source } = this.#options;
    const { name, parameterSets } = source.description;
    return writeSessionDescription({
      codec: this.#codec,
      host: this.#address,
      port,
      payloadType: this.#parameters.payloadType,
      clockRate: this.#parameters.clockRate,
      parameterSets,
      name,
    });
  }

  /** Opens the sockets. @throws {Failure} when the destination cannot be used. */
  async open(): Promise<void> {
    const { host, port, datagramBytesMax } = this.#options;
    const { address, ipv6 } = await resolveRtpAddress(`rtp://${bracketed(host)}:${port}`, host, 'send');
    this.#address = address;
    const any = ipv6 ? '::' : '0.0.0.0';
    const open = (to: number) =>
      DatagramSocket.open({
        host: isLoopback(address) ? address : any,
        port: 0,
        peer: { host: address, port: to },
        lengths: { fullBytes: datagramBytesMax, bytesMax: datagramBytesMax },
        onDatagram: (datagram) => this.#driver.receive(datagram),
      });
    this.#media = await open(port);
    this.#control = await open(port + 1);
  }

  /** Plays the source to its end and sends BYE. Rejects when the source fails. */
  async run(): Promise<void> {
    if (this.#stopping) return;
    const error = await new Promise<unknown>((resolve) => {
      this.#onEnd = resolve;
      this.#broadcast.start();
    });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, BYE_DELAY_MS);
      void this.#finished.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    await this.stop();
    if (error) throw error;
  }

  /** Sends the queue and BYE, then closes. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#broadcast.stop();
    this.#onEnd(undefined);
    this.#sender.finish();
    this.#driver.drain();
    const timer = setTimeout(this.#onFinished, FINISH_MS);
    await this.#finished;
    clearTimeout(timer);
    this.#driver.close();
    this.#media?.close();
    this.#control?.close();
  }

  #send(sent: AccessUnit): void {
    this.#options.onUnit?.(sent);
    // Nothing else tells the players how to turn it.
    const unit = orientedUnit(this.#codec, sent, this.#options.source.description.rotation);
    for (const part of unit.parts) this.#parameterSets.add(part);
    const joinable = unit.importance === 'key';
    // For players without the SDP file, and those that join later, the stream repeats the parameter sets.
    const parts = this.#codec.withParameterSets(unit.parts, this.#parameterSets.sets(), joinable);
    this.#driver.attempt(() => this.#sender.send(now(), joinable ? { ...unit, parts } : unit));
    this.#driver.drain();
  }

  #transmit(datagrams: readonly Uint8Array[]): void {
    const media = datagrams.filter((datagram) => classifyDatagram(datagram) === 'rtp');
    this.#media?.send(media);
    if (media.length < datagrams.length) {
      this.#control?.send(datagrams.filter((datagram) => classifyDatagram(datagram) === 'rtcp'));
    }
    if (this.#sender.finished) this.#onFinished();
  }
}
