import { timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ControlConnection } from '../../io/net/control-connection.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { HelloMessage, ReceiverMessage, StatisticsMessage } from '../../protocol/control/control-message.ts';
import type { MediaStream } from '../../protocol/control/media-stream.ts';
import {
  agreedParameters,
  announcedStream,
  type StreamFields,
  welcomeFields,
} from '../../protocol/control/stream-agreement.ts';
import { frameForStream, StreamDeframer } from '../../protocol/rtp/stream-framing.ts';
import type { SentStreamParameters } from '../../protocol/stream-parameters.ts';
import type { HistoryBudget } from '../../sender/history-budget.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { randomHex, randomSequence, randomSsrc, randomTimestamp } from './identifiers.ts';

export interface ServerSessionOptions {
  readonly hello: HelloMessage;
  /** Codec of the access units. */
  readonly codec: CodecName;
  /** Control address of the receiver, for the log. */
  readonly peer: string;
  readonly connection: ControlConnection<ReceiverMessage>;
  readonly datagramBytesMax: number;
  /** Bytes of sent packets, shared by all receivers of the stream. */
  readonly historyBudget: HistoryBudget;
  readonly sendDatagrams: (datagrams: readonly Uint8Array[], to: { host: string; port: number }) => void;
  readonly nextKeyframeMs: () => number | null;
  /** Called when the receiver can be reached and wants the stream. */
  readonly onReady: () => void;
  /** Called when everything has been sent and the receiver has been told. */
  readonly onFinished: () => void;
  /** The sender broke an invariant: nothing more is sent. */
  readonly onFault: (line: string) => void;
}

/** Limit of bytes that wait for a slow TCP connection; beyond it, frames are skipped up to a key frame. */
const STREAM_BACKLOG_BYTES_MAX = 16_000_000;

/** Identifier of the video in the list of streams; there is only one stream so far. */
const VIDEO_STREAM_ID = 0;

/** One receiver of a stream server: its stream, its path, and its control messages. */
export class ServerSession {
  readonly id = randomHex(8);
  readonly key = randomHex(16);
  readonly #options: ServerSessionOptions;
  readonly #parameters: SentStreamParameters;
  readonly #sender: Sender;
  readonly #driver: EndpointDriver<SenderEvent>;
  #address: { readonly host: string; readonly port: number } | undefined;
  #stream: Socket | undefined;
  #playing: boolean;
  /** True when the receiver has refused the video stream. */
  #refused = false;
  #needsKey = true;
  #finishing = false;
  #told = false;
  #closed = false;
  #framesSkipped = 0;
  #reported: StatisticsMessage | undefined;

