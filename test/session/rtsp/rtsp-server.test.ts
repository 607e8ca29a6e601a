import { createSocket } from 'node:dgram';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Log } from '../../../io/os/log.ts';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { SECOND, ticks } from '../../../protocol/base/units.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import { parseRtcp, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { isRtcp } from '../../../protocol/rtp/multiplex.ts';
import { RTP_HEADER_BYTES } from '../../../protocol/rtp/rtp-packet.ts';
import { headerOf } from '../../../protocol/rtsp/rtsp-message.ts';
import { MediaPorts } from '../../../session/rtsp/media-ports.ts';
import { RtspServer, type RtspServerOptions } from '../../../session/rtsp/rtsp-server.ts';
import { sourceOf } from '../../loopback-session.ts';
import { PATIENCE } from '../../patience.ts';
import { sampleUnits } from '../../sample-units.ts';
import { listening, liveOf } from '../serve-live.ts';
import { type Player, player, setUp } from './player.ts';

const UNITS = sampleUnits().slice(0, 20);

async function serve({ source, loop, ...options }: Partial<RtspServerOptions> & { loop?: boolean } = {}) {
  const film: MediaSource = source ?? sourceOf(UNITS);
  const idle: unknown[] = [];
  const live = liveOf(film, { loop, idle });
  const server = new RtspServer({
    live,
    source: { ...film, description: { ...film.description, name: 'film.mp4' } },
    host: '127.0.0.1',
    port: 0,
    datagramBytesMax: 1_200,
    receiversMax: 4,
    log: new Log({ level: 'error' }),
    ...options,
  });
  await listening(server, live);
  return { server, live, idle };
}

/** Returns the pictures in these RTP packets, as text; parameter sets and delimiters are left out. */
function picturesIn(packets: readonly Uint8Array[]): string[] {
  const pictures: string[] = [];
  let payloads: { bytes: Uint8Array; payloadAt: number; payloadEnd: number }[] = [];
  for (const bytes of packets) {
    payloads.push({ bytes, payloadAt: RTP_HEADER_BYTES, payloadEnd: bytes.length });
    if ((bytes[1]! & 0x80) === 0) continue;
    const read = H264.depacketize(payloads);
    pictures.push(read.ok ? slicesOf(read.value.parts) : read.malformed);
    payloads = [];
  }
  return pictures;
}

const slicesOf = (parts: readonly Uint8Array[]): string =>
  parts
    .filter((part) => [1, 5].includes(part[0]! & 0x1f))
    .map((part) => Buffer.from(part).toString('hex'))
    .join(' ');
const expected = (units: readonly AccessUnit[]) => units.map(({ parts }) => slicesOf(parts));

const mediaOf = (own: Player) => own.packets.filter(({ channel }) => channel === 0).map(({ payload }) => payload);
/** Canonical names in the reports of a track. */
const namesOf = (own: Player) =>
  own.packets
    .filter(({ channel }) => channel === 1)
    .flatMap(({ payload }) => {
      const read = parseRtcp(payload);
      return read.ok ? read.value.flatMap((each) => (each.kind === 'source-description' ? each.chunks : [])) : [];
    })
    .map(({ cname }) => cname);

const kindsOf = (own: Player) =>
  own.packets
    .filter(({ channel }) => channel === 1)
    .flatMap(({ payload }) => {
      const read = parseRtcp(payload);
      return read.ok ? read.value.map(({ kind }) => kind) : [read.malformed];
    });

