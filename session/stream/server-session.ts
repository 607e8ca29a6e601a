import { timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ControlConnection } from '../../io/net/control-connection.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { instant, type Microseconds, seconds } from '../../protocol/base/units.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
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
  /** The same without its port. */
  readonly address: string;
  readonly connection: ControlConnection<ReceiverMessage>;
  readonly datagramBytesMax: number;
  /** Bytes of sent packets, shared by all receivers of the stream. */
  readonly historyBudget: HistoryBudget;
  readonly sendDatagrams: (datagrams: readonly Uint8Array[], to: { host: string; port: number }) => void;
  /** Sends a datagram without fragmentation; `onRefused` is called when the operating system refuses it. */
  readonly sendProbe: (datagram: Uint8Array, to: { host: string; port: number }, onRefused: () => void) => void;
  /** Called when the path to the receiver is found to carry datagrams of another length. */
  readonly onPathMtu: (bytes: number) => void;
  readonly nextKeyframeMs: () => number | null;
  /** Called when the receiver can be reached and wants the stream. */
  readonly onReady: () => void;
  /** Called when everything has been sent and the receiver has been told. */
  readonly onFinished: () => void;
  /** Called when the receiver was not reached in time, or is no longer: it is to leave. */
  readonly onUnreachable: (cause: string) => void;
  /** Called when the address counts as proved no longer. */
  readonly onConsentLost: () => void;
  /** Called when the sender broke an invariant: nothing more is sent. */
  readonly onFault: (line: string) => void;
}

/** Limit of bytes that wait for a slow TCP connection; beyond it, frames are skipped up to a key frame. */
const STREAM_BACKLOG_BYTES_MAX = 16_000_000;

/**
 * How long an address gets media without a report or request from it. RFC 7675 §5.1 allows 30 s and asks every 5 s. Our
 * receivers report every second: five reports in a row have to be lost, and the address is then proved anew.
 */
const CONSENT: Microseconds = seconds(5);
/** How long a receiver may hold its place unreached: as long as it may be silent on the control channel. */
const REACH_TIMEOUT_MS = 15_000;
/** A receiver repeats its hello after 100 ms, later every second, with its last proof. */
const PROOFS_PER_SECOND = 20;
const PROOFS_BURST = 40;
/** How long a media connection may take to send its first bytes: some round trips of the longest path. */
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
  /** When the address was last proved. */
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
  /** `undefined` over TCP, and for receivers of release 0.1.0. */
  readonly #mtu: PathMtuDriver | undefined;
  #lossSeen = 0;

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
    // Release 0.1.0 closes the connection at a message that it does not know.
    this.#sentTicker = setInterval(() => this.#tellSent(), SENT_INTERVAL_MS);
  }

  /** Whether this is the session's key, in a time that tells nothing of where it differs. */
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

  /** True when media can be sent: the address is proved, or the media connection reads. */
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

  /** Whether one more hello or proof of an address is to be looked at. */
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

  /** Whether the session waits for its media connection: it has one at most. */
  get awaitsStream(): boolean {
    return this.transport === 'tcp' && !this.#attached;
  }

  /** Takes the receiver's second connection, which carries the media once the receiver has sent a packet on it. */
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

  /** The operating system has refused to send so many datagrams to this receiver. */
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

  /** Whether the receiver still wants media at its address (RFC 7675); if not, it has to prove it anew. */
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
