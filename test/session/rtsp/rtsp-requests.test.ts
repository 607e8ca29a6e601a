import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { presentation } from '../../../fuzz/rtsp-presentation.ts';
import { later, seconds as secondsOf } from '../../../protocol/base/units.ts';
import { serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { type DigestAlgorithm, type DigestHash, digestResponse } from '../../../protocol/rtsp/digest.ts';
import type { PresentationTrack } from '../../../protocol/rtsp/presentation-description.ts';
import { headerOf, type RtspHeader, type RtspResponse } from '../../../protocol/rtsp/rtsp-message.ts';
import { RtspLogin } from '../../../session/rtsp/rtsp-authentication.ts';
import type { PlayerPorts } from '../../../session/rtsp/rtsp-sessions.ts';
import { sessionOf } from './player.ts';

const URL = 'rtsp://server/film';
const REPORT = serializeRtcp([{ kind: 'receiver-report', ssrc: 1, reports: [] }]);
const TCP: RtspHeader = ['Transport', 'RTP/AVP/TCP;unicast;interleaved=0-1'];

function requests(
  options: {
    readonly login?: RtspLogin;
    readonly tracks?: readonly PresentationTrack[];
    readonly receiversMax?: number;
    readonly ports?: PlayerPorts;
  } = {},
) {
  const made = presentation(options);
  onTestFinished(() => made.sessions.close());
  let sequence = 0;
  const ask = (method: string, uri = URL, headers: readonly RtspHeader[] = []): RtspResponse => {
    sequence++;
    const numbered: RtspHeader[] = [['CSeq', `${sequence}`], ...headers];
    return made.requests.answer({ kind: 'request', method, uri, headers: numbered, body: new Uint8Array(0) });
  };
  return { ...made, ask };
}

test.each([
  ['a method of no standard', 'DANCE', URL, [], 501],
  ['a method of recorders', 'RECORD', URL, [], 405],
  ['another film', 'DESCRIBE', 'rtsp://server/other', [], 404],
  ['no URI', 'DESCRIBE', 'film', [], 400],
  ['a latency that is no number', 'DESCRIBE', `${URL}?latency=abc`, [], 400],
  ['a latency without a value', 'DESCRIBE', `${URL}?latency=`, [], 400],
  ['a description that nobody has', 'DESCRIBE', URL, [['Accept', 'text/html']], 406],
  ['a feature that is required', 'SETUP', `${URL}/trackID=0`, [TCP, ['Require', 'com.example.x']], 551],
  ['a session that does not exist', 'PLAY', URL, [['Session', '42']], 454],
  ['no session', 'PLAY', URL, [], 454],
  ['a track that does not exist', 'SETUP', `${URL}/trackID=7`, [TCP], 404],
  ['no transport', 'SETUP', `${URL}/trackID=0`, [], 461],
  ['multicast', 'SETUP', `${URL}/trackID=0`, [['Transport', 'RTP/AVP;multicast;client_port=6000-6001']], 461],
  ['another destination', 'SETUP', `${URL}/trackID=0`, [['Transport', 'RTP/AVP/TCP;destination=192.0.2.1']], 461],
  ['a recording', 'SETUP', `${URL}/trackID=0`, [['Transport', 'RTP/AVP/TCP;mode=record']], 461],
  ['the presentation where a track is meant', 'SETUP', URL, [TCP], 459],
] as const)('%s: %s is answered with %5$i', (_, method, uri, headers, status) => {
  const { ask, sessions } = requests();
  expect(ask(method, uri, headers).status).toBe(status);
  expect(sessions.all).toEqual([]);
});

test.each([undefined, '', 'x', '-1', '99999999999'])('a request with CSeq "%s" is refused', (sequence) => {
  const { requests: own } = requests();
  const headers: RtspHeader[] = sequence === undefined ? [] : [['CSeq', sequence]];
  const response = own.answer({ kind: 'request', method: 'OPTIONS', uri: URL, headers, body: new Uint8Array(0) });
  expect(response.status).toBe(400);
  expect(headerOf(response, 'cseq')).toBeUndefined();
});

test('a session is set up once a track, and plays as a whole', () => {
  const { ask, sessions } = requests();
  const id = sessionOf(ask('SETUP', `${URL}/trackID=0`, [TCP]));
  const session: RtspHeader = ['Session', id];
  expect(ask('SETUP', `${URL}/trackID=0`, [TCP, session]).status).toBe(455);
  const udp: RtspHeader = ['Transport', 'RTP/AVP;unicast;client_port=5000-5001'];
  expect(ask('SETUP', `${URL}/trackID=1`, [udp, session]).status).toBe(461);
  const sound = ask('SETUP', `${URL}/trackID=1`, [['Transport', 'RTP/AVP/TCP;unicast;interleaved=0-1'], session]);
  expect(headerOf(sound, 'transport')).toContain('interleaved=2-3');
  expect(ask('PLAY', `${URL}/trackID=0`, [session]).status).toBe(460);
  const playing = ask('PLAY', `${URL}/`, [session]);
  expect(playing.status).toBe(200);
  expect(headerOf(playing, 'rtp-info')?.split(',')).toHaveLength(2);
  expect(ask('SETUP', `${URL}/trackID=1`, [TCP, session]).status).toBe(455);
  expect(sessions.all).toHaveLength(1);
  expect(ask('TEARDOWN', URL, [session]).status).toBe(200);
  expect(ask('PLAY', URL, [session]).status).toBe(454);
});

test('PLAY without a track, or with a range of no format, is refused', () => {
  const { ask } = requests();
  const session: RtspHeader = ['Session', sessionOf(ask('SETUP', `${URL}/trackID=0`, [TCP]))];
  expect(ask('PLAY', URL, [session, ['Range', 'bytes=0-']]).status).toBe(457);
  expect(ask('PLAY', URL, [session, ['Range', 'npt=30-']]).status).toBe(200);
});

test('a parameter is not understood; an empty one keeps the session alive', () => {
  const { requests: own, ask } = requests();
  const body = new TextEncoder().encode('barparam: barstuff');
  const headers: RtspHeader[] = [['CSeq', '9']];
  expect(own.answer({ kind: 'request', method: 'SET_PARAMETER', uri: URL, headers, body }).status).toBe(451);
  const session: RtspHeader = ['Session', sessionOf(ask('SETUP', `${URL}/trackID=0`, [TCP]))];
  const kept = ask('SET_PARAMETER', URL, [session]);
  expect(headerOf(kept, 'session')).toMatch(/;timeout=60$/);
});

test('the session of another address is none of this player', () => {
  const { ask, other } = requests();
  const id = sessionOf(ask('SETUP', `${URL}/trackID=0`, [TCP]));
  const headers: RtspHeader[] = [
    ['CSeq', '1'],
    ['Session', id],
  ];
  const stolen = other('192.0.2.66').answer({
    kind: 'request',
    method: 'TEARDOWN',
    uri: URL,
    headers,
    body: new Uint8Array(0),
  });
  expect(stolen.status).toBe(454);
});

test('a silent session ends after its time-out', () => {
  const { ask, sessions, left } = requests();
  ask('SETUP', `${URL}/trackID=0`, [TCP]);
  const { heardAt } = sessions.all[0]!;
  sessions.checkTimeouts((heardAt + 59e6) as typeof heardAt);
  expect(sessions.all).toHaveLength(1);
  sessions.checkTimeouts((heardAt + 61e6) as typeof heardAt);
  expect(sessions.all).toEqual([]);
  expect(left).toEqual(['silent for 60 s']);
});

describe('over UDP', () => {
  const UDP: RtspHeader = ['Transport', 'RTP/AVP;unicast;client_port=6000-6001'];

  /** A player that plays. @param isClosed what its machine says of its port. */
  function playing(isClosed = false) {
    const probed: number[] = [];
    const ports: PlayerPorts = {
      ...{ pair: [5_000, 5_001], send: () => {}, take: () => true, release: () => {} },
      isClosed: async (_host, port) => {
        probed.push(port);
        return isClosed;
      },
    };
    const made = requests({ ports });
    made.ask('SETUP', `${URL}/trackID=0`, [UDP]);
    const [session] = made.sessions.all;
    const request = (method: string) => made.ask(method, URL, [['Session', session!.id]]).status;
    expect(request('PLAY')).toBe(200);
    const checkAfter = async (seconds: number) => {
      made.sessions.checkTimeouts(later(session!.heardAt, secondsOf(seconds)));
      await Promise.resolve();
    };
    return { ...made, session: session!, probed, request, checkAfter };
  }

  test('a player that has never reported keeps its media while it sends requests', async () => {
    const { session, request, checkAfter } = playing();
    for (let round = 0; round < 5; round++) {
      await checkAfter(11);
      expect(session.isPlaying).toBe(true);
      expect(request('GET_PARAMETER')).toBe(200);
    }
  });

  test('a player that says nothing any more gets no media after twelve seconds, and again with its next request', async () => {
    const { session, sessions, request, checkAfter } = playing();
    await checkAfter(13);
    expect(session.isPlaying).toBe(false);
    await checkAfter(59);
    expect(sessions.all).toEqual([session]);
    expect(request('GET_PARAMETER')).toBe(200);
    expect(session.isPlaying).toBe(true);
    await checkAfter(61);
    expect(sessions.all).toEqual([]);
  });

  test('only reports about its own streams keep the media of a player', async () => {
    const { session, checkAfter } = playing();
    const about = (ssrc: number) => {
      const block = { ssrc, fractionLost: 0, cumulativeLost: 0, highestSequence: 1, jitter: 0 };
      const report = { ...block, lastSenderReport: 0, delaySinceLastSenderReport: 0 };
      session.receive(0, serializeRtcp([{ kind: 'receiver-report', ssrc: 1, reports: [report] }]));
    };
    await checkAfter(13);
    session.receive(0, REPORT);
    about(session.tracks.get(0)!.ssrc + 1);
    session.receive(0, Uint8Array.of(0x80, 201, 0, 9));
    expect(session.isPlaying).toBe(false);
    about(session.tracks.get(0)!.ssrc);
    expect(session.isPlaying).toBe(true);
  });

  test('a player that has paused is not played for because it says something', async () => {
    const { session, request, checkAfter } = playing();
    expect(request('PAUSE')).toBe(200);
    await checkAfter(13);
    expect(request('GET_PARAMETER')).toBe(200);
    expect(session.isPlaying).toBe(false);
  });

  test('a session whose port is closed ends soon, also while its connection sends requests', async () => {
    const { sessions, left, probed, request, checkAfter } = playing(true);
    await checkAfter(6);
    expect(probed).toEqual([]);
    expect(request('GET_PARAMETER')).toBe(200);
    await checkAfter(8);
    expect(probed).toEqual([6_000]);
    expect(left).toEqual(['its UDP port is closed']);
    expect(sessions.all).toEqual([]);
  });

  test('an open port is tried while the player does not report, until its media stops', async () => {
    const { session, sessions, probed, checkAfter } = playing();
    session.receive(0, REPORT);
    await checkAfter(6);
    expect(probed).toEqual([]);
    for (const seconds of [8, 9, 11]) await checkAfter(seconds);
    expect(probed).toEqual([6_000]);
    await checkAfter(16);
    expect(probed).toHaveLength(1);
    expect(sessions.all).toHaveLength(1);
  });
});

test('a session is evicted for another while it does not play', () => {
  const { ask, sessions, left } = requests({ receiversMax: 1 });
  ask('SETUP', `${URL}/trackID=0`, [TCP]);
  expect(ask('SETUP', `${URL}/trackID=0`, [TCP]).status).toBe(200);
  expect(sessions.all).toHaveLength(1);
  expect(left[0]).toContain('evicted');
});

const hash: DigestHash = (algorithm, text) =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');

/** The header field of a player that answers a challenge. */
function answerTo(
  challenge: RtspResponse,
  method: string,
  password: string,
  algorithm: DigestAlgorithm,
  count = 1,
): RtspHeader {
  const nonce = /nonce="(\w+)"/.exec(headerOf(challenge, 'www-authenticate')!)![1]!;
  const protection = algorithm === 'MD5' ? undefined : { count: `${count}`.padStart(8, '0'), clientNonce: 'c' };
  const answer = { user: 'camera', realm: 'dropframe', nonce, uri: URL, algorithm, protection };
  const response = digestResponse(method, answer, { password, hash });
  const qop = protection ? `, qop=auth, nc=${protection.count}, cnonce="c"` : '';
  const rest = `nonce="${nonce}", uri="${URL}", algorithm=${algorithm}, response="${response}"${qop}`;
  return ['Authorization', `Digest username="camera", realm="dropframe", ${rest}`];
}

const login = () => new RtspLogin({ user: 'camera', password: 'secret' });

test.each(['MD5', 'SHA-256'] as const)('lets a player in that knows the password, with %s', (algorithm) => {
  const { ask } = requests({ login: login() });
  expect(ask('OPTIONS').status).toBe(200);
  const challenge = ask('DESCRIBE');
  expect(challenge.status).toBe(401);
  expect(challenge.body).toHaveLength(0);
  expect(ask('DESCRIBE', URL, [answerTo(challenge, 'DESCRIBE', 'secret', algorithm)]).status).toBe(200);
  // Of another method, or with another password.
  expect(ask('DESCRIBE', URL, [answerTo(challenge, 'SETUP', 'secret', algorithm, 2)]).status).toBe(401);
  expect(ask('DESCRIBE', URL, [answerTo(challenge, 'DESCRIBE', 'guess', algorithm, 3)]).status).toBe(401);
});

test('an answer with SHA-256 is accepted once', () => {
  const { ask } = requests({ login: login() });
  const answer = answerTo(ask('DESCRIBE'), 'DESCRIBE', 'secret', 'SHA-256');
  expect(ask('DESCRIBE', URL, [answer]).status).toBe(200);
  expect(ask('DESCRIBE', URL, [answer]).status).toBe(401);
});

test('an answer is of no use on another connection', () => {
  const { ask, other } = requests({ login: login() });
  const answer = answerTo(ask('DESCRIBE'), 'DESCRIBE', 'secret', 'MD5');
  const headers: RtspHeader[] = [['CSeq', '1'], answer];
  const replayed = other('192.0.2.7').answer({
    kind: 'request',
    method: 'DESCRIBE',
    uri: URL,
    headers,
    body: new Uint8Array(0),
  });
  expect(replayed.status).toBe(401);
});

test('a network has twenty guesses, then none, and others still have theirs', () => {
  const { ask, other } = requests({ login: login() });
  const challenge = ask('DESCRIBE');
  const outcomes = Array.from(
    { length: 25 },
    () => ask('DESCRIBE', URL, [answerTo(challenge, 'DESCRIBE', 'guess', 'MD5')]).status,
  );
  expect(outcomes.filter((status) => status === 401)).toHaveLength(20);
  expect(outcomes.at(-1)).toBe(403);
  expect(ask('DESCRIBE', URL, [answerTo(challenge, 'DESCRIBE', 'secret', 'MD5')]).status).toBe(403);
  const headers: RtspHeader[] = [['CSeq', '1']];
  const from = other('198.51.100.1');
  const request = { kind: 'request', method: 'DESCRIBE', uri: URL, body: new Uint8Array(0) } as const;
  const own = from.answer({ ...request, headers });
  expect(from.answer({ ...request, headers: [...headers, answerTo(own, 'DESCRIBE', 'secret', 'MD5')] }).status).toBe(
    200,
  );
});
