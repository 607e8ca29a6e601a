import { timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ControlConnection } from '../../io/net/control-connection.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { instant, type Microseconds, seconds } from '../../protocol/base/units.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import type { HelloMessage, ReceiverMessage, StatisticsMessage } from '../../protocol/control/control-message.ts';
import { minorVersionOf } from '../../protocol/control/control-version.ts';
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
import { PathMtuDriver } from './path-mtu-driver.ts';
import type { PlaceHolder } from './places.ts';

export interface ServerSessionOptions {
  readonly hello: HelloMessage;
  /** Codec of the access units. */
  readonly codec: CodecName;
  /** Control address of the receiver, for the log. */
  readonly peer: string;
  /** Address of the receiver without the port. */
  readonly address: string;
  readonly connection: ControlConnection<ReceiverMessage>;
  readonly datagramBytesMax: number;
  /** Budget for the retained sent packets, bytes, shared by all receivers of the stream. */
  readonly historyBudget: HistoryBudget;
  readonly sendDatagrams: (datagrams: readonly Uint8Array[], to: { host: string; port: number }) => void;
  /** Sends a datagram without fragmentation; `onRefused` is called when the operating system refuses it. */
  readonly sendProbe: (datagram: Uint8Array, to: { host: string; port: number }, onRefused: () => void) => void;
  /** Called when the path to the receiver is found to carry datagrams of another length. */
  readonly onPathMtu: (bytes: number) => void;
  /** The receiver asks for a key frame. Returns the time until the next one, milliseconds; `null`: not known. */
  readonly requestKeyFrame: () => number | null;
  /** Called when the receiver is reachable, playing, and has not refused the stream. */
  readonly onReady: () => void;
  /** Called after everything has been sent and the end has been announced to the receiver. */
  readonly onFinished: () => void;
  /** Called when the receiver was not reached in time; its session must be ended. */
  readonly onUnreachable: (cause: string) => void;
  /** Called when the consent of the address has expired. */
  readonly onConsentLost: () => void;
  /** Called when the sender has broken an invariant and stopped. `line`: one line for the log. */
  readonly onFault: (line: string) => void;
}

/** Limit of bytes queued for a slow TCP connection; beyond it, frames are skipped up to a key frame. */
const STREAM_BACKLOG_BYTES_MAX = 16_000_000;

/**
 * Expiry of consent without a report or request from the address. RFC 7675 §5.1 allows 30 s and checks every 5 s. A
 * receiver reports every second, so consent expires after five lost reports. The address must then be proved again.
 */
const CONSENT: Microseconds = seconds(5);
/** Time limit for reaching a receiver, milliseconds; equal to the silence limit of the control channel. */
const REACH_TIMEOUT_MS = 15_000;
/** Rate limit of hellos and proofs: a receiver repeats its hello after 100 ms, then every second, with its proof. */
const PROOFS_PER_SECOND = 20;
const PROOFS_BURST = 40;
/** Time limit for the first bytes on a media connection, milliseconds: some round trips of the longest path. */
const ATTACH_TIMEOUT_MS = 5_000;
/** Interval of the totals sent to the receiver, milliseconds. */
const SENT_INTERVAL_MS = 1_000;

/** Identifier of the video in the list of streams; there is only one stream so far. */
const VIDEO_STREAM_ID = 0;

/** One receiver of a stream server: its stream, its path, and its control messages. */
export class ServerSession implements PlaceHolder {
  readonly joinedAt = now();
  readonly id = randomHex(8);
  readonly key = randomHex(16);
  readonly #options: ServerSessionOptions;
  readonly #parameters: SentStreamParameters;
  readonly #sender: Sender;
  readonly #driver: EndpointDriver<SenderEvent>;
  #address: { readonly host: string; readonly port: number } | undefined;
  /** Time of the last address proof. */
  #provedAt = instant(Number.NEGATIVE_INFINITY);
  #stream: Socket | undefined;
  readonly #proofs = new RateBudget({ perSecond: PROOFS_PER_SECOND, burst: PROOFS_BURST });
  #attached = false;
  #reachTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #playing: boolean;
  /** True when the receiver has refused the video stream. */
  #refused = false;
  #needsKey = true;
  #finishing = false;
  #told = false;
  #framesSkipped = 0;
  #sendsRefused = 0;
  #reported: StatisticsMessage | undefined;
  readonly #sentTicker: NodeJS.Timeout | undefined;
  /** Path MTU discovery; `undefined` over TCP, and for receivers of release 0.1.0. */
  readonly #mtu: PathMtuDriver | undefined;
  #lossSeen = 0;

