import { earliest, type Instant, instant, later, type Microseconds, milliseconds, seconds } from '../base/units.ts';
import type { ControlClientEvent, ControlEnd, ControlFailure, SessionCause } from './control-client-event.ts';
import {
  type EndOfStreamMessage,
  type HelloMessage,
  presentable,
  REASON_CHARACTERS_MAX,
  type ReceiverMessage,
  type SenderMessage,
  type WelcomeMessage,
} from './control-message.ts';
import { CONTROL_MAJOR, CONTROL_USER_AGENT } from './control-version.ts';
import { MEND_MS_DEFAULT, noMediaCause } from './latency-limit.ts';
import { PathWatch } from './path-watch.ts';
import { choiceMessages, chooseStreams } from './stream-choice.ts';

export interface ControlClientOptions
  extends Pick<HelloMessage, 'latencyMs' | 'recovery' | 'mendMs' | 'redundancy' | 'paths'> {
  /** `auto`: UDP, or TCP once the control connection works and no datagram arrives. */
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** False when missing datagrams are intended, as on an impaired link: the client then waits on a silent path. */
  readonly leavesSilentPath?: boolean;
  /** SSRC of the receiver's reports on the video, announced to senders of 1.1 and later; see `soundReportSsrc`. */
  readonly reportSsrc?: number | undefined;
  /** True to receive sound, where there is any. */
  readonly sound?: boolean | undefined;
  /** Time without a sender, or without media from it, after which the run fails. */
  readonly timeout: Microseconds;
}

/** State of a run. */
export type ControlClientState =
  | { readonly kind: 'idle' }
  /** The driver is opening a connection. */
  | { readonly kind: 'connecting' }
  /** `hello` has been sent and not yet answered. */
  | { readonly kind: 'greeting' }
  /** Media is flowing; the next statistics are due at `reportAt`. */
  | { readonly kind: 'receiving'; readonly reportAt: Instant }
  /** The sender has reported the end of the stream; some packets may still be in flight. */
  | { readonly kind: 'draining'; readonly reportAt: Instant }
  /** The connection is being closed by us, and another attempt follows, at once where `atOnce` is true. */
  | { readonly kind: 'cutting'; readonly atOnce: boolean }
  /** No connection until the next attempt. */
  | { readonly kind: 'waiting'; readonly retryAt: Instant }
  /** The connection is closing, or was never opened, and the run ends with it. */
  | { readonly kind: 'leaving'; readonly outcome: Outcome }
  | { readonly kind: 'over' };

type Outcome =
  | { readonly kind: 'over'; readonly end: ControlEnd }
  | { readonly kind: 'failed'; readonly failure: ControlFailure };

const RETRY_INTERVAL: Microseconds = milliseconds(400);
const REPORT_INTERVAL: Microseconds = seconds(1);
/** Sessions that are opened one after the other without a frame, before the media counts as lost. */
const OUTAGES_MAX = 3;

/**
 * Receiver's side of the control channel: joins a sender, and rejoins after its restarts, until the stream ends, the
 * user stops it, or no sender is found within the timeout. Sans-IO: connections, messages, frames and time are passed
 * in; messages (`pollMessage`) and instructions (`pollEvent`) are polled until `undefined`.
 */
export class ControlClient {
  readonly #options: ControlClientOptions;
  readonly #messages: ReceiverMessage[] = [];
  readonly #events: ControlClientEvent[] = [];
  #state: ControlClientState = { kind: 'idle' };
  #playing = true;
  /** True from a sender's goodbye to the next welcome. */
  #dismissed = false;
  /** True after the first welcome. */
  #welcomed = false;
  #mediaAt: Instant = instant(0);
  #frames = 0;
  #reportedCause: string | undefined;
  /** Transport of the next session, and why it will begin. */
  #transport: 'udp' | 'tcp';
  #cause: SessionCause = 'first';
  /** `undefined` outside a session over UDP. */
  #watch: PathWatch | undefined;
  /** True when the present silence was answered by a new session already. */
  #leftSilentPath = false;
  /** True when the lack of datagrams has been reported, until one arrives. */
  #silenceReported = false;
  #outages = 0;

