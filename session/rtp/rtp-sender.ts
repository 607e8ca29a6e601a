import { bracketed } from '../../io/net/control-server.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { within } from '../../io/os/time-limit.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { inSeconds } from '../../protocol/base/units.ts';
import { JoinableUnits } from '../../protocol/codec/joinable-units.ts';
import { writeSessionDescription } from '../../protocol/sdp.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { Broadcast } from '../stream/broadcast.ts';
import { randomCname } from '../stream/identifiers.ts';
import { KeyFrameRequests } from '../stream/key-frame-requests.ts';
import { broadcastMedia } from '../stream/play-order.ts';
import { describePlainStream, plainStream } from './plain-stream.ts';
import { RTP_PORT_MAX, resolveRtpAddress } from './rtp-address.ts';
import { RtpFlow } from './rtp-flow.ts';

export interface RtpSenderOptions {
  readonly source: MediaSource;
  readonly host: string;
  /** RTP port, 1 to 65534; RTCP uses the next one (RFC 3550 §11). */
  readonly port: number;
  /** Local RTP port, and the next one for RTCP; 0: any. */
  readonly localPort?: number;
  /** True to use the RTP ports for RTCP too (RFC 5761); false by default. */
  readonly multiplexed?: boolean;
  readonly loop: boolean;
  /** Largest UDP payload, bytes. */
  readonly datagramBytesMax: number;
  /** Called for each access unit as it enters the stream. */
  readonly onUnit?: (unit: AccessUnit) => void;
  /** Called for each unit of the sound. */
  readonly onSound?: (unit: AccessUnit) => void;
  readonly onStall: (late: number) => void;
  /** Called when an entry of a playlist is left out. */
  readonly onSkipped?: (error: unknown) => void;
}

/**
 * Delay of BYE after the last packet, milliseconds. Some players (ffmpeg) read the RTCP socket before the RTP socket
 * and stop at BYE, so unread packets would be lost.
 */
export const BYE_DELAY_MS = 500;
/** Time limit of a stop, milliseconds: the rest of a frame, and BYE. */
const FINISH_MS = 1_000;
/** Ports of the sound after those of the pictures: two for each stream (RFC 3550 §11), as ffmpeg has them. */
const SOUND_PORT_AFTER = 2;
/** Payload type of the sound: after those of the pictures and their retransmissions. */
const SOUND_PAYLOAD_TYPE = 98;

/**
 * Sends a source as plain RTP to one address, without a control channel. Requests of the receiver are answered:
 * packets by retransmission (RFC 4588), and key frames where the source can make one.
 */
export class RtpSender {
  readonly #options: RtpSenderOptions;
  readonly #flow: RtpFlow;
  readonly #sound: RtpFlow | undefined;
  readonly #broadcast: Broadcast;
  readonly #joinable: JoinableUnits;
  readonly #keyFrames = new KeyFrameRequests();
  #address = '';
  #stopping = false;
  #onEnd: (error: unknown) => void = () => {};

