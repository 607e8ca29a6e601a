import { type Instant, instant, latest, milliseconds } from '../../../protocol/base/units.ts';
import { ControlClient, type ControlClientOptions } from '../../../protocol/control/control-client.ts';
import type { ControlClientEvent, SessionCause } from '../../../protocol/control/control-client-event.ts';
import type { ReceiverMessage, SenderMessage, WelcomeMessage } from '../../../protocol/control/control-message.ts';

export const at = (ms: number): Instant => instant(milliseconds(ms));
export const WISHES = { transport: 'udp', latencyMs: 120, recovery: 'hybrid', timeout: milliseconds(5_000) } as const;
export const WELCOME: WelcomeMessage = {
  kind: 'welcome',
  version: 1,
  session: '0123456789abcdef',
  key: '0123456789abcdef0123456789abcdef',
  media: {
    name: 'clip.mp4',
    codec: 'avc1.42c01e',
    width: 640,
    height: 360,
    framesPerSecond: 30,
    durationMs: null,
    mode: 'copy',
  },
  ssrc: 1,
  retransmissionSsrc: 2,
  payloadType: 96,
  retransmissionPayloadType: 97,
  timestampBase: 0,
  datagramBytesMax: 1_200,
  parameterSets: [],
  latencyMs: 120,
  position: 'start',
};
export const END: SenderMessage = { kind: 'end-of-stream', frames: 2, packets: 9, lastSequence: 8 };
export const GOODBYE: SenderMessage = { kind: 'goodbye', reason: 'restarting' };

/** A control client on a virtual clock. Logs its messages and instructions as text with their times. */
export class Stage {
  readonly client: ControlClient;
  readonly log: string[] = [];
  /** Why each session began. */
  readonly causes: SessionCause[] = [];
  #now: Instant = instant(0);

  constructor(options: Partial<ControlClientOptions> = {}) {
    this.client = new ControlClient({ ...WISHES, ...options });
  }

  /** Runs the client until `ms`, then calls `act`. */
  at(ms: number, act: (client: ControlClient, now: Instant) => void = () => {}): this {
    for (let due = this.client.pollTimeout(); due !== undefined && due <= at(ms); due = this.client.pollTimeout()) {
      this.#now = latest(this.#now, due);
      this.client.handleTimeout(this.#now);
      this.#drain();
    }
    this.#now = at(ms);
    act(this.client, this.#now);
    return this.#drain();
  }

  say(ms: number, message: SenderMessage): this {
    return this.at(ms, (client, now) => client.handleMessage(now, message));
  }

  frame(ms: number): this {
    return this.at(ms, (client, now) => client.handleFrame(now));
  }

  close(ms: number, cause?: string): this {
    return this.at(ms, (client, now) => client.handleClosed(now, cause));
  }

  /** A client that joined at 20 ms. */
  joined(): this {
    return this.at(0, (client, now) => client.start(now))
      .at(10, (client) => client.handleConnected())
      .say(20, WELCOME);
  }

  get state(): string {
    return this.client.state.kind;
  }

  /** Returns the log since the last call. */
  news(): string[] {
    return this.log.splice(0);
  }

  #drain(): this {
    const ms = this.#now / 1_000;
    for (let message = this.client.pollMessage(); message; message = this.client.pollMessage()) {
      this.log.push(`${ms} says ${wordsOf(message)}`);
    }
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) {
      if (event.kind === 'welcomed') this.causes.push(event.cause);
      this.log.push(`${ms} ${eventWords(event)}`);
    }
    return this;
  }
}

const wordsOf = (message: ReceiverMessage): string =>
  message.kind === 'hello' ? `hello ${message.playing ? 'playing' : 'paused'}` : message.kind;

function eventWords(event: ControlClientEvent): string {
  switch (event.kind) {
    case 'cut':
    case 'waiting':
      return `${event.kind}: ${event.cause}`;
    case 'farewell':
      return `farewell: ${event.reason}`;
    case 'over':
      return `over: ${event.end}`;
    case 'failed':
      return `failed: ${event.failure.kind}`;
    case 'notice':
      return `notice: ${event.notice}`;
    case 'welcomed':
      return event.transport === 'udp' ? 'welcomed' : 'welcomed over tcp';
    default:
      return event.kind;
  }
}