test('a player over TCP gets every picture as sent, a report, and BYE at the end', async () => {
  const { server, idle } = await serve();
  const own = await player(server.port);
  const options = await own.ask('OPTIONS');
  expect(headerOf(options, 'public')).toContain('DESCRIBE');
  const description = await own.ask('DESCRIBE', undefined, [['Accept', 'application/sdp']]);
  expect(Buffer.from(description.body).toString()).toContain('a=control:rtsp://127.0.0.1:');
  expect(headerOf(description, 'content-base')).toBe(`${own.url}/`);
  const { response, id } = await setUp(own);
  expect(headerOf(response, 'transport')).toMatch(/^RTP\/AVP\/TCP;unicast;interleaved=0-1;ssrc=[0-9A-F]{8}$/);
  const playing = await own.ask('PLAY', undefined, [
    ['Session', id],
    ['Range', 'npt=0.000-'],
  ]);
  expect(playing.status).toBe(200);
  await vi.waitFor(() => expect(kindsOf(own)).toContain('goodbye'), PATIENCE);
  expect(picturesIn(mediaOf(own))).toEqual(expected(UNITS));
  expect(kindsOf(own)).toContain('sender-report');
  const first = mediaOf(own)[0]!;
  const information = headerOf(playing, 'rtp-info');
  expect(information).toContain(`seq=${(first[2]! << 8) | first[3]!};`);
  expect(information).toContain(`url=${own.url}/trackID=0`);
  expect((await own.ask('TEARDOWN', undefined, [['Session', id]])).status).toBe(200);
  await vi.waitFor(() => expect(idle).toEqual([undefined]), PATIENCE);
  expect(server.totals).toMatchObject({ players: 1, frames: UNITS.length });
});

test('a player over UDP gets them from the ports that it was told, and its reports are taken', async () => {
  const { server } = await serve();
  const sockets = [createSocket('udp4'), createSocket('udp4')];
  onTestFinished(() => {
    for (const socket of sockets) socket.close();
  });
  const ports = await Promise.all(
    sockets.map(
      (socket) => new Promise<number>((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port))),
    ),
  );
  const media: { readonly bytes: Uint8Array; readonly port: number }[] = [];
  const reports: number[] = [];
  sockets[0]!.on('message', (bytes, { port }) => media.push({ bytes: Uint8Array.from(bytes), port }));
  sockets[1]!.on('message', (bytes, { port }) => {
    expect(isRtcp(bytes)).toBe(true);
    reports.push(port);
  });
  const own = await player(server.port);
  const { response, id } = await setUp(own, `RTP/AVP;unicast;client_port=${ports.join('-')}`);
  const serverPorts = /server_port=(\d+)-(\d+)/.exec(headerOf(response, 'transport')!)!.slice(1).map(Number);
  await own.ask('PLAY', undefined, [['Session', id]]);
  await vi.waitFor(() => expect(reports.length).toBeGreaterThan(1), PATIENCE);
  await vi.waitFor(() => expect(media.length).toBeGreaterThan(0), PATIENCE);
  expect(new Set(media.map(({ port }) => port))).toEqual(new Set([serverPorts[0]]));
  expect(new Set(reports)).toEqual(new Set([serverPorts[1]]));
  const [session] = server.sessions;
  const before = session!.heardAt;
  sockets[1]!.send(serializeRtcp([{ kind: 'receiver-report', ssrc: 1, reports: [] }]), serverPorts[1]!, '127.0.0.1');
  await vi.waitFor(() => expect(session!.heardAt).toBeGreaterThan(before), PATIENCE);
  await vi.waitFor(() => expect(picturesIn(media.map(({ bytes }) => bytes))).toEqual(expected(UNITS)), PATIENCE);
});

test('a closed port of a player is told from an open one', async () => {
  const ports = await MediaPorts.open('127.0.0.1');
  onTestFinished(() => ports.close());
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  expect(await ports.isClosed('127.0.0.1', port)).toBe(false);
  await new Promise<void>((resolve) => void socket.close(resolve));
  expect(await ports.isClosed('127.0.0.1', port)).toBe(true);
});