  constructor(options: ServerSessionOptions) {
    this.#options = options;
    const { hello, datagramBytesMax, historyBudget } = options;
    this.#playing = hello.playing;
    this.#parameters = agreedParameters(hello, {
      codec: codecByName(options.codec),
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
      onEvent: (event) => {
        if (event.kind === 'keyframe-requested') options.requestKeyFrame();
      },
      onFault: ({ error, datagrams }) => {
        options.onFault(reportFault({ where: 'sender', error, details: { options: sending, datagrams } }));
      },
    });
    this.#expectReach();
    if (minorVersionOf(hello.userAgent) === 0) return;
    if (hello.transport === 'udp') {
      this.#mtu = new PathMtuDriver({
        datagramBytesMax,
        sendProbe: (datagram, onRefused) => this.#address && options.sendProbe(datagram, this.#address, onRefused),
        onBytes: (bytes) => this.#sender.limitDatagrams(bytes),
        onFound: options.onPathMtu,
      });
    }
    // Release 0.1.0 closes the connection on an unknown message.
    this.#sentTicker = setInterval(() => this.#tellSent(), SENT_INTERVAL_MS);
  }

  /** True when this is the session's key. Compares in constant time. */
  isKey(text: string): boolean {
    const [key, offered] = [Buffer.from(this.key, 'hex'), Buffer.from(text, 'hex')];
    return offered.length === key.length && timingSafeEqual(key, offered);
  }

  get peer(): string {
    return this.#options.peer;
  }

  get address(): string {
    return this.#options.address;
  }

  /** True when media can be sent: the address is proved, or the media connection is in use. */
  get reachable(): boolean {
    return this.#address !== undefined || this.#stream !== undefined;
  }

  get transport(): 'udp' | 'tcp' {
    return this.#options.hello.transport;
  }

  /** Destination of the media over UDP; `undefined` until it is known. */
  get mediaAddress(): { readonly host: string; readonly port: number } | undefined {
    return this.#address;
  }

  /** Destination of the media, as text; `undefined` until it is known. */
  get destination(): string | undefined {
    return this.#address ? `${this.#address.host}:${this.#address.port}` : undefined;
  }

  get statistics(): Readonly<SenderStatistics> & { readonly framesSkipped: number } {
    return { ...this.#sender.statistics, framesSkipped: this.#framesSkipped };
  }

  /** Bit rate of access units that the path carries, bits per second; `undefined` while unlimited. */
  get targetBitrate(): number | undefined {
    return this.#sender.targetBitrate;
  }

  /** Last statistics reported by the receiver. */
  get reported(): StatisticsMessage | undefined {
    return this.#reported;
  }

  /** Datagrams that the operating system refused to send to this receiver. */
  get sendsRefused(): number {
    return this.#sendsRefused;
  }

  get ready(): boolean {
    return this.#playing && !this.#refused && !this.#finishing && this.reachable;
  }

  /** Parameters of the stream in the welcome message. */
  get streamFields(): StreamFields {
    return welcomeFields(this.#parameters);
  }

  /** The same parameters as an entry of the list of streams. */
  announced(description: Pick<MediaStream, 'decoder' | 'parameterSets'>): MediaStream {
    return announcedStream(this.#parameters, { id: VIDEO_STREAM_ID, ...description });
  }

  /** Counts a hello or an address proof. Returns true when it is within the rate limit. */
  allowsProof(): boolean {
    return this.#proofs.spend(now(), 1);
  }

  /** Called when the receiver has proved that it owns this address. */
  provedAddress(address: { readonly host: string; readonly port: number }): void {
    const first = this.#address === undefined;
    const same = this.#address?.host === address.host && this.#address.port === address.port;
    this.#address = address;
    this.#provedAt = now();
    clearTimeout(this.#reachTimer);
    if (same) this.#mtu?.handleLoss();
    else this.#mtu?.start();
    if (first && this.ready) this.#options.onReady();
  }

  /** True while the session waits for its only media connection. */
  get awaitsStream(): boolean {
    return this.transport === 'tcp' && !this.#attached;
  }

  /** Attaches the receiver's second connection, which carries the media after the receiver has sent a packet on it. */
  attach(stream: Socket): void {
    this.#attached = true;
    const deframer = new StreamDeframer();
    const timer = setTimeout(() => stream.destroy(), ATTACH_TIMEOUT_MS);
    stream.on('data', (bytes: Buffer) => {
      if (this.#stream === undefined) {
        clearTimeout(timer);
        clearTimeout(this.#reachTimer);
        this.#stream = stream;
        if (this.ready) this.#options.onReady();
      }
      for (const packet of deframer.push(bytes)) this.#driver.receive(packet);
    });
    stream.on('error', () => {}); // 'close' follows
    stream.on('close', () => clearTimeout(timer));
    stream.on('close', () => this.#options.connection.cut('the media connection closed'));
  }

  /** Counts datagrams to this receiver that the operating system refused to send. */
  handleRefusal(datagrams: number): void {
    this.#sendsRefused += datagrams;
  }

  receive(datagram: Uint8Array): void {
    if (this.#mtu?.handleDatagram(datagram)) return;
    this.#driver.receive(datagram);
    const { retransmissions, requestsRefused, reportedLoss } = this.#sender.statistics;
    const seen = retransmissions + requestsRefused + this.#sendsRefused;
    if (seen > this.#lossSeen || (reportedLoss ?? 0) > 0) this.#mtu?.handleLoss();
    this.#lossSeen = seen;
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
        this.#options.connection.send({ kind: 'keyframe', inMs: this.#options.requestKeyFrame() });
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

  /** Ends the stream: sends the queue, then the totals. */
  finish(): void {
    this.#finishing = true;
    this.#sender.finish();
    this.#driver.drain();
    this.#tellEnd();
  }

  /** Stops sending, and says goodbye on the control connection. */
  dismiss(reason: string): void {
    this.close();
    void this.#options.connection.farewell({ kind: 'goodbye', reason });
  }

  /** Stops sending. The control connection stays open. */
  close(): void {
    if (!this.#closed) this.#options.historyBudget.leave();
    this.#closed = true;
    clearTimeout(this.#reachTimer);
    clearInterval(this.#sentTicker);
    this.#mtu?.close();
    this.#driver.close();
    this.#stream?.destroy();
  }

  #transmit(datagrams: readonly Uint8Array[]): void {
    if (this.#address && this.#consents()) this.#options.sendDatagrams(datagrams, this.#address);
    else if (this.#stream && !this.#stream.destroyed) {
      this.#stream.cork();
      for (const datagram of datagrams) this.#stream.write(frameForStream(datagram));
      this.#stream.uncork();
    }
    this.#tellEnd();
  }

  /** True while consent for the address is valid (RFC 7675). Otherwise revokes it: the address must be proved again. */
  #consents(): boolean {
    const heardAt = Math.max(this.#provedAt, this.#sender.heardAt ?? Number.NEGATIVE_INFINITY);
    if (now() - heardAt <= CONSENT) return true;
    this.#address = undefined;
    this.#needsKey = true;
    this.#options.onConsentLost();
    this.#expectReach();
    return false;
  }

  #expectReach(): void {
    if (this.#closed) return;
    const what = this.transport === 'udp' ? 'its address was not proved' : 'its media connection did not come';
    const unreachable = () => this.#options.onUnreachable(`${what} within ${REACH_TIMEOUT_MS / 1_000} s`);
    this.#reachTimer = setTimeout(unreachable, REACH_TIMEOUT_MS);
    this.#reachTimer.unref();
  }

  #tellSent(): void {
    if (this.#finishing) return;
    const { frames, packets } = this.#sender.statistics;
    this.#options.connection.send({ kind: 'sent', frames, packets, refused: this.#sendsRefused });
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
