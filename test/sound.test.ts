import { describe, expect, test } from 'vitest';
import { makeIdentity } from '../io/crypto/identity.ts';
import { lineLog } from '../io/os/log.ts';
import type { SoundSource } from '../io/sources/media-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { seconds } from '../protocol/base/units.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import { Broadcast } from '../session/stream/broadcast.ts';
import { parseLink } from '../sim/link/link-parse.ts';
import { until } from './io/net/control-peers.ts';
import { madeUpUnits, receive, serve, sourceOf } from './loopback-session.ts';
import { soundSource, soundUnits } from './sound-units.ts';

const FRAMES = 60;
const SOUNDS = 55;
/** Sound begins before the pictures, as AAC does in MP4. */
const LEAD = -1_920;

const film = (codec: 'opus' | 'aac', sounds = soundUnits(codec, SOUNDS, LEAD)) => ({
  source: { ...sourceOf(madeUpUnits(FRAMES)), sound: soundSource(codec, sounds) },
  sounds,
});

const plain = (units: readonly AccessUnit[]) =>
  units.map(({ parts, timestamp }) => ({ timestamp, bytes: Buffer.concat(parts).toString('hex') }));

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  test.each(['opus', 'aac'] as const)('%s arrives as it was sent, beside the pictures', async (codec) => {
    const { source, sounds } = film(codec);
    const said: AccessUnit[] = [];
    const { server, sent } = await serve([], { source, onSound: (unit) => said.push(unit) });
    const heard: AccessUnit[] = [];
    const { client, received, run } = receive(server.port, { transport, onSound: (unit) => heard.push(unit) });
    await expect(run).resolves.toBe('end-of-stream');
    // A time between two ticks of the stream's clock moves to the nearer one.
    for (const [index, { timestamp }] of heard.entries()) {
      expect(Math.abs(timestamp - said[index]!.timestamp)).toBeLessThanOrEqual(1);
    }
    expect(heard.map(({ parts }) => parts)).toEqual(said.map(({ parts }) => parts));
    expect(said.map(({ parts }) => parts)).toEqual(sounds.map(({ parts }) => parts));
    expect(plain(received)).toEqual(plain(sent));
    expect(client.sound?.concealedMs).toBe(0);
    expect(client.sound?.sessions.map(({ frames }) => frames.decided)).toEqual([SOUNDS]);
  });
});

test('is encrypted with the pictures', async () => {
  const identity = makeIdentity();
  const { source, sounds } = film('opus');
  const { server } = await serve([], { source, identity });
  const heard: AccessUnit[] = [];
  const seen: string[] = [];
  const { run } = receive(server.port, {
    fingerprint: identity.fingerprint,
    onSound: (unit) => heard.push(unit),
    onDatagram: (_, datagram) => seen.push(Buffer.from(datagram).toString('hex')),
  });
  await expect(run).resolves.toBe('end-of-stream');
  expect(heard.map(({ parts }) => parts)).toEqual(sounds.map(({ parts }) => parts));
  const clear = Buffer.from(sounds[20]!.parts[0]!.subarray(1, 60)).toString('hex');
  expect(seen.some((datagram) => datagram.includes(clear))).toBe(false);
});

test('is not sent to a receiver that does not want it', async () => {
  const { source } = film('opus');
  const { server } = await serve([], { source });
  const { client, received, run } = receive(server.port, { sound: false });
  await expect(run).resolves.toBe('end-of-stream');
  expect(received).toHaveLength(FRAMES);
  expect(client.sound).toBeUndefined();
});

test('what is lost of it is counted, and in no other class', async () => {
  const link = parseLink('loss=12% seed=3');
  const { source, sounds } = film('opus');
  const { server } = await serve([], { source });
  const heard: AccessUnit[] = [];
  const { client, run } = receive(server.port, {
    link,
    recovery: 'reorder',
    onSound: (unit) => heard.push(unit),
  });
  await expect(run).resolves.toBe('end-of-stream');
  const { sessions, concealedMs } = client.sound!;
  const { frames } = sessions[0]!;
  expect(frames.decided).toBe(SOUNDS);
  const lost = frames.neverArrived + frames.incomplete + frames.undecodable;
  expect(lost).toBeGreaterThan(0);
  expect(heard).toHaveLength(SOUNDS - lost);
  // Each unit is 20 ms. What was late could not be heard either.
  expect(concealedMs).toBeCloseTo((lost + frames.late + frames.mended) * 20, 3);
  const kept = new Set(plain(heard).map(({ bytes }) => bytes));
  const bytesOf = (units: readonly AccessUnit[]) => plain(units).map(({ bytes }) => bytes);
  expect(bytesOf(sounds).filter((bytes) => kept.has(bytes))).toEqual(bytesOf(heard));
});

