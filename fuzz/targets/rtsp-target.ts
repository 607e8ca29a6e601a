import { interleaved, type RtspHeader, serializeRtsp } from '../../protocol/rtsp/rtsp-message.ts';
import { RtspReader } from '../../protocol/rtsp/rtsp-reader.ts';
import { RtspLogin } from '../../session/rtsp/rtsp-authentication.ts';
import type { FuzzInput } from '../fuzz-input.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import { presentation } from '../rtsp-presentation.ts';

const RECEIVERS_MAX = 4;
/** Bytes that a reader keeps: an interleaved packet, or a head with its body. */
const PENDING_BYTES_MAX = 70_000;
const URL = 'rtsp://192.0.2.1:8554/film';

/** A wrong answer to a challenge, which is complete. */
const ANSWER =
  `Digest username="camera", realm="dropframe", nonce="0", uri="${URL}", algorithm=SHA-256, response="${'0'.repeat(64)}", ` +
  'qop=auth, nc=00000001, cnonce="c"';

/** Requests of ffmpeg (the first) and of a player with odd habits; `SESSION` stands for the identifier that they were given. */
const DIALOGS: readonly (readonly [method: string, uri: string, ...headers: RtspHeader[]])[][] = [
  [
    ['OPTIONS', URL, ['User-Agent', 'Lavf59.27.100']],
    ['DESCRIBE', URL, ['Accept', 'application/sdp']],
    ['SETUP', `${URL}/trackID=0`, ['Transport', 'RTP/AVP/TCP;unicast;interleaved=0-1']],
    ['SETUP', `${URL}/trackID=1`, ['Transport', 'RTP/AVP/TCP;unicast;interleaved=2-3'], ['Session', 'SESSION']],
    ['PLAY', `${URL}/`, ['Range', 'npt=0.000-'], ['Session', 'SESSION']],
    ['GET_PARAMETER', URL, ['Session', 'SESSION']],
    ['PAUSE', URL, ['Session', 'SESSION']],
    ['PLAY', URL, ['Session', 'SESSION']],
    ['TEARDOWN', URL, ['Session', 'SESSION']],
  ],
  [
    ['DESCRIBE', `${URL}?latency=200`],
    ['SETUP', `${URL}/trackID=0`, ['Transport', 'RTP/AVP;multicast;client_port=1-2,RTP/AVP/TCP;destination=192.0.2.9']],
    ['SETUP', `${URL}/trackID=0`, ['Transport', 'RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;mode="PLAY"']],
    ['PLAY', `${URL}/trackID=0`, ['Session', 'SESSION; timeout=60'], ['Require', 'play.basic']],
    ['DESCRIBE', URL, ['Authorization', ANSWER]],
    ['SET_PARAMETER', '*', ['Session', 'SESSION'], ['Range', 'clock=19961108T142300Z-']],
  ],
];

const REPORT = Uint8Array.of(0x80, 201, 0, 1, 1, 2, 3, 4);

function dialog(requests: (typeof DIALOGS)[number]): FuzzInput {
  const steps = requests.map(([method, uri, ...headers], index) => {
    const numbered: RtspHeader[] = [['CSeq', String(index + 1)], ...headers];
    return {
      pause: 0,
      bytes: serializeRtsp({ kind: 'request', method, uri, headers: numbered, body: new Uint8Array(0) }),
    };
  });
  return { choices: 0, steps: [...steps, { pause: 0, bytes: interleaved(1, REPORT) }] };
}

/** Puts the identifier of the session in its place, so that mutated requests reach it. */
const withSession = (bytes: Uint8Array, id: string): Uint8Array =>
  id === '' ? bytes : Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('SESSION', id), 'latin1');

/** A player's connection to the RTSP server: requests and packets, cut anywhere, and the sessions that they make. */
export const rtspTarget: FuzzTarget = {
  name: 'rtsp',
  seeds: () => DIALOGS.map(dialog),
  mutate: (bytes, chance) => (chance.oneIn(3) ? mutateBytes(bytes, chance) : mutateText(bytes, chance)),
  run: ({ steps }, observed) => {
    const { requests, sessions } = presentation({ receiversMax: RECEIVERS_MAX });
    const guarded = presentation({ login: new RtspLogin({ user: 'camera', password: 'a secret of no input' }) });
    const reader = new RtspReader();
    let id = '';
    for (const { bytes } of steps) {
      for (const item of reader.push(withSession(bytes, id))) {
        observed.see(item.kind);
        if (item.kind !== 'request') continue;
        const answer = requests.answer(item);
        observed.see(`${answer.status}`);
        observed.see(`guarded ${guarded.requests.answer(item).status}`);
        hold(guarded.sessions.all.length === 0, 'there is no session without the right login');
        const [read] = new RtspReader().push(serializeRtsp(answer));
        hold(read?.kind === 'response' && read.status === answer.status, 'every answer can be read');
        hold(sessions.all.length <= RECEIVERS_MAX, 'there are no more sessions than places');
        id = sessions.all.at(-1)?.id ?? id;
      }
      if (reader.refusal) observed.reason(reader.refusal.cause);
      hold(reader.pendingBytes <= PENDING_BYTES_MAX, 'what is kept of a peer is bounded');
    }
    observed.count('sessions', sessions.all.length);
    sessions.close();
    guarded.sessions.close();
    hold(sessions.all.length === 0, 'nothing is left of a closed server');
  },
};
