import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { openConnection } from '../plain-receiver.ts';
import { repeat, type Storm } from './storm-target.ts';

/** Connections for each repetition of 5 ms: 400 a second. */
const EACH = 2;

/** Opens a connection to one of the ports for players, by TLS unless the sender is not encrypted. */
function open({ target, next }: Storm, port: number): Socket {
  const socket = openConnection({ ...next(), port });
  if (!target.secure) return socket;
  const secured = connectTls({ socket, rejectUnauthorized: false });
  secured.on('error', () => {});
  return secured;
}

/** Opens connections as fast as they can be, writes a text to each, and reads or ignores what comes. */
function conversations(
  storm: Storm,
  port: number,
  { text, reads }: { readonly text: string; readonly reads: boolean },
) {
  repeat(EACH, () => {
    storm.count();
    const socket = open(storm, port);
    socket.write(text);
    if (reads) socket.resume();
    else socket.pause();
  });
}

const rtspUrl = ({ target }: Storm): string => `${target.secure ? 'rtsps' : 'rtsp'}://${target.host}:${target.rtsp}/4M`;

/** Requests of a player up to the start of the media, without a wait for their answers. */
const playing = (url: string): string =>
  [
    `DESCRIBE ${url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n`,
    `SETUP ${url}/trackID=0 RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n`,
  ].join('');

/** Asks for the session of the answer to SETUP, and plays it; the media is not read any more. */
function playUnread(storm: Storm): void {
  const url = rtspUrl(storm);
  storm.count();
  const socket = open(storm, storm.target.rtsp);
  let answers = '';
  const read = (bytes: Buffer) => {
    answers += bytes.toString('latin1');
    const session = /^Session: *([^;\r]+)/im.exec(answers)?.[1];
    if (session === undefined) return;
    socket.off('data', read);
    socket.pause();
    socket.write(`PLAY ${url} RTSP/1.0\r\nCSeq: 3\r\nSession: ${session}\r\n\r\n`);
  };
  socket.on('data', read);
  socket.write(playing(url));
}

/** An offer of a browser for pictures only. */
const OFFER = [
  ...['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0'],
  ...['m=video 9 UDP/TLS/RTP/SAVPF 106', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:Wv1x', 'a=ice-pwd:Zk4+0Q/aE9y1bU2sC7dF8gHj'],
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, (_, index) => (index + 160).toString(16)).join(':')}`,
  ...['a=setup:actpass', 'a=mid:0', 'a=recvonly', 'a=rtcp-mux', 'a=rtpmap:106 H264/90000'],
  ...['a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f', ''],
].join('\r\n');

function post({ target }: Storm, bytes: number): string {
  const headers = ['Host: x', 'Content-Type: application/sdp', `Content-Length: ${bytes}`, 'Connection: close'];
  return `POST /4M HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`.replace(
    'Host: x',
    `Host: ${target.host}:${target.whep}`,
  );
}

/** Strangers who speak the protocols of players. */
export const PLAYER_STORMS: Readonly<Record<string, (storm: Storm) => Promise<void>>> = {
  'rtsp silent': async (storm) => conversations(storm, storm.target.rtsp, { text: '', reads: true }),
  'rtsp setup': async (storm) =>
    conversations(storm, storm.target.rtsp, { text: playing(rtspUrl(storm)), reads: true }),
  'rtsp unread': async (storm) => repeat(1, () => playUnread(storm)),
  'whep silent': async (storm) => conversations(storm, storm.target.whep, { text: '', reads: true }),
  'whep offers': async (storm) =>
    conversations(storm, storm.target.whep, { text: `${post(storm, OFFER.length)}${OFFER}`, reads: true }),
  'whep slow': async (storm) => conversations(storm, storm.target.whep, { text: post(storm, 5_000), reads: true }),
};