test('a player that joins later begins with the last key frame at once, and is as live as the others', async () => {
  // One key frame, then a long time without.
  const { server, live } = await serve({ source: sourceOf(sampleUnits().slice(0, 29)), loop: true });
  const [early, late] = [await player(server.port), await player(server.port)];
  const first = await setUp(early);
  await early.ask('PLAY', undefined, [['Session', first.id]]);
  await vi.waitFor(() => expect(picturesIn(mediaOf(early)).length).toBeGreaterThan(8), PATIENCE);
  const second = await setUp(late);
  await late.ask('PLAY', undefined, [['Session', second.id]]);
  await vi.waitFor(() => expect(picturesIn(mediaOf(late)).length).toBeGreaterThan(8), PATIENCE);
  expect(picturesIn(mediaOf(late))[0]).toBe(expected(UNITS)[0]);
  const times = mediaOf(late).map((packet) => Buffer.from(packet).readUInt32BE(4));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(live.isLive).toBe(true);
});

test('the first player gets the pictures that players examine before their time, and each once', async () => {
  // A picture each second.
  const slow = UNITS.map((unit) => {
    const [timestamp, decodeTimestamp] = [ticks(unit.timestamp * 30), ticks(unit.decodeTimestamp * 30)];
    return { ...unit, timestamp, decodeTimestamp };
  });
  const { server, live } = await serve({ source: sourceOf(slow) });
  const own = await player(server.port);
  const { id } = await setUp(own);
  await own.ask('PLAY', undefined, [['Session', id]]);
  await vi.waitFor(() => expect(picturesIn(mediaOf(own))).toHaveLength(UNITS.length), PATIENCE);
  expect(live.position! / SECOND).toBeLessThan(UNITS.length / 2);
  const times = mediaOf(own).map((packet) => Buffer.from(packet).readUInt32BE(4));
  const ends = mediaOf(own).flatMap((packet, index) => ((packet[1]! & 0x80) === 0 ? [] : [times[index]!]));
  expect(ends.map((time) => (time - ends[0]!) >>> 0)).toEqual(
    slow.map(({ timestamp }) => (timestamp - slow[0]!.timestamp) >>> 0),
  );
  const before = live.position!;
  await vi.waitFor(() => expect(live.position).toBeGreaterThan(before), PATIENCE);
  expect(picturesIn(mediaOf(own))).toEqual(expected(UNITS));
});

test('a stream that starts between key frames begins at its place, with the pictures before it at once', async () => {
  const hidden = 8;
  // The pictures before the place take long; those after it follow each other as usual.
  const started = UNITS.map((unit, index) => {
    const lead = (hidden - index) * (index < hidden ? 9_000 : 3_000);
    const own = { ...unit, timestamp: ticks(-lead), decodeTimestamp: ticks(-lead) };
    return index < hidden ? { ...own, decodeOnly: true as const } : own;
  });
  const { server } = await serve({ source: sourceOf(started) });
  const own = await player(server.port);
  const { id } = await setUp(own);
  await own.ask('PLAY', undefined, [['Session', id]]);
  await vi.waitFor(() => expect(picturesIn(mediaOf(own))).toEqual(expected(UNITS)), PATIENCE);
  const times = [...new Set(mediaOf(own).map((packet) => Buffer.from(packet).readUInt32BE(4)))];
  // Those before the place last a sixteenth of their time.
  expect((times[hidden]! - times[0]!) >>> 0).toBeLessThanOrEqual((hidden * 9_000) / 16 + 1);
  expect((times.at(-1)! - times[hidden]!) >>> 0).toBe((UNITS.length - 1 - hidden) * 3_000);
});

test('all who join before the first picture is known begin at the place', async () => {
  const hidden = 8;
  const started = UNITS.map((unit, index) => {
    const at = ticks((index - hidden) * (index < hidden ? 9_000 : 3_000));
    const own = { ...unit, timestamp: at, decodeTimestamp: at };
    return index < hidden ? { ...own, decodeOnly: true as const } : own;
  });
  const source = sourceOf(started);
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  async function* units() {
    await opened;
    yield* source.units();
  }
  const { server } = await serve({ source: { ...source, units } });
  const both = [await player(server.port), await player(server.port)];
  for (const own of both) await own.ask('PLAY', undefined, [['Session', (await setUp(own)).id]]);
  open();
  for (const own of both) {
    await vi.waitFor(() => expect(picturesIn(mediaOf(own))).toEqual(expected(UNITS)), PATIENCE);
    const times = [...new Set(mediaOf(own).map((packet) => Buffer.from(packet).readUInt32BE(4)))];
    expect((times[hidden]! - times[0]!) >>> 0).toBeLessThanOrEqual((hidden * 9_000) / 16 + 1);
  }
});

