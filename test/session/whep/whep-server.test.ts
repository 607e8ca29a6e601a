import { connect } from 'node:net';
import { expect, onTestFinished, vi } from 'vitest';
import { Log } from '../../../io/os/log.ts';
import { Peers } from '../../../io/webrtc/peers.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import { parseRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { isRtcp } from '../../../protocol/rtp/multiplex.ts';
import { RTP_HEADER_BYTES } from '../../../protocol/rtp/rtp-packet.ts';
import { WhepServer, type WhepServerOptions } from '../../../session/whep/whep-server.ts';
import { sourceOf } from '../../loopback-session.ts';
import { optional } from '../../optional.ts';
import { PATIENCE } from '../../patience.ts';
import { BROWSER_OFFER } from '../../protocol/whep/offers.ts';
import { sampleUnits } from '../../sample-units.ts';
import { encoderThat } from './encoder-that.ts';
import { nativePlayer } from './native-player.ts';
import { serveWhep } from './serve-whep.ts';

const withLibrary = optional('node-datachannel', WhepServer.isAvailable);
// The players of this file use the library as well. It is cleaned up with its last server, and must outlive them.
if (WhepServer.isAvailable) await Peers.open({ host: '127.0.0.1', port: 0 });
const UNITS = sampleUnits().slice(0, 20);

const serve = (own: Partial<WhepServerOptions> = {}) => serveWhep(own.source ?? sourceOf(UNITS), own);

withLibrary('silent connections make way for others', async () => {
  const { url } = await serve({ receiversMax: 4 });
  const { port, hostname } = new URL(url);
  // More than the server accepts in all.
  const silent = Array.from({ length: 150 }, () =>
    connect(Number(port), hostname)
      .on('error', () => {})
      .resume(),
  );
  onTestFinished(() => {
    for (const socket of silent) socket.destroy();
  });
  await vi.waitFor(() => expect(silent.filter(({ destroyed }) => !destroyed).length).toBeLessThan(65), PATIENCE);
  expect(silent.some(({ destroyed }) => !destroyed)).toBe(true);
  expect((await fetch(url, { method: 'OPTIONS' })).status).toBe(204);
});

const slicesOf = (parts: readonly Uint8Array[]): string =>
  parts
    .filter((part) => [1, 5].includes(part[0]! & 0x1f))
    .map((part) => Buffer.from(part).toString('hex'))
    .join(' ');

/** Returns the pictures in these packets, as text; parameter sets and delimiters are left out. */
function picturesIn(packets: readonly Uint8Array[]): string[] {
  const pictures: string[] = [];
  let payloads: { bytes: Uint8Array; payloadAt: number; payloadEnd: number }[] = [];
  for (const bytes of packets.filter((packet) => !isRtcp(packet))) {
    payloads.push({ bytes, payloadAt: RTP_HEADER_BYTES, payloadEnd: bytes.length });
    if ((bytes[1]! & 0x80) === 0) continue;
    const read = H264.depacketize(payloads);
    pictures.push(read.ok ? slicesOf(read.value.parts) : read.malformed);
    payloads = [];
  }
  return pictures;
}

const kindsOf = (packets: readonly Uint8Array[]) =>
  packets.filter(isRtcp).flatMap((packet) => {
    const read = parseRtcp(packet);
    return read.ok ? read.value.map(({ kind }) => kind) : [read.malformed];
  });

withLibrary('gives a player every picture as sent, reports, and BYE at the end', async () => {
  const { server, url, idle } = await serve();
  const { status, packets } = await nativePlayer(url);
  expect(status).toBe(201);
  await vi.waitFor(() => expect(kindsOf(packets)).toContain('goodbye'), PATIENCE);
  expect(picturesIn(packets)).toEqual(UNITS.map(({ parts }) => slicesOf(parts)));
  expect(kindsOf(packets)).toContain('sender-report');
  await vi.waitFor(() => expect(idle).toEqual([undefined]), PATIENCE);
  expect(server.totals).toMatchObject({ players: 1, frames: UNITS.length });
});

withLibrary('ends a session by DELETE, and one whose player has closed its connection', async () => {
  const { server, url } = await serve();
  const [first, second] = [await nativePlayer(url), await nativePlayer(url)];
  await vi.waitFor(() => expect(server.sessions.filter(({ isPlaying }) => isPlaying)).toHaveLength(2), PATIENCE);
  expect((await fetch(first.session, { method: 'DELETE' })).status).toBe(200);
  expect(server.sessions).toHaveLength(1);
  second.connection.close();
  await vi.waitFor(() => expect(server.sessions).toHaveLength(0), PATIENCE);
});

