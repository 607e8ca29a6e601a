import { ControlConnection } from '../../io/net/control-connection.ts';
import { type SecureChannel, UntrustedSender } from '../../io/net/secure-channel.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf, type Failure } from '../../io/os/failure.ts';
import { WakeUp } from '../../io/os/wake-up.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { ControlClient } from '../../protocol/control/control-client.ts';
import type { ControlClientEvent, SessionCause } from '../../protocol/control/control-client-event.ts';
import { parseSenderMessage, type SenderMessage } from '../../protocol/control/control-message.ts';
import type { AcceptedWelcome } from '../../protocol/control/stream-choice.ts';
import type { BundledReceiverEvent } from '../../receiver/bundled-receiver.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import type { Recovery } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import { type ClientEnd, type HostFaults, type SoundRecord, sumHostFaults } from './client.ts';
import { type ClientNotice, clientFailure, connectCause } from './client-texts.ts';
import { EarlyConnection } from './early-connection.ts';
import { FinishedSessions, totals } from './finished-sessions.ts';
import { randomSsrc } from './identifiers.ts';
import { JoinedTimeline } from './joined-timeline.ts';
import { MediaSession } from './media-session.ts';
import type { UsedSecondPath } from './second-path.ts';
import { connectToSender, provenMessage, type SenderConnection, type SenderProof } from './sender-proof.ts';
import { SoundMeter } from './sound-meter.ts';
import { statisticsMessage } from './statistics-message.ts';

export interface StreamClientOptions extends SenderProof {
  readonly host: string;
  readonly port: number;
  /** `auto`: UDP, or TCP where no datagram arrives. With a link, whose losses are intended, it is UDP. */
  readonly transport: 'auto' | 'udp' | 'tcp';
  readonly latencyMs: number;
  readonly recovery: Recovery;
  /** Limit of retransmission and repair bytes per byte of media, 0 to 1; `undefined`: the sender's default. */
  readonly redundancy?: number | undefined;
  /** When a complete frame is released: at its deadline, or as soon as it can be decoded. */
  readonly release: 'deadline' | 'asap';
  readonly onLoss: 'freeze' | 'smear';
  /** How long after its deadline a frame that others refer to is mended, milliseconds; `undefined` for the default. */
  readonly mendMs?: number | undefined;
  /** True to receive sound, where there is any; the default. */
  readonly sound?: boolean | undefined;
  /** True when every frame is recorded, shown or not. */
  readonly records?: boolean | undefined;
  readonly link: LinkSpecification | undefined;
  /** Second path to the sender, over UDP, and its use; `undefined` for one path. */
  readonly second?: UsedSecondPath | undefined;
  /** Congestion control of the modelled TCP (transport TCP over a link); default: cubic. */
  readonly congestionControl?: CongestionControlName | undefined;
  /** Time without a sender, or without media, that is a failure, milliseconds. */
  readonly timeoutMs: number;
  readonly onWaiting: (cause: string) => void;
  /** Called with notices about the path, to which the client reacts by itself. */
  readonly onNotice: (notice: ClientNotice) => void;
  /** Called when a session begins, also after a restart of the sender. */
  readonly onWelcome: (welcome: AcceptedWelcome) => void;
  readonly onUnit: (unit: AccessUnit, event: ReceiverEvent & { kind: 'access-unit' }) => void;
  /** Called with each unit of the recording: those of `onUnit`, or a mended stream of its own with `records` and `smear`. */
  readonly onRecordedUnit: (unit: AccessUnit) => void;
  /** Called with each unit of the sound, on the timeline of the pictures. */
  readonly onSound?: (unit: AccessUnit) => void;
  readonly onDrop: (event: ReceiverEvent & { kind: 'dropped' }) => void;
  readonly onDatagram?: ((direction: 'in' | 'out', datagram: Uint8Array) => void) | undefined;
}