  constructor(options: ServerSessionOptions) {
    this.#options = options;
    const { hello, datagramBytesMax, historyBudget } = options;
    this.#playing = hello.playing;
    this.#parameters = agreedParameters(hello, {
      codec: options.codec,
      ssrc: randomSsrc(),
      initialSequence: randomSequence(),
      timestampBase: randomTimestamp(),
      datagramBytesMax,
    });
    historyBudget.join();
    const sending = senderOptions(this.#parameters, { historyBudget });
    this.#sender = new Sender(sending);
    this.#driver = new EndpointDriver({
      endpoint: this.#sender,
      transmit: (datagrams) => this.#transmit(datagrams),
      onEvent: () => {}, // counted in the statistics; a file has no key frame to give out of turn
      onFault: ({ error, datagrams }) => {
        options.onFault(reportFault({ where: 'sender', error, details: { options: sending, datagrams } }));
      },
    });
  }

  /** Whether this is the session's key, in a time that tells nothing of where it differs. */
  isKey(text: string): boolean {
    const [key, offered] = [Buffer.from(this.key, 'hex'), Buffer.from(text, 'hex')];
    return offered.length === key.length && timingSafeEqual(key, offered);
  }

  get peer(): string {
    return this.#options.peer;
  }

  get transport(): 'udp' | 'tcp' {
    return this.#options.hello.transport;
  }

  /** Destination of the media, as text; `undefined` until it is known. */
  get destination(): string | undefined {
    return this.#address ? `${this.#address.host}:${this.#address.port}` : undefined;
  }

  get statistics(): Readonly<SenderStatistics> & { readonly framesSkipped: number } {
    return { ...this.#sender.statistics, framesSkipped: this.#framesSkipped };
  }

  /** Last statistics reported by the receiver. */
  get reported(): StatisticsMessage | undefined {
    return this.#reported;
  }

  get ready(): boolean {
    return (
      this.#playing && !this.#refused && !this.#finishing && (this.#address !== undefined || this.#stream !== undefined)
    );
  }

  /** Parameters of the stream in the welcome message. */
  get streamFields(): StreamFields {
    return welcomeFields(this.#parameters);
  }

  /** The same parameters as an entry of the list of streams. */
  announced(description: Pick<MediaStream, 'decoder' | 'parameterSets'>): MediaStream {
    return announcedStream(this.#parameters, { id: VIDEO_STREAM_ID, ...description });
  }

  /** Called when the receiver has proved that it owns this address. */
  provedAddress(address: { readonly host: string; readonly port: number }): void {
    const first = this.#address === undefined;
    this.#address = address;
    if (first && this.ready) this.#options.onReady();
  }

  /** Takes the receiver's second connection, which carries the media once the receiver has sent a packet on it. */
  attach(stream: Socket): void {
    const deframer = new StreamDeframer();
    stream.on('data', (bytes: Buffer) => {
      if (this.#stream === undefined) {
        this.#stream = stream;
        if (this.ready) this.#options.onReady();
      }
      for (const packet of deframer.push(bytes)) this.#driver.receive(packet);
    });
    stream.on('close', () => this.#options.connection.cut('the media connection closed'));
  }

  receive(datagram: Uint8Array): void {
    this.#driver.receive(datagram);
  }

  handleMessage(message: ReceiverMessage): void {
    switch (message.kind) {
      case 'play':
        if (this.#playing) return;
        this.#playing = true;
        this.#needsKey = true;
        if (this.ready) this.#options.onReady();
        return;
      case 'pause':
        this.#playing = false;
        return;
      case 'request-keyframe':
        this.#options.connection.send({ kind: 'keyframe', inMs: this.#options.nextKeyframeMs() });
        return;
      case 'report-source':
        this.#sender.expectReportsFrom(message.ssrc);
        return;
      case 'statistics':
        this.#reported = message;
        return;
      case 'refuse-stream':
        if (message.id === VIDEO_STREAM_ID) this.#refused = true;
        return;
      case 'goodbye':
        this.#options.connection.cut(GOODBYE);
        return;
      case 'hello':
      case 'attach':
        this.#options.connection.cut('the receiver sent hello twice');
        return;
      case 'keep-alive':
        return;
      default:
        message satisfies never;
    }
  }

  /** Sends a frame of the live stream if the receiver is reached, playing, and able to decode it. */
  send(unit: AccessUnit): void {
    const backedUp = (this.#stream?.writableLength ?? 0) > STREAM_BACKLOG_BYTES_MAX;
    if (!this.ready || backedUp) {
      this.#needsKey = true;
      if (backedUp) this.#framesSkipped++;
      return;
    }
    if (this.#needsKey && unit.importance !== 'key') return;
    this.#needsKey = this.#driver.attempt(() => this.#sender.send(now(), unit)) === 'refused';
    this.#driver.drain();
  }

  /** Ends the stream: sends the queue, then tells the receiver how much there was. */
  finish(): void {
    this.#finishing = true;
    this.#sender.finish();
    this.#driver.drain();
    this.#tellEnd();
  }

  /** Stops sending. The control connection stays open. */
  close(): void {
    if (!this.#closed) this.#options.historyBudget.leave();
    this.#closed = true;
    this.#driver.close();
    this.#stream?.destroy();
  }

  #transmit(datagrams: readonly Uint8Array[]): void {
    if (this.#address) this.#options.sendDatagrams(datagrams, this.#address);
    else if (this.#stream && !this.#stream.destroyed) {
      this.#stream.cork();
      for (const datagram of datagrams) this.#stream.write(frameForStream(datagram));
      this.#stream.uncork();
    }
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (!this.#finishing || this.#told || !this.#sender.finished) return;
    this.#told = true;
    const { frames, packets } = this.#sender.statistics;
    const lastSequence = this.#sender.lastSequence ?? null;
    this.#options.connection.send({ kind: 'end-of-stream', frames, packets, lastSequence });
    this.#options.onFinished();
  }
}

/** Cause of a regular end of a connection. */
export const GOODBYE = 'the receiver said goodbye';