test('a group before the place that is too long to be held passes up to the place', async () => {
  const hidden = 640;
  const started = Array.from({ length: hidden + 5 }, (_, index) => {
    const at = ticks((index - hidden) * 90);
    const unit = { ...UNITS[index === 0 ? 0 : 1]!, timestamp: at, decodeTimestamp: at };
    return index < hidden ? { ...unit, decodeOnly: true as const } : unit;
  });
  const { server } = await serve({ source: sourceOf(started) });
  const own = await player(server.port);
  await own.ask('PLAY', undefined, [['Session', (await setUp(own)).id]]);
  await vi.waitFor(() => expect(picturesIn(mediaOf(own))).toEqual(expected(started)), PATIENCE);
});

test('after a pause the pictures begin with a key frame', async () => {
  const { server } = await serve({ source: sourceOf(sampleUnits().slice(0, 29)), loop: true });
  const own = await player(server.port);
  const { id } = await setUp(own);
  await own.ask('PLAY', undefined, [['Session', id]]);
  await vi.waitFor(() => expect(mediaOf(own).length).toBeGreaterThan(3), PATIENCE);
  await own.ask('PAUSE', undefined, [['Session', id]]);
  const count = mediaOf(own).length;
  expect((await own.ask('GET_PARAMETER', undefined, [['Session', id]])).status).toBe(200);
  expect(mediaOf(own)).toHaveLength(count);
  await own.ask('PLAY', undefined, [['Session', id]]);
  await vi.waitFor(() => expect(picturesIn(mediaOf(own).slice(count)).length).toBeGreaterThan(0), PATIENCE);
  expect(picturesIn(mediaOf(own).slice(count))[0]).toBe(expected(UNITS)[0]);
});

test('players cannot tell by a name that they watch the same sender', async () => {
  const { server } = await serve({ loop: true });
  const both = [await player(server.port), await player(server.port)];
  for (const own of both) await own.ask('PLAY', undefined, [['Session', (await setUp(own)).id]]);
  await vi.waitFor(() => expect(both.every((own) => namesOf(own).length > 0)).toBe(true), PATIENCE);
  const [first, second] = both.map((own) => [...new Set(namesOf(own))]);
  expect(first).toEqual([expect.stringMatching(/^[\w-]{16}$/)]);
  expect(second).toHaveLength(1);
  expect(second).not.toEqual(first);
});

test('a player that vanishes with its connection leaves nothing behind', async () => {
  const { server, idle } = await serve({ loop: true });
  const own = await player(server.port);
  const { id } = await setUp(own);
  await own.ask('PLAY', undefined, [['Session', id]]);
  own.socket.destroy();
  await vi.waitFor(() => expect(server.sessions).toEqual([]), PATIENCE);
  expect(idle).toEqual([undefined]);
});

test('a player that does not read loses pictures, and the others none', async () => {
  const { server } = await serve({ loop: true });
  const [slow, other] = [await player(server.port), await player(server.port)];
  const { id } = await setUp(slow);
  slow.socket.pause();
  slow.write(`PLAY ${slow.url} RTSP/1.0\r\nCSeq: 9\r\nSession: ${id}\r\n\r\n`);
  const own = await setUp(other);
  await other.ask('PLAY', undefined, [['Session', own.id]]);
  await vi.waitFor(() => expect(picturesIn(mediaOf(other)).length).toBeGreaterThan(25), PATIENCE);
  expect(picturesIn(mediaOf(other))).not.toContain('h264-fragments');
});

