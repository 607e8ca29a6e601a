import type { Socket } from 'node:net';
import { equalSecrets } from '../../io/crypto/secret-token.ts';
import type { DatagramLengths } from '../../io/net/datagram-runs.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import type { ReceiverMessage, StatisticsMessage } from '../../protocol/control/control-message.ts';
import { minorVersionOf } from '../../protocol/control/control-version.ts';
import { type MediaStream, SOUND_STREAM_ID, VIDEO_STREAM_ID } from '../../protocol/control/media-stream.ts';
import type { StreamFields } from '../../protocol/control/stream-agreement.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import { PATHS } from '../../protocol/rtcp/path-report.ts';
import { TAG_BYTES } from '../../protocol/srtp/srtp-cipher.ts';
import type { BundledSender } from '../../sender/bundled-sender.ts';
import type { SenderEvent } from '../../sender/sender.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { AttachedStream } from './attached-stream.ts';
import { randomHex, randomLowSequence, randomSequence } from './identifiers.ts';
import type { PlaceHolder } from './places.ts';
import { circuitBreakerText, reportsText } from './rate-warning-text.ts';
import type { MediaAddress } from './receiver-path.ts';
import { ReceiverPaths } from './receiver-paths.ts';
import type { ServerSessionOptions } from './server-session-options.ts';
import { SessionStreams } from './session-streams.ts';

/** Time limit for reaching a receiver, milliseconds: the silence limit of the control channel. */
const REACH_TIMEOUT_MS = 15_000;
/** Rate limit of hellos and proofs: a receiver repeats its hello after 100 ms, then every second, with its proof. */
const PROOFS_PER_SECOND = 20;
const PROOFS_BURST = 40;
/** Interval of the totals sent to the receiver, milliseconds. */
const SENT_INTERVAL_MS = 1_000;

/** One receiver of a stream server: its stream, its path, and its control messages. */
export class ServerSession implements PlaceHolder {
  readonly joinedAt = now();
  readonly takesEarlySound = true;
  readonly id = randomHex(8);
  readonly key = randomHex(16);
  readonly #options: ServerSessionOptions;
  /** Its addresses over UDP; without an address over TCP, where the media connection has TLS of its own. */
  readonly paths: ReceiverPaths;
  readonly #streams: SessionStreams;
  readonly #sender: BundledSender;
  readonly #driver: EndpointDriver<SenderEvent>;
  #stream: AttachedStream | undefined;
  readonly #proofs = new RateBudget({ perSecond: PROOFS_PER_SECOND, burst: PROOFS_BURST });
  #reachTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #playing: boolean;
  /** True when the receiver has refused the video stream. */
  #refused = false;
  #soundRefused = false;
  #needsKey = true;
  /** Decode time of the last picture, and whether sound waits for the next one, with which it leaves. */
  #picturesThrough: Ticks = ticks(Number.NEGATIVE_INFINITY);
  #soundWaits = false;
  #finishing = false;
  #endAnnounced = false;
  #framesSkipped = 0;
  #sendsRefused = 0;
  #reported: StatisticsMessage | undefined;
  readonly #sentTicker: NodeJS.Timeout | undefined;
  /** Lengths of datagrams, for receivers that know them too. */
  readonly #lengths: DatagramLengths | undefined;
  #lossSeen = 0;

