import { ControlConnection } from '../../io/net/control-connection.ts';
import { ControlServer, type PendingConnection } from '../../io/net/control-server.ts';
import { formatAddress, reachableUrls, resolveHost } from '../../io/net/host-address.ts';
import { NetworkBudgets } from '../../io/net/networks.ts';
import { secureContext } from '../../io/net/secure-channel.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf } from '../../io/os/failure.ts';
import type { AdaptiveState } from '../../io/sources/adaptive-control.ts';
import { inMilliseconds, inSeconds, type Microseconds } from '../../protocol/base/units.ts';
import {
  type HelloMessage,
  parseReceiverMessage,
  presentable,
  REASON_CHARACTERS_MAX,
  type ReceiverMessage,
} from '../../protocol/control/control-message.ts';
import { HistoryBudget } from '../../sender/history-budget.ts';
import { HISTORY_BYTES } from '../../sender/sender-options.ts';
import { SharedPackets } from '../../sender/shared-packets.ts';
import { LiveStream } from './live-stream.ts';
import { MediaPort } from './media-port.ts';
import {
  NEEDS_FINGERPRINT,
  NEEDS_PASSPHRASE,
  NO_PASSPHRASE,
  NOT_ENCRYPTED,
  PassphraseGate,
  TOO_MANY_GUESSES,
} from './passphrase-gate.ts';
import { placeLimits } from './place-limits.ts';
import { placeFor } from './places.ts';
import { RateMeter, type StreamRates } from './rate-meter.ts';
import { GOODBYE, ServerSession } from './server-session.ts';
import { addSession, noTotals, type SentTotals, type StreamServerTotals } from './server-totals.ts';
import { SourceSteering } from './source-steering.ts';
import { StallWarning } from './stall-warning.ts';
import type { StreamServerOptions } from './stream-server-options.ts';
import { codecRefusal, welcomeMessage } from './welcome-message.ts';

/** State of a source that follows, and of what becomes of its rate. */
export interface FollowedState extends AdaptiveState {
  /** Bit rate of the video that the receivers' paths carry, bits per second; `undefined` while unknown. */
  readonly path: number | undefined;
  /** Rates of the last second; `undefined` before the stream. */
  readonly rates: StreamRates | undefined;
}

export interface StreamServerStatus {
  readonly receivers: readonly ServerSession[];
  readonly connectionsRefused: number;
  readonly datagramsForeign: number;
  /** Position in the source, seconds; `undefined` while nothing is streamed. */
  readonly positionSeconds: number | undefined;
  /** State of an adaptive source; `undefined` for any other. */
  readonly adaptive: FollowedState | undefined;
}

const PENDING_MAX = 128;
/** Joins of a network that may come at once, besides those of as many receivers as the server admits. */
const JOINS_BURST = 64;
const HELLO_TIMEOUT_MS = 5_000;
/** Limit of joins per second per network, including loopback. Setup and teardown of a session take 1 ms each. */
const JOINS_PER_SECOND = 20;
/** Time limit for retransmission requests after the end, extended while frames are decided, milliseconds. */
const LINGER_MS = 5_000;
/** The same over TCP, milliseconds. TCP delivers everything, but its timeouts double up to two minutes. */
const LINGER_TCP_MS = 60_000;

/** Serves a source to any number of receivers: control over TCP, media over UDP on the same port. */
export class StreamServer {
  readonly #options: StreamServerOptions;
  readonly #control: ControlServer;
  readonly #history: HistoryBudget;
  readonly #packets = { video: new SharedPackets(), sound: new SharedPackets() };
  readonly #joins: NetworkBudgets;
  readonly #sessions = new Map<string, ServerSession>();
  readonly #connections = new Map<ControlConnection<ReceiverMessage>, ServerSession | undefined>();
  readonly #media = new MediaPort(this.#sessions);
  #gate: PassphraseGate | undefined;
  #host: string;
  readonly #stalls: StallWarning;
  readonly #steering: SourceSteering | undefined;
  /** The stream, which may have viewers other than the receivers of this server. */
  readonly live: LiveStream;
  readonly #rates = new RateMeter();
  readonly #totals = noTotals();
  #closed = false;