test('pipelined requests are answered in order', async () => {
  const { server } = await serve();
  const own = await player(server.port);
  own.write(Array.from({ length: 20 }, (_, index) => `OPTIONS * RTSP/1.0\r\nCSeq: ${index}\r\n\r\n`).join(''));
  await own.answer(20);
  expect(own.responses.map((response) => headerOf(response, 'cseq'))).toEqual(
    Array.from({ length: 20 }, (_, i) => `${i}`),
  );
});

test('endless requests end the connection, and no other', async () => {
  const { server } = await serve();
  const [own, other] = [await player(server.port), await player(server.port)];
  own.write('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n'.repeat(1_000));
  await vi.waitFor(() => expect(own.closed).toBe(true), PATIENCE);
  expect(own.responses.at(-1)?.status).toBe(503);
  expect((await other.ask('OPTIONS')).status).toBe(200);
});

test.each([
  ['nonsense', 'hello?\r\n\r\n', 400],
  ['another version', 'OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n', 505],
  ['an endless line', 'x'.repeat(3_000), 414],
])('%s is answered with %3$i, and the connection closes', async (_, text, status) => {
  const { server } = await serve();
  const own = await player(server.port);
  own.write(text);
  expect((await own.answer(1)).status).toBe(status);
  await vi.waitFor(() => expect(own.closed).toBe(true), PATIENCE);
});

test('a flood of SETUP gets no more places than there are, and players that play keep theirs', async () => {
  const { server } = await serve({ loop: true, receiversMax: 3 });
  const own = await player(server.port);
  const { id } = await setUp(own);
  await own.ask('PLAY', undefined, [['Session', id]]);
  const flood = await player(server.port);
  for (let index = 0; index < 30; index++) {
    expect((await setUp(flood, `RTP/AVP/TCP;unicast;interleaved=${2 * index}-${2 * index + 1}`)).response.status).toBe(
      200,
    );
    expect(server.sessions.length).toBeLessThanOrEqual(3);
  }
  expect(server.sessions.some((session) => session.id === id && session.isPlaying)).toBe(true);
});

test('a storm of SETUP over many connections is answered with 503 beyond 20 sessions a second', async () => {
  const { server } = await serve({ loop: true, receiversMax: 3 });
  const startedAt = performance.now();
  const statuses: number[] = [];
  for (let connection = 0; connection < 4; connection++) {
    const storm = await player(server.port);
    for (let pair = 0; pair < 50; pair++) {
      const { response } = await setUp(storm, `RTP/AVP/TCP;unicast;interleaved=${2 * pair}-${2 * pair + 1}`);
      statuses.push(response.status);
      if (response.status === 503) expect(headerOf(response, 'retry-after')).toBe('1');
    }
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const made = statuses.filter((status) => status === 200).length;
  // A burst of 64 connections that may be pending and 3 places.
  expect(made).toBeGreaterThanOrEqual(67);
  expect(made).toBeLessThanOrEqual(67 + 20 * seconds);
});

test('the server full of playing players refuses another', async () => {
  const { server } = await serve({ loop: true, receiversMax: 1 });
  const [own, other] = [await player(server.port), await player(server.port)];
  const { id } = await setUp(own);
  await own.ask('PLAY', undefined, [['Session', id]]);
  expect((await setUp(other)).response.status).toBe(453);
});

test('says goodbye when it is stopped', async () => {
  const { server } = await serve({ loop: true });
  const own = await player(server.port);
  const { id } = await setUp(own);
  await own.ask('PLAY', undefined, [['Session', id]]);
  await vi.waitFor(() => expect(mediaOf(own).length).toBeGreaterThan(0), PATIENCE);
  await server.close();
  await vi.waitFor(() => expect(own.closed).toBe(true), PATIENCE);
  expect(kindsOf(own)).toContain('goodbye');
});