  constructor(options: ServerSessionOptions) {
    this.#options = options;
    const { hello, channel, historyBudget } = options;
    this.#playing = hello.playing;
    const isUdp = hello.transport === 'udp';
    const isFirstRelease = minorVersionOf(hello.userAgent) === 0;
    this.paths = new ReceiverPaths({
      count: isUdp && hello.paths ? PATHS : 1,
      channel: isUdp ? channel : undefined,
      session: this.id,
      datagramBytesMax: options.datagramBytesMax,
      findsMtu: isUdp && !isFirstRelease,
      sendProbe: options.sendProbe,
      onBytes: (bytes) => this.#sender.limitDatagrams(bytes),
      onFound: options.onPathMtu,
    });
    const { isProtected, datagramBytesMax } = this.paths;
    historyBudget.join();
    this.#streams = new SessionStreams({
      ...options,
      datagramBytesMax,
      initialSequence: isProtected ? randomLowSequence : randomSequence,
    });
    this.#sender = this.#streams.sender;
    this.#driver = new EndpointDriver({
      endpoint: this.#streams.paths?.end ?? this.#sender,
      transmit: (datagrams, ecn, path) => this.#transmit(datagrams, ecn, path),
      onEvent: (event) => {
        if (event.kind === 'keyframe-requested') options.requestKeyFrame();
        if (event.kind === 'circuit-breaker') options.onRateWarning(circuitBreakerText(event));
        if (event.kind === 'reports') options.onRateWarning(reportsText(event.change));
      },
      onTransmitted: () => {
        options.sharedPackets.video.release();
        options.sharedPackets.sound.release();
      },
      onFault: ({ error, datagrams }) => {
        options.onFault(
          reportFault({ where: 'sender', error, details: { options: this.#streams.options, datagrams } }),
        );
      },
    });
    this.#expectReach();
    if (isFirstRelease) return;
    if (isUdp) {
      const fullBytes = this.#sender.video.fullDatagramBytes + (isProtected ? TAG_BYTES : 0);
      this.#lengths = { fullBytes, bytesMax: options.datagramBytesMax };
    }
    // Release 0.1.0 closes the connection on an unknown message.
    this.#sentTicker = setInterval(() => this.#reportSent(), SENT_INTERVAL_MS);
  }

  /** True when this is the session's key. Compares in constant time. */
  isKey(text: string): boolean {
    return equalSecrets(text, this.key);
  }

  /** True when control and media are encrypted. */
  get encrypted(): boolean {
    return this.#options.channel !== undefined;
  }

  /** Forged or replayed datagrams from the receiver's address. */
  get datagramsRefused(): number {
    return this.paths.refused;
  }

  /** Returns packets as sent on the wire. */
  protect(packets: readonly Uint8Array[]): readonly Uint8Array[] {
    return this.paths.protect(packets);
  }

  get peer(): string {
    return this.#options.peer;
  }

  get address(): string {
    return this.#options.address;
  }

  /** True when media can be sent: the address is proved, or the media connection is in use. */
  get reachable(): boolean {
    return this.mediaAddress !== undefined || this.#stream?.reached === true;
  }

  get transport(): 'udp' | 'tcp' {
    return this.#options.hello.transport;
  }

  /** Destination of the media over UDP, by the first path that has one; `undefined` until it is known. */
  get mediaAddress(): MediaAddress | undefined {
    return this.paths.address;
  }

  /** The same as text. */
  get destination(): string | undefined {
    return this.mediaAddress && `${this.mediaAddress.host}:${this.mediaAddress.port}`;
  }

  get statistics(): Readonly<SenderStatistics> & { readonly framesSkipped: number } {
    return { ...this.#sender.video.statistics, framesSkipped: this.#framesSkipped };
  }

  /** Bit rate of access units that the path carries, bits per second; `undefined` while unlimited. */
  get targetBitrate(): number | undefined {
    return this.#sender.video.targetBitrate;
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
    const lengths = this.#lengths;
    return { ...this.#streams.fields, ...(lengths && { fullDatagramBytes: lengths.fullBytes }) };
  }

  /** The list of streams in the welcome message. */
  announced(video: Pick<MediaStream, 'decoder' | 'parameterSets'>): MediaStream[] {
    return this.#streams.announced(video);
  }

  /** Counts a hello or an address proof. Returns true when it is within the rate limit. */
  allowsProof(): boolean {
    return this.#proofs.spend(now(), 1);
  }

  /** Called when the receiver has proved that it owns this address, by this path. */
  provedAddress(address: MediaAddress, path: number): void {
    const first = this.mediaAddress === undefined;
    this.paths.prove(address, path);
    this.#streams.paths?.health.onProved(now(), path);
    clearTimeout(this.#reachTimer);
    if (first && this.ready) this.#options.onReady();
    if (this.#streams.paths) this.#driver.drain();
  }

  /** True while the session waits for its only media connection. */
  get awaitsStream(): boolean {
    return this.transport === 'tcp' && this.#stream === undefined;
  }

  /** Attaches the receiver's second connection, which carries the media after the receiver has sent a packet on it. */
  attach(socket: Socket): void {
    this.#stream = new AttachedStream({
      socket,
      backlogBudget: this.#options.backlogBudget,
      onReached: () => {
        clearTimeout(this.#reachTimer);
        if (this.ready) this.#options.onReady();
      },
      onPacket: (packet) => this.#driver.receive(packet),
      onClose: () => this.#options.connection.cut('the media connection closed'),
    });
  }

  /** Counts datagrams to this receiver that the operating system refused to send. */
  handleRefusal(datagrams: number): void {
    this.#sendsRefused += datagrams;
  }

  receive(received: Uint8Array, path: number): void {
    const datagram = this.paths.take(received, path);
    if (!datagram) return;
    this.#driver.receive(datagram, undefined, path);
    const { retransmissions, requestsRefused, reportedLoss } = this.#sender.video.statistics;
    const seen = retransmissions + requestsRefused + this.#sendsRefused;
    if (seen > this.#lossSeen || (reportedLoss ?? 0) > 0) this.paths.handleLoss();
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
        this.#expectReports(message.id === SOUND_STREAM_ID ? 'sound' : 'video', message.ssrc);
        return;
      case 'statistics':
        this.#reported = message;
        return;
      case 'refuse-stream':
        if (message.id === VIDEO_STREAM_ID) this.#refused = true;
        else if (message.id === SOUND_STREAM_ID) this.#sender.dropSound();
        return;
      case 'goodbye':
        this.#options.connection.cut(GOODBYE);
        return;
      case 'authenticate':
      case 'hello':
      case 'attach':
        this.#options.connection.cut(`unexpected ${message.kind} after hello`);
        return;
      case 'keep-alive':
        return;
      default:
        message satisfies never;
    }
  }

  /** Sends a frame of the live stream if the receiver is reached, playing, and able to decode it. */
  send(unit: AccessUnit): void {
    this.#picturesThrough = unit.decodeTimestamp;
    const taken = this.#takes(unit);
    if (taken) this.#needsKey = this.#driver.attempt(() => this.#sender.video.send(now(), unit)) === 'refused';
    if (taken || this.#soundWaits) this.#driver.drain();
    this.#soundWaits = false;
  }

  /** True for a frame that the receiver can decode and the connection carries. */
  #takes(unit: AccessUnit): boolean {
    const backedUp = this.#stream?.backedUp === true;
    if (backedUp) this.#framesSkipped++;
    if (!this.ready || backedUp) this.#needsKey = true;
    return this.ready && !backedUp && (!this.#needsKey || unit.importance === 'key');
  }

  /** Sends a unit of the sound; with the picture that follows when it is early. A full connection skips it with the pictures. */
  sendSound(unit: AccessUnit): void {
    const { sound } = this.#sender;
    if (!sound || !this.ready || this.#stream?.backedUp === true) return;
    const refused = this.#driver.attempt(() => sound.send(now(), unit)) === 'refused';
    if (refused && !this.#soundRefused) {
      this.#soundRefused = true;
      this.#options.onSoundRefused(unit.parts.reduce((bytes, { length }) => bytes + length, 0));
    }
    this.#soundWaits = unit.decodeTimestamp < unit.timestamp && unit.decodeTimestamp > this.#picturesThrough;
    if (!this.#soundWaits) this.#driver.drain();
  }

  /** Ends the stream: sends the queue, then the totals. */
  finish(): void {
    this.#finishing = true;
    this.#sender.finish();
    this.#driver.drain();
    this.#announceEnd();
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
    this.paths.close();
    this.#driver.close();
    this.#stream?.close();
  }

  #expectReports(stream: 'video' | 'sound', ssrc: number): void {
    this.#sender.expectReportsFrom(stream, ssrc);
    // Reports of the paths have the SSRC of those on the video.
    if (stream === 'video') this.#streams.paths?.end.expectReportsFrom(ssrc);
  }

  #transmit(datagrams: readonly Uint8Array[], ecn: Ecn, path: number): void {
    const to = this.paths.addressBy(path);
    if (to && this.#consents(path)) {
      this.paths.sent[path]! += datagrams.length;
      this.#options.sendDatagrams(this.protect(datagrams), to, this.#lengths, ecn);
    } else this.#stream?.write(datagrams);
    this.#announceEnd();
  }

  /** True while consent for the address of a path is valid. Otherwise it must be proved again. */
  #consents(path: number): boolean {
    const { paths } = this.#streams;
    if (this.paths.consents(path, paths ? paths.end.heardAt(path) : this.#sender.video.heardAt)) return true;
    paths?.health.onRevoked(path);
    this.#options.onConsentLost(path);
    if (this.reachable) return false;
    this.#needsKey = true;
    this.#expectReach();
    return false;
  }

  #expectReach(): void {
    if (this.#closed) return;
    const what = this.transport === 'udp' ? 'no address proof' : 'no media connection';
    const unreachable = () => this.#options.onUnreachable(`${what} within ${REACH_TIMEOUT_MS / 1_000} s`);
    this.#reachTimer = setTimeout(unreachable, REACH_TIMEOUT_MS).unref();
  }

  #reportSent(): void {
    if (this.#finishing) return;
    this.#options.connection.send(this.#streams.sent(this.#sendsRefused));
  }

  #announceEnd(): void {
    if (!this.#finishing || this.#endAnnounced || !this.#sender.finished) return;
    this.#endAnnounced = true;
    this.#options.connection.send(this.#streams.ended());
    this.#options.onFinished();
  }
}

/** Cause of a regular end of a connection. */
export const GOODBYE = 'the receiver said goodbye';
