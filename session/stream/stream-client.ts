import { lookup } from 'node:dns/promises';
import { connected } from '../../io/net/connect.ts';
import { ControlConnection } from '../../io/net/control-connection.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { parseSenderMessage, type SenderMessage, type WelcomeMessage } from '../../protocol/control/control-message.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import type { Recovery } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import type { ClientEnd } from './client.ts';
import { JoinedTimeline } from './joined-timeline.ts';
import { MediaSession } from './media-session.ts';

export interface StreamClientOptions {
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  readonly latencyMs: number;
  readonly recovery: Recovery;
  /** Bytes of retransmission and repair at most for each byte of media, 0 … 1; `undefined`: the sender's default. */
  readonly redundancy?: number | undefined;
  /** When a whole frame is handed on: when it is due, or as soon as it can be decoded. */
  readonly release: 'deadline' | 'asap';
  readonly onLoss: 'freeze' | 'smear';
  readonly link: LinkSpecification | undefined;
  /** Of the TCP that is modelled where there is a link and the transport is TCP; cubic unless said otherwise. */
  readonly congestionControl?: CongestionControlName | undefined;
  /** How long without a sender, or without media from it, is a failure. */
  readonly timeoutMs: number;
  readonly onWaiting: (cause: string) => void;
  /** A session begins; again after a sender's restart. */
  readonly onWelcome: (welcome: WelcomeMessage) => void;
  readonly onUnit: (unit: AccessUnit, event: ReceiverEvent & { kind: 'access-unit' }) => void;
  readonly onDrop: (event: ReceiverEvent & { kind: 'dropped' }) => void;
  readonly onDatagram?: ((direction: 'in' | 'out', datagram: Uint8Array) => void) | undefined;
}

const RETRY_MS = 400;
const STATISTICS_MS = 1_000;

/** Joins a stream server and keeps receiving, through restarts of the sender, until the stream ends or it is stopped. */
export class StreamClient {
  readonly #options: StreamClientOptions;
  readonly #finished: ReceiverStatistics[] = [];
  #connection: ControlConnection<SenderMessage> | undefined;
  #media: MediaSession | undefined;
  #stopping = false;
  /** As it was when the run was ended. */
  #stalledFor = 0;
  #wake: (() => void) | undefined;
  #lastMediaAt = 0;
  #paused = false;
  /** The sender said goodbye and has not come back. */
  #dismissed = false;
  readonly #timeline = new JoinedTimeline();
  /** Handed on, over all sessions. */
  #frames = 0;
  #segments: number | undefined = 0;
  readonly #modelledTcp: ByteTunnelCounters[] = [];

  constructor(options: StreamClientOptions) {
    this.#options = options;
  }

  /** The statistics of each session, the present one last. */
  get sessions(): readonly ReceiverStatistics[] {
    return this.#media ? [...this.#finished, this.#media.receiver.statistics] : this.#finished;
  }

  /** For how long the picture has stood still for want of a frame, microseconds: TCP waits, UDP drops. */
  get stalledFor(): number {
    return this.#media?.receiver.stalledFor(now()) ?? this.#stalledFor;
  }

  /** TCP segments of all sessions, as the model or the kernel counted them; `undefined`: it cannot be asked. */
  get segments(): number | undefined {
    const present = this.#media ? this.#media.segments : 0;
    return present === undefined || this.#segments === undefined ? undefined : this.#segments + present;
  }

