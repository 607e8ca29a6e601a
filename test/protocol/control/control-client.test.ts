import { describe, expect, test } from 'vitest';
import { type Instant, instant, latest, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { ControlClient, type ControlClientOptions } from '../../../protocol/control/control-client.ts';
import type { ControlClientEvent } from '../../../protocol/control/control-client-event.ts';
import type { ReceiverMessage, SenderMessage, WelcomeMessage } from '../../../protocol/control/control-message.ts';
import type { MediaStream } from '../../../protocol/control/media-stream.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const WISHES = { transport: 'udp', latencyMs: 120, recovery: 'hybrid', timeout: milliseconds(5_000) } as const;
const WELCOME: WelcomeMessage = {
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
const END: SenderMessage = { kind: 'end-of-stream', frames: 2, packets: 9, lastSequence: 8 };
const GOODBYE: SenderMessage = { kind: 'goodbye', reason: 'restarting' };

/** A control client on a virtual clock. Logs its messages and instructions as text with their times. */
class Stage {
  readonly client: ControlClient;
  readonly told: string[] = [];
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
    return this.told.splice(0);
  }

  #drain(): this {
    const ms = this.#now / 1_000;
    for (let message = this.client.pollMessage(); message; message = this.client.pollMessage()) {
      this.told.push(`${ms} says ${wordsOf(message)}`);
    }
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) {
      this.told.push(`${ms} ${eventWords(event)}`);
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

const VIDEO: MediaStream = {
  id: 0,
  mediaType: 'video',
  codec: 'h264',
  decoder: 'avc1.42c01f',
  clockRate: 90_000,
  ssrc: 77,
  payloadType: 96,
  retransmission: { ssrc: 78, payloadType: 97 },
  timestampBase: 0,
  parameterSets: [],
};

/** A client that has sent hello. */
function greeting(): ControlClient {
  const client = new ControlClient({ ...WISHES, recovery: 'nack' });
  client.start(at(0));
  client.handleConnected();
  client.pollEvent();
  client.pollMessage();
  return client;
}

describe('joining', () => {
  test('connects, says hello, and opens the media once welcomed', () => {
    const stage = new Stage().joined();
    expect(stage.news()).toEqual(['0 connect', '10 says hello playing', '20 welcomed']);
    expect(stage.state).toBe('receiving');
  });

  test('states its wishes in hello, and the redundancy only when set', () => {
    const helloOf = (redundancy?: number) => {
      const client = new ControlClient({
        transport: 'tcp',
        latencyMs: 80,
        recovery: 'nack',
        redundancy,
        timeout: microseconds(1),
      });
      client.start(at(0));
      client.handleConnected();
      return client.pollMessage();
    };
    const wishes = { transport: 'tcp', latencyMs: 80, recovery: 'nack', playing: true };
    const hello = { kind: 'hello', version: 1, userAgent: 'dropframe control/1.1', ...wishes };
    expect(helloOf()).toEqual(hello);
    expect(helloOf(0.5)).toEqual({ ...hello, redundancy: 0.5 });
  });

  test('retries every 400 ms, reports each cause once, and gives up at the timeout', () => {
    const stage = new Stage({ timeout: milliseconds(1_000) }).at(0, (client, now) => client.start(now));
    stage.close(0, 'nothing listens').close(400, 'nothing listens').close(800, 'no route').close(1_000, 'no route');
    expect(stage.news()).toEqual([
      '0 connect',
      '0 close-media',
      '0 waiting: nothing listens',
      '400 connect',
      '400 close-media',
      '800 connect',
      '800 close-media',
      '800 waiting: no route',
      '1000 connect',
      '1000 close-media',
      '1000 failed: no-stream',
    ]);
    expect(stage.at(9_000).news()).toEqual([]);
  });

  test('refuses streams of unknown codecs and receives the known one', () => {
    const client = greeting();
    client.handleMessage(at(0), {
      ...WELCOME,
      minor: 1,
      streams: [{ id: 5, mediaType: 'audio', codec: 'opus' }, VIDEO],
    });
    expect(client.pollMessage()).toEqual({
      kind: 'refuse-stream',
      id: 5,
      reason: 'audio in opus is not known here',
    });
    expect(client.pollEvent()).toMatchObject({ kind: 'welcomed', welcome: { codec: 'h264', ssrc: VIDEO.ssrc } });
    expect(client.state.kind).toBe('receiving');
  });

  test('says goodbye when no stream can be received, without messages unknown to a 1.0 sender', () => {
    const client = greeting();
    client.handleMessage(at(0), { ...WELCOME, media: { ...WELCOME.media, codec: 'av01.0.04M.10' } });
    const reason = 'av01.0.04M.10 is not known here';
    expect(client.pollMessage()).toBeUndefined();
    expect(client.pollEvent()).toEqual({ kind: 'farewell', reason });
    client.handleClosed(at(0));
    expect([client.pollEvent(), client.pollEvent()]).toEqual([
      { kind: 'close-media' },
      { kind: 'failed', failure: { kind: 'unknown-codec', reason } },
    ]);
  });

  test('ends the run with the reason of a refusal, without another attempt', () => {
    const stage = new Stage().at(0, (client, now) => client.start(now)).at(1, (client) => client.handleConnected());
    stage.say(2, { kind: 'refused', reason: '8 receivers are served already' }).news();
    expect(stage.state).toBe('leaving');
    expect(stage.close(3).at(9_000).news()).toEqual(['3 close-media', '3 failed: refused']);
  });

  test('reconnects after a second welcome', () => {
    const stage = new Stage().joined();
    stage.news();
    expect(stage.say(30, WELCOME).news()).toEqual(['30 cut: the sender sent welcome twice']);
    expect(stage.say(31, END).news()).toEqual([]);
    stage.close(32, 'the sender sent welcome twice').at(432);
    expect(stage.news()).toEqual(['32 close-media', '32 waiting: the sender sent welcome twice', '432 connect']);
  });
});

describe('while media flows', () => {
  test('reports every second after the welcome', () => {
    const stage = new Stage().joined();
    stage.news();
    const reports = stage
      .frame(900)
      .at(3_100)
      .news()
      .filter((each) => each.endsWith('report'));
    expect(reports).toEqual(['1020 report', '2020 report', '3020 report']);
  });

  test('reconnects after the timeout without a frame, but not while paused', () => {
    const silent = new Stage({ timeout: milliseconds(1_500) }).joined();
    silent.news();
    expect(silent.at(2_100).news()).toEqual([
      '420 prove-address',
      '1020 report',
      '2020 report',
      '2020 cut: no media arrived',
    ]);
    const paused = new Stage({ timeout: milliseconds(1_500) })
      .joined()
      .at(100, (client, now) => client.setPlaying(now, false));
    expect(paused.at(9_000).state).toBe('receiving');
    paused.at(9_000, (client, now) => client.setPlaying(now, true)).at(10_400);
    expect(paused.state).toBe('receiving');
    expect(paused.at(11_100).state).toBe('cutting');
  });

  test('forwards commands, and keeps a pause for the next session', () => {
    const stage = new Stage().joined();
    stage.news();
    stage.at(30, (client) => client.requestKeyframe()).at(40, (client, now) => client.setPlaying(now, false));
    expect(stage.news()).toEqual(['30 says request-keyframe', '40 says pause']);
    stage
      .close(50)
      .at(450)
      .at(460, (client) => client.handleConnected());
    expect(stage.news().at(-1)).toBe('460 says hello paused');
  });

  test('sends nothing without a connection', () => {
    const stage = new Stage().at(0, (client, now) => client.start(now));
    stage.news();
    stage.at(1, (client) => client.requestKeyframe()).at(2, (client, now) => client.setPlaying(now, false));
    expect(stage.news()).toEqual([]);
  });

  test('reconnects after the loss of its media path', () => {
    const stage = new Stage().joined();
    stage.news();
    stage.at(50, (client) => client.handlePathLost('the media connection closed'));
    stage
      .at(51, (client) => client.handlePathLost('the media connection closed'))
      .close(60, 'gone')
      .at(460);
    expect(stage.news()).toEqual([
      '50 cut: the media connection closed',
      '60 close-media',
      '60 waiting: gone',
      '460 connect',
    ]);
  });
});

describe('the end of a stream', () => {
  test('is reached once the receiver has decided every frame', () => {
    const stage = new Stage().joined().frame(30);
    stage.news();
    stage.say(40, END);
    expect([stage.news(), stage.state]).toEqual([['40 end-of-stream'], 'draining']);
    stage.at(90, (client) => client.handleMediaEnded()).close(95);
    expect(stage.news()).toEqual(['90 farewell: end of stream', '95 close-media', '95 over: end-of-stream']);
  });

  test('is reached at once when the sender waits no longer', () => {
    const stage = new Stage().joined().say(40, END);
    stage.news();
    expect(stage.say(50, GOODBYE).news()).toEqual(['50 finish-media']);
    expect(
      stage
        .at(50, (client) => client.handleMediaEnded())
        .close(51)
        .news()
        .at(-1),
    ).toBe('51 over: end-of-stream');
  });

  test('is not reported when a broken session decides its remaining frames', () => {
    const stage = new Stage().joined().say(40, END).close(50, 'reset');
    stage.at(50, (client) => client.handleMediaEnded());
    expect(stage.state).toBe('waiting');
    expect(stage.news().at(-1)).toBe('50 waiting: reset');
  });

  test('is not changed by a stop while the connection closes', () => {
    const stage = new Stage()
      .joined()
      .say(40, END)
      .at(50, (client) => client.handleMediaEnded());
    stage.news();
    expect(
      stage
        .at(51, (client) => client.stop())
        .close(52)
        .news(),
    ).toEqual(['52 close-media', '52 over: end-of-stream']);
  });
});

describe('a sender that disappears', () => {
  test('is rejoined when it returns, and the run continues', () => {
    const stage = new Stage().joined().frame(30).say(40, GOODBYE).close(41, 'the sender stopped (restarting)');
    stage
      .at(441)
      .at(450, (client) => client.handleConnected())
      .say(460, WELCOME);
    expect(stage.state).toBe('receiving');
    expect(stage.news().slice(-3)).toEqual(['441 connect', '450 says hello playing', '460 welcomed']);
  });

  test.each([
    ['with a goodbye', true, 'over: sender-stopped'],
    ['without a word', false, 'failed: sender-lost'],
  ])('%s and stays away for the timeout ends the run as such', (_, goodbye, end) => {
    const stage = new Stage({ timeout: milliseconds(300) }).joined().frame(30);
    if (goodbye) stage.say(40, GOODBYE);
    stage.close(41, 'closed').at(330).close(331, 'nothing listens');
    expect(stage.news().at(-1)).toBe(`331 ${end}`);
    expect(stage.state).toBe('over');
  });

  test('with a goodbye before its first frame counts as no stream', () => {
    const stage = new Stage({ timeout: milliseconds(300) }).joined().say(40, GOODBYE).close(41).at(341).close(342);
    expect(stage.news().at(-1)).toBe('342 failed: no-stream');
  });
});

describe('a stop', () => {
  test('decides the remaining frames, says goodbye, and ends the run when the connection has closed', () => {
    const stage = new Stage().joined();
    stage.news();
    stage
      .at(50, (client) => client.stop())
      .at(50, (client) => client.handleMediaEnded())
      .close(55);
    expect(stage.news()).toEqual(['50 finish-media', '50 farewell: stopped', '55 close-media', '55 over: stopped']);
  });

  test('while waiting for a sender ends the run at once', () => {
    const stage = new Stage().at(0, (client, now) => client.start(now)).close(0, 'nothing listens');
    expect(
      stage
        .at(100, (client) => client.stop())
        .news()
        .at(-1),
    ).toBe('100 over: stopped');
    expect(stage.at(9_000).news()).toEqual([]);
  });

  test('while connecting closes the connection once it is open, without sending', () => {
    const stage = new Stage().at(0, (client, now) => client.start(now)).at(1, (client) => client.stop());
    stage.news();
    stage.at(2, (client) => client.handleConnected()).close(3, 'stopped');
    expect(stage.news()).toEqual(['2 cut: stopped', '3 close-media', '3 over: stopped']);
  });

  test('before the start ends the run before it begins', () => {
    const stage = new Stage().at(0, (client) => client.stop()).at(1, (client, now) => client.start(now));
    expect(stage.news()).toEqual(['0 over: stopped']);
  });
});

describe('a media path that falls silent', () => {
  /** Serves time in steps, with a sender that says each second what it sent. */
  const silentUntil = (stage: Stage, from: number, to: number): Stage => {
    for (let ms = from; ms <= to; ms += 100) {
      stage.at(ms, (client) => client.handleControlHeard());
    }
    return stage;
  };
  const news = (stage: Stage) => stage.news().filter((each) => !each.endsWith('report'));

  test('is proved again within half a second', () => {
    const stage = new Stage().joined();
    stage.news();
    expect(news(silentUntil(stage, 100, 900))).toEqual(['420 prove-address']);
  });

  test('is left for TCP after two seconds where no datagram ever came', () => {
    const stage = new Stage({ transport: 'auto' }).joined();
    stage.news();
    silentUntil(stage, 100, 2_100).close(2_110);
    stage.at(2_120, (client) => client.handleConnected()).say(2_130, WELCOME);
    expect(news(stage)).toEqual([
      '420 prove-address',
      '2020 notice: tcp-instead',
      '2020 cut: leaving for a new session (tcp-instead)',
      '2110 close-media',
      '2110 connect',
      '2120 says hello playing',
      '2130 welcomed over tcp',
    ]);
  });

  test('is left for a new session first where datagrams came before', () => {
    const stage = new Stage({ transport: 'auto' }).joined().at(30, (client) => client.handlePacket());
    stage.news();
    silentUntil(stage, 200, 2_300).close(2_310);
    stage.at(2_320, (client) => client.handleConnected()).say(2_330, WELCOME);
    silentUntil(stage, 2_400, 4_500);
    expect(news(stage).filter((each) => /notice|welcomed/.test(each))).toEqual([
      '2120 notice: path-silent',
      '2330 welcomed',
      '4330 notice: tcp-instead',
    ]);
  });

  test('is waited for over UDP alone, which is told, and named at the timeout', () => {
    const stage = new Stage().joined();
    stage.news();
    silentUntil(stage, 100, 6_100).close(6_110);
    expect(news(stage)).toEqual([
      '420 prove-address',
      '2020 notice: no-datagrams',
      '5020 cut: no media arrived',
      '6110 close-media',
      '6110 failed: no-datagrams',
    ]);
  });

  test('is not left where its silence is intended', () => {
    const stage = new Stage({ leavesSilentPath: false }).joined();
    stage.news();
    expect(news(silentUntil(stage, 100, 4_000))).toEqual(['420 prove-address']);
  });

  test('is not looked at while the receiver is paused', () => {
    const stage = new Stage().joined().at(30, (client, now) => client.setPlaying(now, false));
    stage.news();
    expect(news(silentUntil(stage, 100, 9_000))).toEqual([]);
  });
});

describe('a living sender without media', () => {
  const outage = (stage: Stage, from: number): Stage =>
    stage
      .at(from)
      .close(from)
      .at(from, (client) => client.handleConnected())
      .say(from, WELCOME);

  test('is joined again at the timeout, and lost after four of them', () => {
    const stage = new Stage({ timeout: milliseconds(5_000), leavesSilentPath: false }).joined().frame(30);
    stage.news();
    for (const from of [6_030, 12_030, 18_030]) outage(stage, from);
    stage.at(24_100).close(24_100);
    expect(stage.news().filter((each) => /notice|failed/.test(each))).toEqual([
      '6020 notice: media-outage',
      '11030 notice: media-outage',
      '17030 notice: media-outage',
      '24100 failed: media-lost',
    ]);
  });

  test('counts its outages anew once a frame has come', () => {
    const stage = new Stage({ timeout: milliseconds(5_000), leavesSilentPath: false }).joined().frame(30);
    for (const from of [6_030, 12_040, 18_050]) outage(stage, from).frame(from + 1);
    outage(stage, 24_060);
    expect(stage.state).toBe('receiving');
  });
});