/** Joins a stream server and receives, across restarts of the sender, until the end of the stream or `stop`. */
export class StreamClient {
  readonly #options: StreamClientOptions;
  readonly #control: ControlClient;
  readonly #reportSsrc = randomSsrc();
  readonly #wakeUp = new WakeUp(() => this.#ring());
  readonly #end: Promise<ClientEnd>;
  #resolve: (end: ClientEnd) => void = () => {};
  #reject: (failure: Failure) => void = () => {};
  readonly #finished = new FinishedSessions();
  readonly #sound = new SoundMeter();
  #connection: ControlConnection<SenderMessage> | undefined;
  /** Address of the sender on the current connection, and its TLS. */
  #host = '';
  #channel: SecureChannel | undefined;
  #media: MediaSession | undefined;
  /** True when the next session is over TCP. */
  #usesTcp: boolean;
  /** Media connection of the session that is being agreed on. */
  #early: EarlyConnection | undefined;
  /** Transport and cause of the current session; `undefined` between sessions. */
  #current: { readonly transport: 'udp' | 'tcp'; readonly cause: SessionCause } | undefined;
  /** Value at the end of the run. */
  #stalledFor = microseconds(0);
  /** True when the sender of the current session ignores unknown fields, as those of 1.1 and later do. */
  #takesHostDrops = false;
  readonly #timeline = new JoinedTimeline();
  #segments: number | undefined = 0;
  /** Sums over the sessions that are over; `undefined` before there is one. */
  #modeledTcp: ByteTunnelCounters | undefined;
  #hostFaults: HostFaults | undefined;