withLibrary('makes room among the sessions that have not connected, which are not counted as players', async () => {
  const { server, url } = await serve();
  const post = () =>
    fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: BROWSER_OFFER });
  const sessions: string[] = [];
  for (let attempt = 0; attempt < 12; attempt++) {
    const { status, headers } = await post();
    expect(status).toBe(201);
    sessions.push(new URL(headers.get('location')!, url).href);
  }
  expect(server.sessions).toHaveLength(0);
  const { packets } = await nativePlayer(url);
  await vi.waitFor(() => expect(packets.length).toBeGreaterThan(0), PATIENCE);
  // Three have kept the places beside that of the player: requests without a type find them.
  const asked = await Promise.all(sessions.map((session) => fetch(session, { method: 'PATCH' })));
  expect(asked.map(({ status }) => status)).toEqual([...Array(9).fill(404), 415, 415, 415]);
  expect(server.sessions).toHaveLength(1);
  expect(server.totals.players).toBe(1);
});

withLibrary(
  'answers offers that come together with 201, or with 503 at once, and the next one when its turn has come',
  async () => {
    const { url } = await serve({ receiversMax: 100, offerWaitMsMax: 0 });
    const post = async () => {
      const headers = { 'Content-Type': 'application/sdp' };
      const response = await fetch(url, { method: 'POST', headers, body: BROWSER_OFFER });
      await response.text();
      return [response.status, response.headers.has('retry-after')];
    };
    const answers = await Promise.all(Array.from({ length: 40 }, post));
    expect(answers).toContainEqual([201, false]);
    expect(answers).toContainEqual([503, true]);
    expect(answers.filter(([status, isTold]) => !(status === 201 ? !isTold : status === 503 && isTold))).toEqual([]);
    await vi.waitFor(async () => expect(await post()).toEqual([201, false]), PATIENCE);
  },
);

withLibrary('ends sessions whose pictures cannot be encoded, and tells the next player why', async () => {
  const made = sourceOf(UNITS);
  const source = { ...made, description: { ...made.description, codecName: 'h265' } } as const;
  const { url } = await serve({ source, ffmpeg: encoderThat('exit 1').path });
  const first = await nativePlayer(url);
  expect(first.status).toBe(201);
  await vi.waitFor(async () => expect((await fetch(first.session, { method: 'PATCH' })).status).toBe(404), PATIENCE);
  const second = await nativePlayer(url);
  expect([second.status, second.answer]).toEqual([503, expect.stringContaining('the stream cannot be encoded: ')]);
});

withLibrary('answers 406 to an offer without the codec of the stream', async () => {
  const { server, url } = await serve();
  const body = BROWSER_OFFER.replaceAll('H264/90000', 'H266/90000');
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body });
  expect(response.status).toBe(406);
  expect(await response.text()).toContain('H264');
  expect(server.sessions).toHaveLength(0);
});

withLibrary(
  'answers 500 when its library fails, says why in one line of the log, and keeps nothing of the session',
  async () => {
    const lines: string[] = [];
    const log = new Log({ level: 'info', write: (line) => lines.push(line) });
    const { server, url } = await serve({ log, receiversMax: 1 });
    const post = async () => {
      const headers = { 'Content-Type': 'application/sdp' };
      const response = await fetch(url, { method: 'POST', headers, body: BROWSER_OFFER });
      return [response.status, await response.text()];
    };
    const broken = vi.spyOn(Peers.prototype, 'connect').mockImplementation(() => {
      throw new Error('no more threads');
    });
    onTestFinished(() => broken.mockRestore());
    expect(await post()).toEqual([500, 'internal error of the sender\n']);
    expect(await post()).toEqual([500, 'internal error of the sender\n']);
    expect(lines).toEqual(['dropframe: warning: WHEP: an offer was not answered: no more threads\n']);
    broken.mockRestore();
    // Fails after the connection was made, which would keep its memory and its threads.
    let closed = 0;
    const half = vi.spyOn(Peers.prototype, 'connect').mockImplementation(() => ({ close: () => closed++ }) as never);
    onTestFinished(() => half.mockRestore());
    expect((await post())[0]).toBe(500);
    expect(closed).toBe(1);
    half.mockRestore();
    expect((await post())[0]).toBe(201);
    expect(server.sessions).toHaveLength(0);
  },
);

withLibrary('says in one line that its port is taken', async () => {
  const { server } = await serve();
  await expect(serve({ port: server.port })).rejects.toThrow(
    /cannot listen on TCP 127\.0\.0\.1:\d+: the port is in use/,
  );
});