  constructor(options: RtpSenderOptions) {
    this.#options = options;
    const { source, port, localPort = 0, multiplexed = false, datagramBytesMax } = options;
    const { codecName, clockRate, parameterSets, rotation } = source.description;
    const parameters = plainStream({ codecName, clockRate, datagramBytesMax });
    this.#joinable = new JoinableUnits({ codec: parameters.codec, parameterSets, rotation });
    const cname = randomCname();
    this.#flow = new RtpFlow({
      ...{ parameters, cname },
      port,
      localPort,
      multiplexed,
      onKeyFrameRequest: () => this.#keyFrames.request(now(), this.#flow),
      onFault: (failure) => this.#onEnd(failure),
    });
    if (source.sound) {
      const sound = source.sound.description;
      this.#sound = new RtpFlow({
        cname,
        parameters: plainStream({ ...sound, payloadType: SOUND_PAYLOAD_TYPE, datagramBytesMax }),
        port: port + SOUND_PORT_AFTER,
        localPort: localPort === 0 ? 0 : localPort + SOUND_PORT_AFTER,
        multiplexed,
        onKeyFrameRequest: () => {},
        onFault: (failure) => this.#onEnd(failure),
      });
    }
    const { adaptive } = source;
    this.#broadcast = new Broadcast({
      ...broadcastMedia(source),
      // A source that makes key frames on request is read just in time.
      ...(adaptive && { leadTime: () => adaptive.leadTime, onRead: () => this.#passKeyFrameRequest() }),
      loop: options.loop && options.source.description.isLive !== true,
      onSkipped: options.onSkipped,
      isLive: options.source.description.isLive,
      onUnit: (unit) => this.#send(unit),
      onSound: (unit) => {
        options.onSound?.(unit);
        this.#sound?.send(unit);
      },
      onEnd: (error) => this.#onEnd(error),
      onStall: options.onStall,
    });
  }

  get statistics(): Readonly<SenderStatistics> {
    return this.#flow.statistics;
  }

  /** Totals of the sound; `undefined` when there is none. */
  get soundStatistics(): Readonly<SenderStatistics> | undefined {
    return this.#sound?.statistics;
  }

  /** Datagrams that the operating system refused to send; on the same machine: no program listens on the port. */
  get refused(): number {
    return this.#flow.refused;
  }

  /** Local RTP port, once it is open. */
  get localPort(): number | undefined {
    return this.#flow.localPort;
  }

  /** Place in the source, seconds; `undefined` before the first frame. */
  get positionSeconds(): number | undefined {
    const { position } = this.#broadcast;
    return position === undefined ? undefined : inSeconds(position);
  }

  /** Destination of the media, once it is open, without the scheme. */
  get destination(): string {
    return `${bracketed(this.#address)}:${this.#options.port}`;
  }

  /** SDP file for players, once it is open. */
  get sessionDescription(): string {
    const { port, source, multiplexed } = this.#options;
    const { name, parameterSets } = source.description;
    const place = { port, parameterSets, ...(multiplexed === true && { multiplexed }) };
    const pictures = describePlainStream(this.#flow.parameters, place);
    const others = this.#sound
      ? [
          describePlainStream(this.#sound.parameters, {
            ...place,
            port: port + SOUND_PORT_AFTER,
            parameterSets: source.sound!.description.parameterSets,
          }),
        ]
      : [];
    return writeSessionDescription({ host: this.#address, name, ...pictures, others });
  }

  /** Opens the sockets. @throws {Failure} when the destination cannot be used. */
  async open(): Promise<void> {
    const { host, port, source } = this.#options;
    if (source.sound && port > RTP_PORT_MAX - SOUND_PORT_AFTER) {
      const highest = RTP_PORT_MAX - SOUND_PORT_AFTER;
      throw new Failure(`port ${port} leaves no ports for the sound: choose one up to ${highest}, or leave it out`, 2);
    }
    const destination = await resolveRtpAddress(`rtp://${bracketed(host)}:${port}`, host, 'send');
    this.#address = destination.address;
    await this.#flow.open(destination);
    await this.#sound?.open(destination);
  }

  /** Plays the source to its end and sends BYE. Rejects when the source fails. */
  async run(): Promise<void> {
    if (this.#stopping) return;
    const error = await new Promise<unknown>((resolve) => {
      this.#onEnd = resolve;
      this.#broadcast.start();
    });
    await within(BYE_DELAY_MS, this.#flow.finished);
    await this.stop();
    if (error) throw error;
  }

  /** Sends the queue and BYE, then closes. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#broadcast.stop();
    this.#onEnd(undefined);
    const flows = this.#sound ? [this.#flow, this.#sound] : [this.#flow];
    for (const flow of flows) flow.finish();
    await within(FINISH_MS, Promise.all(flows.map(({ finished }) => finished)));
    for (const flow of flows) flow.close();
  }

  #send(unit: AccessUnit): void {
    this.#options.onUnit?.(unit);
    this.#joinable.learn(unit);
    this.#flow.send(this.#joinable.of(unit));
  }

  #passKeyFrameRequest(): void {
    if (this.#keyFrames.take(now())) this.#options.source.adaptive?.requestKeyFrame();
  }
}