  constructor(options: ControlClientOptions) {
    this.#options = options;
    this.#transport = options.transport === 'tcp' ? 'tcp' : 'udp';
  }

  get state(): ControlClientState {
    return this.#state;
  }

  /** Frames delivered in all sessions. */
  get frames(): number {
    return this.#frames;
  }

  start(now: Instant): void {
    if (this.#state.kind !== 'idle') return;
    this.#mediaAt = now;
    this.#connect();
  }

  /** The requested connection is open. */
  handleConnected(): void {
    if (this.#state.kind === 'leaving') return void this.#events.push({ kind: 'cut', cause: 'stopped' });
    if (this.#state.kind !== 'connecting') return;
    this.#state = { kind: 'greeting' };
    const { latencyMs, recovery, mendMs, redundancy, paths } = this.#options;
    // Earlier senders refuse unknown fields, so the default value is omitted.
    const mend = mendMs === undefined || mendMs === MEND_MS_DEFAULT ? {} : { mendMs };
    this.#messages.push({
      kind: 'hello',
      version: CONTROL_MAJOR,
      transport: this.#transport,
      ...{ latencyMs, recovery, ...mend },
      ...(redundancy !== undefined && { redundancy }),
      ...(paths !== undefined && this.#transport === 'udp' && { paths }),
      userAgent: CONTROL_USER_AGENT,
      playing: this.#playing,
    });
  }

  handleMessage(now: Instant, message: SenderMessage): void {
    const { kind } = this.#state;
    if (kind !== 'greeting' && kind !== 'receiving' && kind !== 'draining') return;
    switch (message.kind) {
      case 'welcome':
        if (kind !== 'greeting') return this.#cut('the sender sent welcome twice');
        return this.#handleWelcome(now, message);
      case 'refused':
        this.#events.push({ kind: 'cut', cause: message.reason });
        this.#leave({ kind: 'failed', failure: { kind: 'refused', reason: message.reason } });
        return;
      case 'sent':
        if (kind === 'receiving') this.#events.push({ kind: 'sent', total: message });
        return;
      case 'end-of-stream':
        return this.#handleEndOfStream(message);
      case 'goodbye':
        // The sender waits no longer: missing packets will not arrive, but the stream has ended regularly.
        if (kind === 'draining') return void this.#events.push({ kind: 'finish-media' });
        this.#dismissed = true;
        return this.#cut(`the sender stopped (${message.reason})`, 'sender-stopped');
      case 'sealed-welcome':
      case 'keyframe':
      case 'attached':
      case 'keep-alive':
        return;
      default:
        message satisfies never;
    }
  }

  /** The connection has closed, or could not be opened. */
  handleClosed(now: Instant, cause = 'the connection closed'): void {
    const state = this.#state;
    switch (state.kind) {
      case 'receiving':
      case 'draining':
      case 'cutting':
      case 'connecting':
      case 'greeting':
        if (this.#inSession) this.#cause = 'connection-closed';
        this.#watch = undefined;
        this.#events.push({ kind: 'close-media' });
        return state.kind === 'cutting' && state.atOnce ? this.#connect() : this.#retry(now, cause);
      case 'leaving':
        this.#events.push({ kind: 'close-media' });
        return this.#end(state.outcome);
      case 'idle':
      case 'waiting':
      case 'over':
        return;
      default:
        state satisfies never;
    }
  }

  /**
   * The sender failed authentication, or the connection is not the expected one. Before the first session this ends the
   * run. Later it may be an attacker on the path, so the client reconnects.
   */
  handleUntrusted(now: Instant, reason: string): void {
    const failure = { kind: 'failed', failure: { kind: 'untrusted', reason } } as const;
    const connected = this.#isConnected;
    if (this.#welcomed) return connected ? this.#cut(reason) : this.handleClosed(now, reason);
    if (!connected) return this.#end(failure);
    this.#events.push({ kind: 'cut', cause: reason });
    this.#leave(failure);
  }

  /** The session's media path has failed, or could not be opened. */
  handlePathLost(cause: string): void {
    if (this.#inSession) this.#cut(cause, 'path-failed');
  }

  /** A datagram of the session has arrived, either media or an address-proof reply. */
  handlePacket(): void {
    this.#watch?.handlePacket();
    this.#leftSilentPath = false;
    this.#silenceReported = false;
  }

  /** Bytes have arrived on the control connection. */
  handleControlHeard(): void {
    this.#watch?.handleControl();
  }

  /** A frame was delivered. */
  handleFrame(now: Instant): void {
    this.#mediaAt = now;
    this.#outages = 0;
    this.#frames++;
  }

  /** The receiver has decided every frame of the stream. */
  handleMediaEnded(): void {
    // Frames are also decided when a session breaks off; the stream has not ended then.
    if (!this.#inSession) return;
    this.#events.push({ kind: 'farewell', reason: 'end of stream' });
    this.#leave({ kind: 'over', end: 'end-of-stream' });
  }

  handleTimeout(now: Instant): void {
    const state = this.#state;
    if (state.kind === 'waiting' && now >= state.retryAt) return this.#connect();
    if (state.kind !== 'receiving' && state.kind !== 'draining') return;
    if (now >= state.reportAt) {
      this.#state = { ...state, reportAt: later(now, REPORT_INTERVAL) };
      this.#events.push({ kind: 'report' });
      if (this.#playing && now - this.#mediaAt > this.#options.timeout) return this.#missMedia(now);
    }
    if (state.kind === 'receiving' && this.#playing) this.#watchPath(now);
  }

  /** `false` asks the sender to hold this receiver's stream, `true` to continue live from the next key frame. */
  setPlaying(now: Instant, playing: boolean): void {
    this.#playing = playing;
    this.#mediaAt = now;
    this.#watch?.restart(now);
    if (this.#isConnected) this.#messages.push({ kind: playing ? 'play' : 'pause' });
  }

  requestKeyFrame(): void {
    if (this.#isConnected) this.#messages.push({ kind: 'request-keyframe' });
  }

  /** Ends the run, with a goodbye on an open connection. */
  stop(): void {
    const outcome = { kind: 'over', end: 'stopped' } as const;
    const state = this.#state;
    switch (state.kind) {
      case 'idle':
      case 'waiting':
        return this.#end(outcome);
      case 'connecting':
      case 'cutting':
        return this.#leave(outcome);
      case 'receiving':
      case 'draining':
      case 'greeting':
        this.#events.push({ kind: 'finish-media' }, { kind: 'farewell', reason: 'stopped' });
        return this.#leave(outcome);
      case 'leaving':
      case 'over':
        return;
      default:
        state satisfies never;
    }
  }

  /** Returns the next message to send; call until `undefined`. */
  pollMessage(): ReceiverMessage | undefined {
    return this.#messages.shift();
  }

  /** Returns the next instruction to the driver; call until `undefined`. */
  pollEvent(): ControlClientEvent | undefined {
    return this.#events.shift();
  }

  /** Time of the next `handleTimeout`; `undefined` when there is none. */
  pollTimeout(): Instant | undefined {
    const state = this.#state;
    if (state.kind === 'waiting') return state.retryAt;
    if (state.kind === 'draining') return state.reportAt;
    if (state.kind !== 'receiving') return undefined;
    return this.#watch && this.#playing ? earliest(state.reportAt, this.#watch.pollTimeout()) : state.reportAt;
  }

  get #inSession(): boolean {
    return this.#state.kind === 'receiving' || this.#state.kind === 'draining';
  }

  get #isConnected(): boolean {
    return this.#inSession || this.#state.kind === 'greeting';
  }

  #handleWelcome(now: Instant, welcome: WelcomeMessage): void {
    const choice = chooseStreams(welcome, this.#options);
    const { accepted, refused } = choice;
    // A 1.0 sender does not know these messages, and has only one stream.
    if (welcome.minor !== undefined) this.#messages.push(...choiceMessages(choice, this.#options.reportSsrc));
    this.#dismissed = false;
    this.#welcomed = true;
    if (accepted) {
      this.#state = { kind: 'receiving', reportAt: later(now, REPORT_INTERVAL) };
      if (this.#transport === 'udp') this.#watch = new PathWatch(now);
      this.#events.push({ kind: 'welcomed', welcome: accepted, transport: this.#transport, cause: this.#cause });
      return;
    }
    const reason = presentable(refused.map(({ reason }) => reason).join(', '), REASON_CHARACTERS_MAX);
    this.#events.push({ kind: 'farewell', reason });
    this.#leave({ kind: 'failed', failure: { kind: 'unknown-codec', reason } });
  }

  #handleEndOfStream(total: EndOfStreamMessage): void {
    if (this.#state.kind === 'receiving') this.#state = { ...this.#state, kind: 'draining' };
    if (this.#inSession) this.#events.push({ kind: 'end-of-stream', total });
  }

  #connect(): void {
    this.#state = { kind: 'connecting' };
    this.#events.push({ kind: 'connect' });
  }

  /** @param next why the session after this one begins. */
  #cut(cause: string, next: SessionCause = 'connection-closed', { atOnce } = { atOnce: false }): void {
    this.#cause = next;
    this.#state = { kind: 'cutting', atOnce };
    this.#events.push({ kind: 'cut', cause });
  }

  #watchPath(now: Instant): void {
    const finding = this.#watch?.handleTimeout(now);
    if (finding === 'suspect') this.#events.push({ kind: 'prove-address' });
    else if (finding === 'silent') this.#handleSilentPath();
  }

  /** No datagram has arrived for two seconds, and the sender has spoken on the control connection meanwhile. */
  #handleSilentPath(): void {
    if (this.#options.leavesSilentPath === false) return;
    if (this.#watch?.heardEver && !this.#leftSilentPath) {
      this.#leftSilentPath = true;
      return this.#rejoin('path-silent');
    }
    if (this.#options.transport === 'auto') {
      this.#transport = 'tcp';
      return this.#rejoin('tcp-instead');
    }
    if (!this.#silenceReported) this.#events.push({ kind: 'notice', notice: 'no-datagrams' });
    this.#silenceReported = true;
  }

  #rejoin(notice: 'tcp-instead' | 'path-silent' | 'media-outage'): void {
    this.#events.push({ kind: 'notice', notice });
    this.#cut(`leaving for a new session (${notice})`, notice, { atOnce: true });
  }

  /** No frame for the timeout from a sender that is still connected. */
  #missMedia(now: Instant): void {
    if (this.#frames === 0) return this.#cut(noMediaCause(this.#options), 'no-media');
    if (this.#outages < OUTAGES_MAX) {
      this.#outages++;
      this.#mediaAt = now;
      return this.#rejoin('media-outage');
    }
    this.#events.push({ kind: 'cut', cause: noMediaCause(this.#options) });
    this.#leave({ kind: 'failed', failure: { kind: 'media-lost', frames: this.#frames } });
  }

  #leave(outcome: Outcome): void {
    this.#state = { kind: 'leaving', outcome };
  }

  #end(outcome: Outcome): void {
    this.#state = { kind: 'over' };
    this.#events.push(outcome);
  }

  #retry(now: Instant, cause: string): void {
    const left = this.#options.timeout - (now - this.#mediaAt);
    if (left <= 0) {
      const failed = (failure: ControlFailure) => this.#end({ kind: 'failed', failure });
      if (this.#frames === 0)
        return failed(this.#silenceReported ? { kind: 'no-datagrams' } : { kind: 'no-stream', cause });
      if (this.#dismissed) return this.#end({ kind: 'over', end: 'sender-stopped' });
      return failed({ kind: 'sender-lost', cause, frames: this.#frames });
    }
    if (cause !== this.#reportedCause) this.#events.push({ kind: 'waiting', cause });
    this.#reportedCause = cause;
    this.#state = { kind: 'waiting', retryAt: instant(now + Math.min(RETRY_INTERVAL, left)) };
  }
}