test('repeats with the pictures in a loop, its times ascending', async () => {
  const { source, sounds } = film('opus', soundUnits('opus', 12, LEAD));
  const heard: AccessUnit[] = [];
  const shown: AccessUnit[] = [];
  const broadcast = new Broadcast({
    units: () => sourceOf(madeUpUnits(10)).units(),
    sound: () => source.sound.units(),
    loop: true,
    onUnit: (unit) => shown.push(unit),
    onSound: (unit) => heard.push(unit),
    onEnd: () => {},
    onStall: () => {},
    lateMax: seconds(100),
  });
  broadcast.start();
  await until('three rounds have been heard', () => heard.length > 3 * 11);
  broadcast.stop();
  const times = heard.map(({ timestamp }) => timestamp);
  expect(times).toEqual([...times].sort((one, other) => one - other));
  expect(new Set(times).size).toBe(times.length);
  expect(heard.slice(0, 5).map(({ timestamp }) => timestamp)).toEqual(sounds.slice(0, 5).map((unit) => unit.timestamp));
  // The second round begins 10 frames after the first, with its own first unit.
  const second = times.indexOf((LEAD + 18_000) as never);
  expect(heard[second]!.parts).toEqual(sounds[0]!.parts);
});

test('the stream goes on when the sound ends early, and ends with the longer of both', async () => {
  const short = film('opus', soundUnits('opus', 5));
  const { server } = await serve([], { source: short.source });
  const heard: AccessUnit[] = [];
  const { received, run } = receive(server.port, { onSound: (unit) => heard.push(unit) });
  await expect(run).resolves.toBe('end-of-stream');
  expect([received.length, heard.length]).toEqual([FRAMES, 5]);
});

test('the stream goes on when the source of the sound fails, and says so', async () => {
  const sounds = soundUnits('opus', SOUNDS);
  const sound: SoundSource = {
    ...soundSource('opus', []),
    async *units() {
      yield* sounds.slice(0, 7);
      throw new Error('the disk is gone');
    },
  };
  const lines: string[] = [];
  const source = { ...sourceOf(madeUpUnits(FRAMES)), sound };
  const { server } = await serve([], { source, log: lineLog((line) => lines.push(line)) });
  const heard: AccessUnit[] = [];
  const { received, run } = receive(server.port, { onSound: (unit) => heard.push(unit) });
  await expect(run).resolves.toBe('end-of-stream');
  expect([received.length, heard.length]).toEqual([FRAMES, 7]);
  expect(lines.join('\n')).toContain('the sound ends early: the disk is gone');
});

test.each([
  ['opus', 3_000],
  ['aac', 9_000],
] as const)('a packet of %s of %i bytes, which cannot be sent, is left out and said', async (codec, bytes) => {
  const sounds = soundUnits(codec, SOUNDS);
  const part = codecByName(codec).syntheticPart({ key: true, bytes, filling: 1 });
  const { source } = film(
    codec,
    sounds.map((unit, index) => (index === 20 ? { ...unit, parts: [part] } : unit)),
  );
  const lines: string[] = [];
  const { server } = await serve([], { source, log: lineLog((line) => lines.push(line)) });
  const heard: AccessUnit[] = [];
  const { received, run } = receive(server.port, { onSound: (unit) => heard.push(unit) });
  await expect(run).resolves.toBe('end-of-stream');
  expect([received.length, heard.length]).toEqual([FRAMES, SOUNDS - 1]);
  expect(heard.map(({ parts }) => parts)).toEqual(sounds.filter((_, index) => index !== 20).map(({ parts }) => parts));
  const said = lines.filter((line) => line.includes(`does not get packets of the sound, of ${bytes} bytes`));
  expect(said).toHaveLength(1);
});