  constructor(options: StreamServerOptions) {
    this.#options = options;
    const { identity, passphrase } = options;
    if (passphrase !== undefined) this.#gate = new PassphraseGate(passphrase);
    this.#host = options.host;
    this.#joins = new NetworkBudgets({ perSecond: JOINS_PER_SECOND, burst: JOINS_BURST + options.receiversMax });
    this.#history = new HistoryBudget(options.historyBytes ?? HISTORY_BYTES);
    this.#control = new ControlServer({
      host: options.host,
      port: options.port,
      pendingMax: Math.max(PENDING_MAX, options.receiversMax),
      // A receiver over TCP has two connections.
      connectionsMax: PENDING_MAX * 2 + options.receiversMax * 2,
      firstMessageTimeoutMs: HELLO_TIMEOUT_MS,
      secure: identity && { context: secureContext(identity), fingerprint: identity.fingerprint },
      onConnection: (pending) => this.#welcomeConnection(pending),
    });
    this.#stalls = new StallWarning(options.log);
    const { source, loop } = options;
    this.#steering = source.adaptive && new SourceSteering(source.adaptive);
    this.live = new LiveStream({
      source,
      loop,
      onRead: () => this.#steer(),
      onKeyFrameWanted: (viewer) => this.#steering?.requestKeyFrame(now(), viewer),
      onUnit: options.onUnit,
      onSound: options.onSound,
      // A picture leaves in one call by itself.
      onHandOver: source.sound && (() => this.#media.hold()),
      onHandedOver: () => this.#media.flush(),
      onSkipped: (error) => options.log.warn(`left out of the playlist: ${causeOf(error)}`),
      onSoundFailure: (error) => options.log.warn(`the sound ends early: ${causeOf(error)}`),
      onStall: (late) => this.#stalls.add(now(), late),
      onIdle: (error) => options.onIdle(error),
    });
  }

  get port(): number {
    return this.#control.port;
  }

  /** Packets kept for retransmission, of all viewers together. */
  get historyBudget(): HistoryBudget {
    return this.#history;
  }

  /** URLs of the stream, with addresses for other machines when the server accepts them. */
  get urls(): readonly string[] {
    const { identity } = this.#options;
    // With a passphrase, the fingerprint is not needed.
    const proof = identity && !this.#gate ? `?fingerprint=${identity.fingerprint}` : '';
    return reachableUrls('dropframe', { host: this.#host, port: this.port }, proof);
  }

  get status(): StreamServerStatus {
    const { adaptive } = this.#options.source;
    return {
      receivers: [...this.#sessions.values()],
      connectionsRefused: this.#control.counters.refused,
      datagramsForeign: this.#media.datagramsForeign,
      positionSeconds: secondsOf(this.live.position),
      adaptive: adaptive && { ...adaptive.state, path: this.#steering?.target, rates: this.#rates.rates },
    };
  }

  /** Totals over all receivers, including those that have left. */
  get totals(): StreamServerTotals {
    const { meanTarget, seconds } = this.#rates;
    return { ...this.#sent(), meanTarget, followedSeconds: seconds };
  }

  /** Opens the ports. @throws {Failure} when the port is not available for TCP or UDP. */
  async listen(): Promise<void> {
    const host = await resolveHost(this.#options.host);
    this.#host = host;
    await this.#control.listen(host);
    try {
      await this.#media.open({ host, port: this.#control.port });
    } catch (error) {
      await this.#control.close();
      throw error;
    }
    this.live.open();
  }

  /** Says goodbye to all receivers and closes the ports. */
  async close(reason: string): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const goodbye = { kind: 'goodbye', reason: presentable(reason, REASON_CHARACTERS_MAX) } as const;
    this.live.close();
    for (const session of this.#sessions.values()) session.close();
    await Promise.all([...this.#connections.keys()].map((connection) => connection.farewell(goodbye)));
    this.#media.close();
    await this.#control.close();
  }

  #welcomeConnection(pending: PendingConnection): void {
    const { log } = this.#options;
    // Checked before any setup, so that each excess join costs only an accept.
    if (this.#joins.isSpent(pending.address)) return void pending.socket.destroy();
    const connection: ControlConnection<ReceiverMessage> = new ControlConnection<ReceiverMessage>({
      socket: pending.socket,
      parse: parseReceiverMessage,
      lastWord: (reason) => (this.#connections.get(connection) ? undefined : { kind: 'refused', reason }),
      onMessage: (message) => {
        const session = this.#connections.get(connection);
        if (session) session.handleMessage(message);
        else this.#handleFirst(message, pending, connection);
      },
      onClose: (cause) => this.#forget(connection, cause, pending.peer),
    });
    this.#connections.set(connection, undefined);
    log.debug('connection', { peer: pending.peer });
  }

  #handleFirst(
    message: ReceiverMessage,
    pending: PendingConnection,
    connection: ControlConnection<ReceiverMessage>,
  ): void {
    const refusal = this.#refusalOf(message, pending, connection);
    if (refusal !== undefined) return void connection.farewell({ kind: 'refused', reason: refusal });
    if (message.kind === 'authenticate') return this.#gate!.take(connection, message.share);
    if (message.kind === 'hello') return this.#open(message, pending, connection);
    const session = message.kind === 'attach' ? this.#sessions.get(message.session) : undefined;
    if (message.kind !== 'attach' || !session?.isKey(message.key) || !session.awaitsStream) {
      return connection.cut('the first message was neither hello nor attach to a session of the receiver');
    }
    pending.established();
    connection.send({ kind: 'attached' });
    this.#connections.delete(connection);
    session.attach(connection.detach());
  }

  /** Returns the reason to refuse a peer; `undefined` to accept it. */
  #refusalOf(
    message: ReceiverMessage,
    pending: PendingConnection,
    connection: ControlConnection<ReceiverMessage>,
  ): string | undefined {
    const unknownCodec = message.kind === 'hello' ? codecRefusal(message, this.#options.source.description) : undefined;
    if (unknownCodec !== undefined) return unknownCodec;
    if (!this.#options.identity) return message.kind === 'authenticate' ? NOT_ENCRYPTED : undefined;
    if (!pending.channel) return this.#gate ? NEEDS_PASSPHRASE : NEEDS_FINGERPRINT;
    if (message.kind === 'authenticate') {
      if (!this.#gate) return NO_PASSPHRASE;
      return this.#gate.allows(pending.address) ? undefined : TOO_MANY_GUESSES;
    }
    return message.kind === 'hello' && this.#gate?.awaits(connection) ? NEEDS_PASSPHRASE : undefined;
  }

  #open(hello: HelloMessage, pending: PendingConnection, connection: ControlConnection<ReceiverMessage>): void {
    const { log, datagramBytesMax, receiversMax } = this.#options;
    const limits = placeLimits(receiversMax, this.#options.receiversPerAddressMax);
    // Cut instead of refused, so that the receiver tries again.
    if (!this.#joins.allows(pending.address)) return connection.cut('join rate exceeded');
    const placement = placeFor(pending.address, this.#sessions.values(), limits);
    if ('refused' in placement) {
      log.warn('receiver refused: too many', { peer: pending.peer, receiversMax });
      void connection.farewell({ kind: 'refused', reason: placement.refused });
      return;
    }
    if (placement.evict) this.#dismiss(placement.evict, 'evicted: not reachable, and the server is full');
    pending.established();
    const dismiss = (cause: string) => this.#dismiss(session, cause);
    const session: ServerSession = new ServerSession({
      follows: this.#options.source.adaptive !== undefined,
      hello,
      codec: this.#options.source.description.codecName,
      clockRate: this.#options.source.description.clockRate,
      sound: this.#options.source.sound?.description,
      peer: pending.peer,
      address: pending.address,
      connection,
      channel: pending.channel,
      datagramBytesMax,
      historyBudget: this.#history,
      sharedPackets: this.#packets,
      backlogBudget: this.live.backlogBudget,
      sendDatagrams: (datagrams, to, lengths, ecn) => this.#media.send(datagrams, to, lengths, ecn),
      sendProbe: (datagram, to, onRefused) => this.#media.sendProbe(datagram, to, onRefused),
      onPathMtu: (bytes, to) => {
        if (bytes === datagramBytesMax) this.#media.segmentAgain(to);
        const less = bytes < datagramBytesMax ? `, less than the ${datagramBytesMax} of --mtu` : ' again';
        const at = session.paths.count > 1 ? ` at ${formatAddress(to)}` : '';
        log.info(`the path to ${pending.peer}${at} carries datagrams of ${bytes} bytes${less}`);
      },
      requestKeyFrame: () => {
        this.live.requestKeyFrame(session);
        const span = this.live.nextKeyFrameIn();
        return span === undefined ? null : inMilliseconds(span);
      },
      onReady: () => {
        this.#gate?.passed(pending.address);
        this.#ready(session);
      },
      onFinished: () => this.#linger(session, hello, connection),
      onUnreachable: dismiss,
      onConsentLost: (path) => {
        log.debug('no report from the receiver: its media has stopped', { peer: pending.peer, path });
        this.#media.forgetAddress(session, path);
      },
      onSoundRefused: (bytes) => {
        const why = 'they are too long for its datagrams (--mtu) or their payload format, or its queue is full';
        log.warn(`receiver ${pending.peer} does not get packets of the sound, of ${bytes} bytes: ${why}`);
      },
      onRateWarning: (line) => log.warn(`receiver ${pending.peer}: ${line}`),
      onFault: (line) => {
        log.error(`receiver ${pending.peer}: ${line}`);
        dismiss('internal error of the sender');
      },
    });
    this.#sessions.set(session.id, session);
    this.#connections.set(connection, session);
    this.live.add(session);
    const { description } = this.#options.source;
    const position = this.live.isLive ? 'live' : 'start';
    const welcome = welcomeMessage(session, hello, { description, loop: this.#options.loop, position });
    const answer = this.#gate ? this.#gate.seal(connection, pending.channel!, welcome) : welcome;
    if (!answer) return connection.cut('invalid share in the passphrase exchange');
    connection.send(answer);
    const { encrypted } = session;
    log.info(`receiver ${pending.peer} joined`, { transport: hello.transport, latencyMs: hello.latencyMs, encrypted });
  }

  /** Ends a session and frees its place at once. */
  #dismiss(session: ServerSession, reason: string): void {
    this.#sessions.delete(session.id);
    this.live.delete(session);
    session.dismiss(reason);
  }

  /** Starts the stream when the first receiver can be reached. */
  #ready(session: ServerSession): void {
    const { log } = this.#options;
    log.debug('receiver can be reached', { peer: session.peer, destination: session.destination ?? 'its connection' });
    if (!this.live.start()) this.live.requestKeyFrame(session);
  }

  /** Steers an adaptive source by the receivers' paths. */
  #steer(): void {
    const active = [...this.#sessions.values()].filter((session) => session.ready);
    const targets = active.map((session) => session.targetBitrate);
    const at = now();
    this.#steering?.update(at, targets);
    this.#rates.add(at, { target: this.#options.source.adaptive!.state.bitrate, ...this.#sent() });
  }

  #sent(): SentTotals {
    const totals = { ...this.#totals };
    // An evicted receiver counts too, until its connection has closed.
    for (const session of this.#connections.values()) if (session) addSession(totals, session);
    return totals;
  }

  /** Keeps a receiver connected while it still decides frames: it may be far behind. */
  #linger(session: ServerSession, hello: HelloMessage, connection: ControlConnection<ReceiverMessage>): void {
    let decided = session.reported?.frames ?? 0;
    const lingerMs = hello.latencyMs + (hello.transport === 'tcp' ? LINGER_TCP_MS : LINGER_MS);
    const timer = setInterval(() => {
      const frames = session.reported?.frames ?? 0;
      if (frames > decided && !connection.closed) {
        decided = frames;
        return;
      }
      clearInterval(timer);
      void connection.farewell({ kind: 'goodbye', reason: 'end of stream' });
    }, lingerMs);
    timer.unref();
  }

  #forget(connection: ControlConnection<ReceiverMessage>, cause: string | undefined, peer: string): void {
    const { log } = this.#options;
    const session = this.#connections.get(connection);
    this.#connections.delete(connection);
    if (!session) {
      if (cause !== undefined) log.debug('connection refused', { peer, cause });
      return;
    }
    session.close();
    this.#sessions.delete(session.id);
    this.#media.forgetAddress(session);
    addSession(this.#totals, session);
    const { frames, packets, retransmissions } = session.statistics;
    const why = cause === undefined || cause === GOODBYE ? '' : `: ${cause}`;
    const { count, sent } = session.paths;
    const byPath = count > 1 && { datagramsByPath: sent.join('+') };
    log.info(`receiver ${peer} left${why}`, { frames, packets, retransmissions, ...byPath });
    this.live.delete(session);
  }
}

const secondsOf = (span: Microseconds | undefined) => (span === undefined ? undefined : inSeconds(span));
