import { createSocket, type Socket } from 'node:dgram';
import { expect, onTestFinished, test } from 'vitest';
import type { AdaptiveControl } from '../../io/sources/adaptive-control.ts';
import type { MediaSource, SoundSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { milliseconds, ticks } from '../../protocol/base/units.ts';
import { parseRtcp, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { parseSessionDescription } from '../../protocol/sdp.ts';
import { RtpSender, type RtpSenderOptions } from '../../session/rtp/rtp-sender.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { freePortPair } from '../interop/programs.ts';
import { nalText } from '../io/sources/media.ts';
import { PATIENCE } from '../patience.ts';
import { sampleUnits } from '../sample-units.ts';
import { receiveRtp } from './rtp-reception.ts';

const UNITS = sampleUnits().slice(0, 33);
const PARAMETER_SETS = UNITS[0]!.parts.filter((nalUnit) => [7, 8].includes(nalUnit[0]! & 0x1f));

const hexOf = (parts: readonly Uint8Array[]) => parts.map((nalUnit) => Buffer.from(nalUnit).toString('hex'));

/** A media source like that of an opened file. */
const source = (units: readonly AccessUnit[] = UNITS): MediaSource => ({
  description: {
    name: 'counter.h264',
    codecName: 'h264',
    codec: 'avc1.64001e',
    width: 640,
    height: 360,
    framesPerSecond: 30,
    durationSeconds: undefined,
    mode: 'copy',
    parameterSets: PARAMETER_SETS,
  },
  async *units() {
    yield* units;
  },
  close: async () => {},
});

function sender(port: number, options: Partial<RtpSenderOptions> = {}): RtpSender {
  const defaults = { source: source(), host: '127.0.0.1', port, loop: false, datagramBytesMax: 1_200 };
  const sender = new RtpSender({ ...defaults, onStall: () => {}, ...options });
  onTestFinished(() => sender.stop());
  return sender;
}

test('receives plain RTP as sent, and ends the run at BYE', async () => {
  const port = await freePortPair();
  const receiving = receiveRtp(port);
  await receiving.ready;
  const sending = sender(port);
  await sending.open();
  await sending.run();
  expect(await receiving.ended).toBe('end-of-stream');
  expect(nalText(receiving.units)).toEqual(nalText(UNITS));
  const described = ({ timestamp: at, decodeTimestamp, importance }: AccessUnit) => [at - decodeTimestamp, importance];
  expect(receiving.units.map(described)).toEqual(UNITS.map(described));
  // A stalling machine delays later frames, and never advances them.
  const shifts = receiving.units.map((unit, index) => unit.timestamp - UNITS[index]!.timestamp);
  expect(shifts).toEqual(shifts.toSorted((a, b) => a - b));
  expect(shifts[0]).toBe(0);
  expect(receiving.streams).toMatchObject([{ media: { width: 640, height: 360, mode: 'rtp' } }]);
  const [statistics] = receiving.client.sessions;
  expect(statistics).toMatchObject({ frames: { decided: 33, onTime: 33 }, foreign: 0, malformed: 0, requests: 0 });
  expect(statistics?.packets.decided).toBe(sending.statistics.packets);
});

test('adds missing parameter sets to key frames, so that a player can join without the description', async () => {
  const port = await freePortPair();
  const receiving = receiveRtp(port);
  await receiving.ready;
  const bare = UNITS.map((unit) => ({
    ...unit,
    parts: unit.parts.filter((n) => ![7, 8].includes(n[0]! & 0x1f)),
  }));
  const sending = sender(port, { source: source(bare) });
  await sending.open();
  await sending.run();
  expect(await receiving.ended).toBe('end-of-stream');
  expect(receiving.units.length).toBe(33);
  const keys = receiving.units.filter(({ importance }) => importance === 'key');
  expect(keys.length).toBe(2);
  for (const each of nalText(keys)) expect(each).toEqual(expect.arrayContaining(hexOf(PARAMETER_SETS)));
});

test('continues the timeline when another sender follows the first', async () => {
  const port = await freePortPair();
  const receiving = receiveRtp(port, { latencyMs: 1_000, timeoutMs: 5_000 });
  await receiving.ready;
  const sent: AccessUnit[][] = [];
  for (let round = 0; round < 2; round++) {
    const units: AccessUnit[] = [];
    sent.push(units);
    const sending = sender(port, { onUnit: (unit) => units.push(unit) });
    await sending.open();
    await sending.run();
  }
  expect(await receiving.ended).toBe('end-of-stream');
  expect(receiving.client.sessions.length).toBe(2);
  // A stalled sender delays later frames and reports it: the distances are those it sent.
  const [first, second] = sent.map((units) =>
    units.map(({ decodeTimestamp }) => decodeTimestamp - units[0]!.decodeTimestamp),
  ) as [number[], number[]];
  const joint = first.at(-1)! + 3_000;
  expect(receiving.units.map(({ decodeTimestamp }) => decodeTimestamp)).toEqual([
    ...first,
    ...second.map((ticks) => joint + ticks),
  ]);
  expect(receiving.units.length).toBe(2 * UNITS.length);
});

async function listenAt(port: number): Promise<{ socket: Socket; datagrams: Buffer[] }> {
  const datagrams: Buffer[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (datagram) => datagrams.push(datagram));
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return { socket, datagrams };
}

test('sends RTP to the port and RTCP to the next: reports, a name, and BYE at the end', async () => {
  const port = await freePortPair();
  const media = await listenAt(port);
  const control = await listenAt(port + 1);
  const sending = sender(port);
  await sending.open();
  const description = parseSessionDescription(sending.sessionDescription);
  expect(description).toMatchObject({
    ok: true,
    value: { host: '127.0.0.1', port, payloadType: 96, clockRate: 90_000 },
  });
  if (description.ok) expect(hexOf(description.value.parameterSets)).toEqual(hexOf(PARAMETER_SETS));
  await sending.run();
  await expect.poll(() => media.datagrams.length, PATIENCE).toBe(sending.statistics.packets);
  expect(media.datagrams.every((datagram) => classifyDatagram(datagram) === 'rtp')).toBe(true);
  expect(media.datagrams.every((datagram) => (datagram[0]! & 0x10) === 0)).toBe(true); // no frame mark
  const compounds = () =>
    control.datagrams.map((datagram) => {
      const packets = parseRtcp(datagram);
      return packets.ok ? packets.value.map(({ kind }) => kind) : [];
    });
  await expect.poll(() => compounds().at(-1), PATIENCE).toContain('goodbye');
  expect(compounds().length).toBeGreaterThanOrEqual(2);
  for (const compound of compounds()) expect(compound.slice(0, 2)).toEqual(['sender-report', 'source-description']);
});

test('answers requests from another port of the receiver, and ignores those from elsewhere', async () => {
  const port = await freePortPair();
  const media = await listenAt(port);
  const sending = sender(port, { localPort: await freePortPair(), loop: true });
  await sending.open();
  void sending.run();
  await expect.poll(() => media.datagrams.length, PATIENCE).toBeGreaterThan(20);
  const read = parseSessionDescription(sending.sessionDescription);
  const { retransmission } = read.ok ? read.value : {};
  expect(retransmission).toMatchObject({ payloadType: 97 });
  const first = media.datagrams[0]!;
  const mediaSsrc = first.readUInt32BE(8);
  const request = serializeRtcp([
    { kind: 'receiver-report', ssrc: 9, reports: [] },
    { kind: 'nack', senderSsrc: 9, mediaSsrc, sequenceNumbers: [wireSequence(first.readUInt16BE(2))] },
  ]);
  const stranger = createSocket('udp4').bind(0, '127.0.0.2');
  const receiver = createSocket('udp4').bind(0, '127.0.0.1');
  onTestFinished(() => [stranger, receiver].forEach((socket) => void socket.close()));
  const control = sending.localPort! + 1;
  const again = () => media.datagrams.filter((datagram) => datagram.readUInt32BE(8) === retransmission!.ssrc);
  await new Promise((resolve) => stranger.send(request, control, '127.0.0.1', resolve));
  const count = media.datagrams.length;
  await expect.poll(() => media.datagrams.length, PATIENCE).toBeGreaterThan(count + 20);
  expect(again()).toEqual([]);
  receiver.send(request, control, '127.0.0.1');
  await expect.poll(() => again().length, PATIENCE).toBe(1);
  expect(again()[0]![1]! & 0x7f).toBe(97);
  expect(again()[0]!.subarray(12)).toEqual(Buffer.concat([first.subarray(2, 4), first.subarray(12)]));
});

test('sends the sound beside the pictures, on ports of its own, and both end with BYE', async () => {
  const port = await freePortPair();
  const [pictures, control] = [await listenAt(port), await listenAt(port + 1)];
  const [sounds, soundControl] = [await listenAt(port + 2), await listenAt(port + 3)];
  const tones = Array.from({ length: 50 }, (_, index) => {
    const timestamp = ticks(index * 1_800);
    return { parts: [Uint8Array.of(0x78, index)], timestamp, decodeTimestamp: timestamp, importance: 'key' as const };
  });
  const sound: SoundSource = {
    description: { codecName: 'opus', decoder: 'opus', clockRate: 48_000, channels: 2, parameterSets: [] },
    async *units() {
      yield* tones;
    },
  };
  const sending = sender(port, { source: { ...source(), sound } });
  await sending.open();
  const [head, video, audio] = sending.sessionDescription.split(/(?=^m=)/m);
  expect([head, video, audio].map((section) => section?.split('\r\n')[0])).toEqual([
    'v=0',
    `m=video ${port} RTP/AVPF 96 97`,
    `m=audio ${port + 2} RTP/AVPF 98 99`,
  ]);
  expect(audio).toContain('a=rtpmap:98 opus/48000/2');
  expect(audio).not.toContain('pli');
  await sending.run();
  await expect.poll(() => pictures.datagrams.length, PATIENCE).toBe(sending.statistics.packets);
  const payloads = () => sounds.datagrams.map((datagram) => [datagram[1]! & 0x7f, ...datagram.subarray(12)]);
  await expect.poll(payloads, PATIENCE).toEqual(tones.map(({ parts }) => [98, ...parts[0]!]));
  const lastOf = ({ datagrams }: { readonly datagrams: Buffer[] }) => {
    const last = parseRtcp(datagrams.at(-1) ?? Buffer.of());
    if (!last.ok) return [];
    return last.value.map((packet) => (packet.kind === 'source-description' ? packet.chunks[0]!.cname : packet.kind));
  };
  // A name of this session alone (RFC 7022), by which a receiver knows that sound and pictures belong together.
  const end = ['sender-report', expect.stringMatching(/^[\w-]{16}$/), 'goodbye'];
  await expect.poll(() => [lastOf(control), lastOf(soundControl)], PATIENCE).toEqual([end, end]);
  expect(lastOf(soundControl)).toEqual(lastOf(control));
});

test('describes sound alone with its own clock rate', async () => {
  const { description } = source();
  const aac = {
    ...description,
    codecName: 'aac',
    clockRate: 44_100,
    parameterSets: [Uint8Array.of(0x12, 0x10)],
  } as const;
  const sending = sender(await freePortPair(), { source: { ...source(), description: aac } });
  await sending.open();
  expect(sending.sessionDescription).toContain('a=rtpmap:96 mpeg4-generic/44100/2');
});

test('refuses a port that leaves none for the sound', async () => {
  const sound = { description: { codecName: 'opus', clockRate: 48_000 } } as SoundSource;
  await expect(sender(65_534, { source: { ...source(), sound } }).open()).rejects.toThrow(
    /leaves no ports for the sound/,
  );
});

test('makes a key frame on a full intra request, once for each command', async () => {
  const port = await freePortPair();
  const media = await listenAt(port);
  let requests = 0;
  const adaptive = { requestKeyFrame: () => requests++, leadTime: milliseconds(1) } as unknown as AdaptiveControl;
  const sending = sender(port, { source: { ...source(), adaptive }, multiplexed: true, loop: true });
  await sending.open();
  void sending.run();
  await expect.poll(() => media.datagrams.length, PATIENCE).toBeGreaterThan(5);
  expect(sending.sessionDescription).toContain('a=rtcp-mux');
  const ssrc = media.datagrams.find((datagram) => classifyDatagram(datagram) === 'rtp')!.readUInt32BE(8);
  const command = serializeRtcp([{ kind: 'full-intra-request', senderSsrc: 9, commands: [{ ssrc, number: 3 }] }]);
  const receiver = createSocket('udp4');
  onTestFinished(() => void receiver.close());
  for (let copy = 0; copy < 3; copy++) receiver.send(command, sending.localPort!, '127.0.0.1');
  await expect.poll(() => requests, PATIENCE).toBe(1);
  expect(sending.statistics.keyFrameRequests).toBe(1);
  expect(media.datagrams.map(classifyDatagram)).toContain('rtcp'); // on the same port
});

test('requests what a lossy path loses, and reports to the sender, which retransmits', async () => {
  const port = await freePortPair();
  const loss = parseLinkSpecification('loss=10% delay=5ms seed=4');
  if (!loss.ok) throw new Error(loss.malformed);
  const receiving = receiveRtp(port, { recovery: 'nack', link: loss.value, latencyMs: 2_000, timeoutMs: 9_000 });
  await receiving.ready;
  // In a loop: a sender that ends answers for half a second longer, in which a busy machine may not ask.
  const sending = sender(port, { loop: true });
  await sending.open();
  void sending.run();
  await expect.poll(() => receiving.units.length, PATIENCE).toBeGreaterThan(33);
  receiving.client.stop();
  expect(nalText(receiving.units.slice(0, 33))).toEqual(nalText(UNITS));
  const [statistics] = receiving.client.sessions;
  expect(statistics?.frames.recovered).toBeGreaterThan(0);
  expect(sending.statistics.retransmissions).toBeGreaterThan(0);
  expect(sending.statistics.roundTrip).toBeDefined(); // receiver reports arrive, on the reports of the sender
});

test('sends BYE at once when stopped in the middle', async () => {
  const port = await freePortPair();
  const receiving = receiveRtp(port);
  await receiving.ready;
  const sending = sender(port, { loop: true });
  await sending.open();
  const running = sending.run();
  await expect.poll(() => receiving.units.length, PATIENCE).toBeGreaterThan(5);
  await sending.stop();
  await running;
  expect(await receiving.ended).toBe('end-of-stream');
  expect(receiving.units.length).toBe(sending.statistics.frames);
  expect(receiving.units.length).toBeGreaterThan(0);
});

test('continues without a receiver, and shows the refused packets', async () => {
  const sending = sender(await freePortPair());
  await sending.open();
  await sending.run();
  expect(sending.refused).toBeGreaterThan(0);
});

test('rejects multicast and broadcast addresses and unknown names in one line', async () => {
  for (const host of ['239.1.2.3', 'ff02::1', '0.0.0.0', '::', '255.255.255.255', '127.255.255.255']) {
    await expect(sender(5004, { host }).open()).rejects.toMatchObject({ name: 'Failure', exitCode: 2 });
  }
  await expect(receiveRtp(5004, { host: '239.1.2.3' }).ended).rejects.toThrow(
    /here: 239\.1\.2\.3 is a multicast group/,
  );
});

test('fails on a busy RTP port, and continues without a busy RTCP port', async () => {
  const port = await freePortPair();
  await listenAt(port + 1);
  const receiving = receiveRtp(port);
  await receiving.ready;
  await expect(receiveRtp(port).ended).rejects.toThrow(/the port is in use/);
  const sending = sender(port);
  await sending.open();
  await sending.run();
  expect(await receiving.ended).toBe('sender-stopped'); // the BYE was not received
  expect(receiving.units.length).toBe(33);
});

test('counts foreign sources and garbage on the port, and the stream continues', async () => {
  const port = await freePortPair();
  const receiving = receiveRtp(port);
  await receiving.ready;
  const sending = sender(port);
  await sending.open();
  const running = sending.run();
  const attacker = createSocket('udp4');
  onTestFinished(() => void attacker.close());
  const foreign = Buffer.from('80e0000100000001deadbeef41889a21', 'hex');
  const forgedGoodbye = Buffer.from('81cb0001deadbeef', 'hex');
  // Before, the first source on the port is the stream.
  await expect.poll(() => receiving.streams.length, PATIENCE).toBe(1);
  for (let n = 0; n < 50; n++) {
    for (const datagram of [foreign, forgedGoodbye, Buffer.alloc(n), Buffer.alloc(3_000, n)]) {
      // One after the other, so that the receive buffer has room for the stream.
      await new Promise((resolve) => attacker.send(datagram, port, '127.0.0.1', resolve));
    }
  }
  await running;
  expect(await receiving.ended).toBe('end-of-stream');
  expect(receiving.units.length).toBe(33);
  expect(receiving.client.sessions).toMatchObject([{ frames: { onTime: 33 } }]);
  expect(receiving.client.sessions[0]!.foreign).toBeGreaterThanOrEqual(50);
});

test('reports packets that all have the same timestamp', async () => {
  const port = await freePortPair();
  const { ended, ready } = receiveRtp(port, { timeoutMs: 3_000, payloadType: 96 });

  await ready;
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  for (let sequence = 0; sequence < 60; sequence++) {
    const packet = Buffer.from([0x80, 0xe0, 0, sequence, 0, 0, 0x30, 0x39, 0, 0, 0, 1, 0x41, 0x9a, 1, 2]);
    await new Promise((resolve) => socket.send(packet, port, '127.0.0.1', resolve));
  }
  await expect(ended).rejects.toThrow(/RTP packets arrived, all with the timestamp 12345: /);
});