  constructor(options: StreamClientOptions) {
    this.#options = options;
    const { transport, link } = options;
    this.#usesTcp = transport === 'tcp';
    this.#control = new ControlClient({
      ...options,
      paths: options.second?.use,
      transport: transport === 'auto' && link ? 'udp' : transport,
      leavesSilentPath: link === undefined,
      timeout: milliseconds(options.timeoutMs),
      reportSsrc: this.#reportSsrc,
    });
    this.#end = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Statistics of each session, the current one last; of many sessions, the oldest are added up. */
  get sessions(): readonly ReceiverStatistics[] {
    const { rows } = this.#finished;
    return this.#media ? [...rows, this.#media.statistics.video] : rows;
  }

  get sessionCount(): number {
    return this.#finished.count + (this.#media ? 1 : 0);
  }

  /** Fates of the sound; `undefined` where there was none. */
  get sound(): SoundRecord | undefined {
    return this.#sound.record(this.#media?.statistics.sound);
  }

  /** Transport of each of these rows. */
  get transports(): readonly ('udp' | 'tcp')[] {
    const { transports } = this.#finished;
    return this.#current ? [...transports, this.#current.transport] : transports;
  }

  /** Cause of each of these rows. */
  get sessionCauses(): readonly SessionCause[] {
    const { causes } = this.#finished;
    return this.#current ? [...causes, this.#current.cause] : causes;
  }

  /** Duration of the current stall, microseconds; only with TCP, since UDP drops late frames. */
  get stalledFor(): Microseconds {
    return this.#media?.stalledFor(now()) ?? this.#stalledFor;
  }

  /** TCP segments of all sessions, as counted by the model or the kernel; `undefined` when unknown. */
  get segments(): number | undefined {
    const present = this.#media && this.#current?.transport === 'tcp' ? this.#media.segments : 0;
    return present === undefined || this.#segments === undefined ? undefined : this.#segments + present;
  }

  /** Datagrams lost on the machines themselves, over all sessions. */
  get hostFaults(): HostFaults {
    return sumHostFaults([this.#hostFaults, this.#media?.hostFaults].filter((faults) => faults !== undefined));
  }

  /** Counters of the modelled TCP: of the finished sessions together, and of the current one. */
  get modeledTcp(): readonly ByteTunnelCounters[] {
    return [this.#modeledTcp, this.#media?.modeledTcp].filter((counters) => counters !== undefined);
  }

  /** Runs until the end of the stream or `stop`. @throws {Failure} when there is no sender for `timeoutMs`. */
  run(): Promise<ClientEnd> {
    this.#control.start(now());
    this.#drain();
    return this.#end;
  }

  /** Says goodbye and ends the run; frames received so far are decided and released. */
  stop(): void {
    this.#stalledFor = this.stalledFor;
    this.#control.stop();
    this.#drain();
  }

  /** `false` pauses this receiver's stream at the sender; `true` resumes it live at the next key frame. */
  setPlaying(playing: boolean): void {
    this.#control.setPlaying(now(), playing);
    this.#drain();
  }

  requestKeyFrame(): void {
    this.#control.requestKeyFrame();
    this.#drain();
  }

  #ring(): void {
    this.#control.handleTimeout(now());
    this.#drain();
  }

  #drain(): void {
    const control = this.#control;
    for (let message = control.pollMessage(); message; message = control.pollMessage()) {
      this.#connection?.send(message);
    }
    for (let event = control.pollEvent(); event; event = control.pollEvent()) this.#carryOut(event);
    this.#wakeUp.set(control.pollTimeout());
  }

  #carryOut(event: ControlClientEvent): void {
    switch (event.kind) {
      case 'connect':
        return void this.#connect();
      case 'cut':
        return this.#connection?.cut(event.cause);
      case 'farewell':
        return void this.#connection?.farewell({ kind: 'goodbye', reason: event.reason });
      case 'welcomed':
        return this.#begin(event);
      case 'prove-address':
        return this.#media?.proveAddress();
      case 'sent':
        return this.#media?.handleSent(event.total);
      case 'notice':
        this.#usesTcp ||= event.notice === 'tcp-instead';
        return this.#options.onNotice(event.notice);
      case 'end-of-stream':
        return this.#media?.endOfStream(event.total);
      case 'finish-media':
        return this.#media?.finish();
      case 'close-media':
        return this.#closeMedia();
      case 'report':
        return this.#report();
      case 'waiting':
        return this.#options.onWaiting(event.cause);
      case 'over':
        this.#wakeUp.clear();
        return this.#resolve(event.end);
      case 'failed':
        this.#wakeUp.clear();
        return this.#reject(clientFailure(event.failure, this.#options));
      default:
        event satisfies never;
    }
  }

  async #connect(): Promise<void> {
    let connected: SenderConnection;
    try {
      connected = await connectToSender(this.#options, this.#options, (host) => this.#openEarly(host));
    } catch (error) {
      this.#early?.close();
      if (error instanceof UntrustedSender) this.#control.handleUntrusted(now(), error.message);
      else this.#control.handleClosed(now(), connectCause(error, this.#timeline.started));
      return this.#drain();
    }
    const { socket, address, channel, passphrase } = connected;
    // Media goes where control went.
    this.#host = address;
    this.#channel = channel;
    this.#connection = new ControlConnection<SenderMessage>({
      socket,
      parse: parseSenderMessage,
      lastWord: (reason) => ({ kind: 'goodbye', reason }),
      onHeard: () => this.#control.handleControlHeard(),
      onMessage: (message) => {
        try {
          this.#control.handleMessage(now(), provenMessage(message, passphrase));
        } catch (error) {
          if (!(error instanceof UntrustedSender)) throw error;
          this.#control.handleUntrusted(now(), error.message);
        }
        this.#drain();
      },
      onClose: (cause) => {
        this.#connection = undefined;
        this.#early?.close();
        this.#control.handleClosed(now(), cause);
        this.#drain();
      },
    });
    if (passphrase) this.#connection.send({ kind: 'authenticate', share: passphrase.share });
    this.#control.handleConnected();
    this.#drain();
  }

  /** Opens the connection for media beside the control connection. @param host address to which that was made */
  #openEarly(host: string): void {
    const { port, fingerprint, passphrase } = this.#options;
    const isSecure = fingerprint !== undefined || passphrase !== undefined;
    this.#early = this.#usesTcp ? new EarlyConnection({ host, port }, { isSecure, fingerprint }) : undefined;
  }

  #begin({ welcome, transport, cause }: ControlClientEvent & { kind: 'welcomed' }): void {
    const { port, recovery, redundancy, release, onLoss, link, onDatagram } = this.#options;
    this.#options.onWelcome(welcome);
    this.#takesHostDrops = welcome.minor !== undefined;
    this.#timeline.begin();
    if (welcome.sound) this.#sound.begin(welcome.sound);
    const { second } = this.#options;
    const hasTwoPaths = second && welcome.paths === 2 && welcome.initialSequence !== undefined;
    const onSecondClosed = (withoutSecondPath: string) => this.#options.onNotice({ withoutSecondPath });
    if (second && !hasTwoPaths)
      onSecondClosed(transport === 'udp' ? 'the sender is of an earlier version' : 'the stream is over TCP');
    const media = new MediaSession({
      host: this.#host,
      port,
      transport,
      recovery,
      redundancy,
      reportSsrc: this.#reportSsrc,
      release,
      onLoss,
      mendMs: this.#options.mendMs,
      records: this.#options.records,
      link,
      second: hasTwoPaths ? second : undefined,
      onSecondClosed,
      congestionControl: this.#options.congestionControl ?? TCP_DEFAULTS.congestionControl,
      welcome,
      channel: this.#channel,
      early: this.#early,
      onDatagram,
      onPacket: () => this.#control.handlePacket(),
      onPathLost: (cause) => this.#losePath(media, cause),
      onEvent: (event) => this.#handleEvent(event),
    });
    this.#media = media;
    this.#current = { transport, cause };
    media.open().catch((error: unknown) => this.#losePath(media, causeOf(error)));
  }

  #losePath(media: MediaSession, cause: string): void {
    if (this.#media !== media) return;
    this.#control.handlePathLost(cause);
    this.#drain();
  }

  #handleEvent(event: BundledReceiverEvent): void {
    switch (event.kind) {
      case 'access-unit':
        return this.#handlePicture(event);
      case 'recorded':
        return this.#options.onRecordedUnit(this.#timeline.shift(event.unit, 'recorded'));
      case 'sound':
        return this.#handleSound(event.event);
      case 'dropped':
        return this.#options.onDrop(event);
      case 'malformed':
        return;
      case 'ended':
        this.#control.handleMediaEnded();
        return this.#drain();
      default:
        event satisfies never;
    }
  }

  #handlePicture(event: ReceiverEvent & { kind: 'access-unit' }): void {
    this.#control.handleFrame(now());
    const unit = this.#timeline.shift(event.unit, 'shown');
    this.#options.onUnit(unit, event);
    if (!this.#media?.recordsApart) this.#options.onRecordedUnit(unit);
  }

  #handleSound(event: (BundledReceiverEvent & { kind: 'sound' })['event']): void {
    this.#sound.handleEvent(event);
    if (event.kind === 'access-unit') this.#options.onSound?.(this.#timeline.shift(event.unit, 'sound'));
  }

  #closeMedia(): void {
    if (!this.#media) return;
    this.#media.finish();
    if (this.#current?.transport === 'tcp') this.#segments = this.segments;
    const { modeledTcp } = this.#media;
    if (modeledTcp) this.#modeledTcp = this.#modeledTcp ? sumTcp(this.#modeledTcp, modeledTcp) : modeledTcp;
    const { video, sound } = this.#media.statistics;
    this.#finished.add({ statistics: video, ...this.#current });
    this.#sound.end(sound);
    this.#hostFaults = this.hostFaults;
    this.#media.close();
    this.#media = undefined;
    this.#current = undefined;
  }

  #report(): void {
    if (!this.#media) return;
    this.#media.checkBalance();
    // The check may have ended it.
    if (!this.#media) return;
    const drops = this.#takesHostDrops ? this.#media.hostFaults.drops : undefined;
    this.#connection?.send(statisticsMessage(this.#media.statistics.video, drops));
  }
}

const sumTcp = (one: ByteTunnelCounters, other: ByteTunnelCounters): ByteTunnelCounters => ({
  ...other,
  ...totals(one, other),
});