  /** What the modelled TCP of each session did, the present one last. */
  get modelledTcp(): readonly ByteTunnelCounters[] {
    const present = this.#media?.modelledTcp;
    return present ? [...this.#modelledTcp, present] : this.#modelledTcp;
  }

  /** Runs until the stream's end or `stop`. Fails with one line when there is no sender for too long. */
  async run(): Promise<ClientEnd> {
    this.#lastMediaAt = now() / 1_000;
    let told: string | undefined;
    while (!this.#stopping) {
      const { end, cause } = await this.#session();
      if (end) return end;
      if (this.#stopping) break;
      const waitedMs = now() / 1_000 - this.#lastMediaAt;
      const where = `${this.#options.host}:${this.#options.port}`;
      if (waitedMs >= this.#options.timeoutMs) {
        if (this.#dismissed && this.#timeline.started) return 'sender-stopped';
        throw this.#failure(where, cause);
      }
      if (cause !== told) this.#options.onWaiting(cause ?? 'the connection closed');
      told = cause;
      await this.#sleep(Math.min(RETRY_MS, this.#options.timeoutMs - waitedMs));
    }
    return 'stopped';
  }

  #failure(where: string, cause: string | undefined): Failure {
    const { timeoutMs } = this.#options;
    const seconds = timeoutMs / 1_000;
    if (!this.#timeline.started) {
      return new Failure(`no stream from ${where} for ${seconds} s (${cause}): is \`dropframe send\` running there?`);
    }
    const frames = `${this.#frames} frame${this.#frames === 1 ? '' : 's'}`;
    return new Failure(
      `the stream from ${where} ended after ${frames}: its sender went away without a goodbye, and nothing has come ` +
        `for ${seconds} s (${cause})`,
    );
  }

  /** Says goodbye and ends the run; what was received so far is decided and handed out. */
  stop(): void {
    this.#stalledFor = this.stalledFor;
    this.#stopping = true;
    this.#wake?.();
    this.#media?.finish();
    void this.#connection?.farewell({ kind: 'goodbye', reason: 'stopped' });
  }

  /** `false`: the sender holds this receiver's stream; `true`: it goes on live, from the next key frame. */
  setPlaying(playing: boolean): void {
    this.#paused = !playing;
    this.#lastMediaAt = now() / 1_000;
    this.#connection?.send({ kind: playing ? 'play' : 'pause' });
  }

  requestKeyframe(): void {
    this.#connection?.send({ kind: 'request-keyframe' });
  }

  async #session(): Promise<{ end?: ClientEnd; cause?: string }> {
    let socket: Awaited<ReturnType<typeof connected>>;
    let host: string;
    try {
      host = (await lookup(this.#options.host)).address;
      socket = await connected(host, this.#options.port);
    } catch (error) {
      return { cause: connectCause(error, this.#timeline.started) };
    }
    if (this.#stopping) {
      socket.destroy();
      return {};
    }
    return await this.#converse(host, socket);
  }

  #converse(host: string, socket: Awaited<ReturnType<typeof connected>>): Promise<{ end?: ClientEnd; cause?: string }> {
    return new Promise((resolve, reject) => {
      let ended = false;
      let told = false;
      const connection = new ControlConnection<SenderMessage>({
        socket,
        parse: parseSenderMessage,
        onMessage: (message) => {
          switch (message.kind) {
            case 'welcome':
              if (this.#media) return connection.cut('it said welcome twice');
              return this.#begin(host, message, connection, () => {
                // What is left is decided when a session is broken off as well; that is no end of the stream.
                if (this.#stopping || connection.closed) return;
                ended = true;
                void connection.farewell({ kind: 'goodbye', reason: 'end of stream' });
              });
            case 'refused':
              connection.cut(message.reason);
              return reject(new Failure(`the sender refused: ${message.reason}`));
            case 'end-of-stream':
              told = true;
              return this.#media?.endOfStream(message);
            case 'goodbye':
              // It waited for us no longer: what is missing yet will not come, and the stream is over all the same.
              if (told) return this.#media?.finish();
              this.#dismissed = true;
              return connection.cut(`the sender stopped (${message.reason})`);
            case 'keyframe':
            case 'attached':
            case 'keep-alive':
              return;
            default:
              message satisfies never;
          }
        },
        onClose: (cause) => {
          clearInterval(ticker);
          this.#closeMedia();
          if (ended) resolve({ end: 'end-of-stream' });
          else resolve({ cause: cause ?? 'the connection closed' });
        },
      });
      this.#connection = connection;
      const ticker = setInterval(() => this.#tick(connection), STATISTICS_MS);
      const { transport, latencyMs, recovery, redundancy } = this.#options;
      const wish = redundancy === undefined ? {} : { redundancy };
      const playing = !this.#paused;
      connection.send({ kind: 'hello', version: 1, transport, latencyMs, recovery, ...wish, playing });
    });
  }

  #begin(
    host: string,
    welcome: WelcomeMessage,
    connection: ControlConnection<SenderMessage>,
    onEnded: () => void,
  ): void {
    this.#dismissed = false;
    this.#options.onWelcome(welcome);
    const { port, transport, recovery, release, onLoss, link, onDatagram } = this.#options;
    this.#timeline.begin();
    const media = new MediaSession({
      host,
      port,
      transport,
      recovery,
      release,
      onLoss,
      link,
      congestionControl: this.#options.congestionControl ?? TCP_DEFAULTS.congestionControl,
      welcome,
      onDatagram,
      onPathLost: (cause) => connection.cut(cause),
      onEvent: (event) => {
        switch (event.kind) {
          case 'access-unit':
            this.#lastMediaAt = now() / 1_000;
            this.#frames++;
            return this.#options.onUnit(this.#timeline.shift(event.unit), event);
          case 'dropped':
            return this.#options.onDrop(event);
          case 'malformed':
            return;
          case 'ended':
            return onEnded();
          default:
            event satisfies never;
        }
      },
    });
    this.#media = media;
    media.open().catch((error: unknown) => connection.cut(causeOf(error)));
  }

  #closeMedia(): void {
    if (!this.#media) return;
    this.#media.finish();
    this.#segments = this.segments;
    const { modelledTcp } = this.#media;
    if (modelledTcp) this.#modelledTcp.push(modelledTcp);
    this.#finished.push(this.#media.receiver.statistics);
    this.#media.close();
    this.#media = undefined;
  }

  #tick(connection: ControlConnection<SenderMessage>): void {
    if (!this.#media) return;
    const { receiver } = this.#media;
    receiver.assertBalanced();
    connection.send(statisticsMessage(receiver.statistics));
    if (!this.#paused && now() / 1_000 - this.#lastMediaAt > this.#options.timeoutMs)
      connection.cut('no media arrived');
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function statisticsMessage(statistics: ReceiverStatistics): Parameters<ControlConnection<SenderMessage>['send']>[0] {
  const { frames, packets, playoutDelay, roundTrip } = statistics;
  const ms = (span: number | undefined) => (span === undefined ? null : span / 1_000);
  return {
    kind: 'statistics',
    frames: frames.decided,
    framesLost: frames.incomplete + frames.neverArrived + frames.undecodable,
    framesLate: frames.late + frames.overdue,
    packets: packets.decided,
    packetsLost: packets.neverArrived + packets.late,
    packetsRecovered: packets.recoveredInRound.reduce((sum, count) => sum + count, packets.repaired),
    delayMsP50: ms(playoutDelay.p50),
    delayMsP95: ms(playoutDelay.p95),
    roundTripMs: ms(roundTrip),
  };
}

/** Why there is no connection, in a few words. @param again there was one before. */
function connectCause(error: unknown, again: boolean): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
      return again ? 'nothing listens there any more' : 'nothing listens there yet';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host is known';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to it';
    default:
      return causeOf(error);
  }
}
