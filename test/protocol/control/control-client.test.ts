import { describe, expect, test } from 'vitest';
import { microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { ControlClient } from '../../../protocol/control/control-client.ts';
import type { MediaStream } from '../../../protocol/control/media-stream.ts';
import { at, END, GOODBYE, Stage, WELCOME, WISHES } from './control-stage.ts';

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
    const hello = { kind: 'hello', version: 1, userAgent: 'dropframe control/1.3', ...wishes };
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
      streams: [{ id: 5, mediaType: 'audio', codec: 'speex' }, VIDEO],
    });
    expect(client.pollMessage()).toEqual({
      kind: 'refuse-stream',
      id: 5,
      reason: 'audio codec speex is not supported',
    });
    expect(client.pollEvent()).toMatchObject({ kind: 'welcomed', welcome: { codec: 'h264', ssrc: VIDEO.ssrc } });
    expect(client.state.kind).toBe('receiving');
  });

  test('says goodbye when no stream can be received, without messages unknown to a 1.0 sender', () => {
    const client = greeting();
    client.handleMessage(at(0), { ...WELCOME, media: { ...WELCOME.media, codec: 'av01.0.04M.10' } });
    const reason = 'codec av01.0.04M.10 is not supported';
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
    const early = new Stage({ timeout: milliseconds(1_500), latencyMs: 2_000 }).joined();
    expect(early.at(2_100).news()).toContain(
      '2020 cut: no frame within a timeout that is not longer than the latency, 2000 ms',
    );
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
    stage.at(30, (client) => client.requestKeyFrame()).at(40, (client, now) => client.setPlaying(now, false));
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
    stage.at(1, (client) => client.requestKeyFrame()).at(2, (client, now) => client.setPlaying(now, false));
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

test.each([
  ['the sender says goodbye', 'sender-stopped', (stage: Stage) => stage.say(40, GOODBYE)],
  ['the connection closes', 'connection-closed', (stage: Stage) => stage],
  ['the sender breaks the protocol', 'connection-closed', (stage: Stage) => stage.say(40, WELCOME)],
  ['the media path fails here', 'path-failed', (stage: Stage) => stage.at(40, (c) => c.handlePathLost('lost'))],
] as const)('a session that begins because %s reports that cause', (_, cause, happens) => {
  const stage = new Stage().joined().frame(30);
  happens(stage)
    .close(50)
    .at(450)
    .close(451, 'nothing listens')
    .at(851)
    .at(860, (client) => client.handleConnected())
    .say(870, WELCOME);
  expect(stage.causes).toEqual(['first', cause]);
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
