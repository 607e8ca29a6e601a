import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { instant } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { parseSessionDescription } from '../../protocol/sdp.ts';
import { Receiver } from '../../receiver/receiver.ts';
import type { RtpClientOptions } from '../../session/rtp/rtp-client-options.ts';
import { RtpSender } from '../../session/rtp/rtp-sender.ts';
import { type DescribedSound, RtpSound } from '../../session/rtp/rtp-sound.ts';
import { RtpSync } from '../../session/rtp/rtp-sync.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { freePortPair } from '../interop/programs.ts';
import { SAMPLES } from '../io/sources/media.ts';
import { PATIENCE } from '../patience.ts';
import { receiveRtp } from './rtp-reception.ts';

describe('the sound of plain RTP is put on the timeline of the pictures', () => {
  const first = (milliseconds: number, timestamp: number) => ({
    at: instant(milliseconds * 1_000),
    timestamp: wireTimestamp(timestamp),
  });
  /** An instant of the sender's clock, seconds. */
  const ntp = (seconds: number) => ({ seconds: Math.floor(seconds), fraction: (seconds % 1) * 2 ** 32 });

  test('by the arrival of their first packets, until both have a sender report', () => {
    const sync = new RtpSync();
    expect(sync.shift).toBeUndefined();
    sync.beginPictures(90_000, first(100, 7_000));
    expect(sync.shift).toBeUndefined();
    sync.beginSound(48_000, first(140, 500));
    expect(sync.shift).toBe(3_600);
    sync.reportPictures(ntp(1_000), wireTimestamp(7_000));
    expect(sync.shift).toBe(3_600);
  });

  test('by the sender reports of both, across the wrap of a timestamp', () => {
    const sync = new RtpSync();
    sync.beginPictures(90_000, first(0, 2 ** 32 - 45_000));
    sync.beginSound(48_000, first(0, 1_000));
    // The first picture was sent at 11 s, the first sound at 11.25 s.
    sync.reportPictures(ntp(12), wireTimestamp(45_000));
    sync.reportSound(ntp(13), wireTimestamp(1_000 + 48_000 * 1.75));
    expect(sync.shift).toBe(22_500);
  });

  test('and follows clocks that drift, but not reports that scatter', () => {
    const sync = new RtpSync();
    sync.beginPictures(90_000, first(0, 0));
    sync.beginSound(48_000, first(0, 0));
    sync.reportPictures(ntp(100), wireTimestamp(0));
    sync.reportSound(ntp(100), wireTimestamp(0));
    sync.reportSound(ntp(110), wireTimestamp(480_000 + 96));
    expect(sync.shift).toBe(0);
    // 200 ppm for a minute: the sound's clock is 12 ms ahead, so its times are too large.
    sync.reportSound(ntp(160), wireTimestamp(48_000 * 60.012));
    expect(sync.shift).toBe(-1_080);
  });

  test('and leaves out reports without a clock, and those of different clocks', () => {
    const sync = new RtpSync();
    sync.beginPictures(90_000, first(0, 0));
    sync.beginSound(48_000, first(100, 0));
    sync.reportPictures(ntp(0), wireTimestamp(0));
    sync.reportSound(ntp(3_900_000_000), wireTimestamp(0));
    expect(sync.shift).toBe(9_000);
    // Seconds since the sender was switched on.
    sync.reportPictures(ntp(5), wireTimestamp(0));
    expect(sync.shift).toBe(9_000);
    sync.reportPictures(ntp(3_900_000_000), wireTimestamp(0));
    expect(sync.shift).toBe(0);
    sync.reportSound(ntp(0), wireTimestamp(48_000));
    expect(sync.shift).toBe(0);
  });

  test('by reports on both sides of the wrap of NTP seconds', () => {
    const sync = new RtpSync();
    sync.beginPictures(90_000, first(0, 0));
    sync.beginSound(48_000, first(0, 0));
    sync.reportPictures(ntp(2 ** 32 - 1), wireTimestamp(0));
    // The first sound was sent half a second after the first picture.
    sync.reportSound(ntp(1), wireTimestamp(48_000 * 1.5));
    expect(sync.shift).toBe(45_000);
  });
});

/** The first seconds of the clip with flashes and beeps. */
async function film(): Promise<MediaSource> {
  const media = await openMediaSource(`${SAMPLES}/flash.mp4`, {
    ...{ encode: 'copy', bitrate: 1, gop: 1, sound: {}, warn: () => {} },
  });
  onTestFinished(() => media.close());
  return media;
}

const soundOf = (description: string): DescribedSound => {
  const read = parseSessionDescription(description, codecByName('aac'));
  if (!read.ok) throw new Error(read.malformed);
  return { codecName: 'aac', requests: true, ...read.value };
};

/** Opens a port of this machine until the test is over. */
async function bind(port: number, host = '127.0.0.1') {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(port, host);
  await once(socket, 'listening');
  return socket;
}

/** Sends what arrives at the ports of the sound to those of the pictures, as a sender with BUNDLE does. */
async function bundle(sound: DescribedSound, port: number): Promise<DescribedSound> {
  for (const [from, to] of [
    [sound.port, port],
    [sound.rtcpPort, port + 1],
  ] as const) {
    const socket = await bind(from);
    socket.on('message', (datagram) => socket.send(datagram, to, '127.0.0.1'));
  }
  return { ...sound, port, rtcpPort: port + 1 };
}

async function transmit(
  options: Partial<RtpClientOptions> = {},
  describe = async (sound: DescribedSound, _port: number) => sound,
) {
  const media = await film();
  const port = await freePortPair();
  const sent: AccessUnit[] = [];
  let stalledTicks = 0;
  const source: MediaSource = {
    ...media,
    description: media.description,
    units: () => media.units(),
    sound: {
      description: media.sound!.description,
      async *units() {
        for await (const unit of media.sound!.units()) {
          sent.push(unit);
          yield unit;
        }
      },
    },
    close: async () => {},
  };
  const sending = new RtpSender({
    ...{ source, host: '127.0.0.1', port, loop: false, datagramBytesMax: 1_200 },
    onStall: (late) => {
      stalledTicks += late * 0.09;
    },
  });
  onTestFinished(() => sending.stop());
  await sending.open();
  const receiving = receiveRtp(port, {
    ...{ recovery: 'nack', timeoutMs: 4_000, sound: await describe(soundOf(sending.sessionDescription), port) },
    ...options,
  });
  const { client, sounds, units: pictures, streams, ready, ended } = receiving;
  await Promise.race([ready, ended]);
  await sending.run();
  await ended;
  return { client, sent, sounds, pictures, streams, stalledTicks };
}

/** Units at the end of the clip's 283 that are compared. */
const COUNT = 250;
const hexOf = (units: readonly AccessUnit[]) => units.map(({ parts }) => Buffer.from(parts[0]!).toString('hex'));

test('the sound beside the pictures of plain RTP arrives as it was sent, in sync with them', async () => {
  const { client, sent, sounds, pictures, streams, stalledTicks } = await transmit();
  expect(streams[0]!.sound).toMatchObject({ codecName: 'aac', decoder: 'mp4a.40.2' });
  expect(client.sound).toMatchObject({ concealedMs: 0, sessions: [{ frames: { decided: sent.length } }] });
  // Sound before the first picture is left out, and where the sender stalled, what the first reports move before it.
  expect(sounds.length).toBeGreaterThan(COUNT);
  const [rest, from] = [sounds.slice(-COUNT), sent.slice(-COUNT)];
  expect(hexOf(rest)).toEqual(hexOf(from));
  // The picture that a clip begins with is at 0 in both.
  expect(pictures[0]!.timestamp).toBe(0);
  const errors = rest.map(({ timestamp }, index) => timestamp - from[index]!.timestamp);
  // Within 20 ms, but for stalls of the sender, which shift what follows.
  const usual = errors.toSorted((a, b) => a - b)[Math.floor(errors.length / 2)]!;
  for (const error of [errors[0]!, usual]) {
    expect(error).toBeGreaterThan(-1_800);
    expect(error).toBeLessThan(1_800 + stalledTicks);
  }
});

test('lost sound of plain RTP is requested again, and is counted where it stays lost', async () => {
  const parsed = parseLinkSpecification('loss=10% delay=10ms seed=5');
  const link = parsed.ok ? parsed.value : undefined;
  const { client } = await transmit({ link });
  const { concealedMs } = client.sound!;
  const without = await transmit({ link, recovery: 'reorder' });
  for (const each of [client, without.client]) {
    const { frames, packets } = each.sound!.sessions[0]!;
    // Each packet has one unit, and each unit that was lost is counted.
    expect(frames.decided).toBe(packets.decided);
    expect(frames.neverArrived).toBe(packets.neverArrived);
  }
  expect(without.client.sound!.sessions[0]!.frames.neverArrived).toBeGreaterThan(0);
  expect(without.client.sound!.concealedMs).toBeGreaterThan(concealedMs + 100);
});

test('sound that shares the ports of the pictures is told apart by its payload type', async () => {
  const { client, sent, sounds, pictures } = await transmit({}, bundle);
  expect(pictures.length).toBeGreaterThan(0);
  expect(client.sound).toMatchObject({ concealedMs: 0, sessions: [{ frames: { decided: sent.length } }] });
  expect(hexOf(sounds)).toEqual(hexOf(sent.slice(-sounds.length)));
  expect(client.sessions[0]).toMatchObject({ foreign: 0 });
});

test('an internal error of its receiver is told in one line, and the next packet begins anew', async () => {
  const [units, lines]: [AccessUnit[], string[]] = [[], []];
  const described: DescribedSound = {
    ...{ codecName: 'opus', clockRate: 48_000, host: '127.0.0.1', port: 5_004, rtcpPort: 5_005, payloadType: 98 },
    ...{ parameterSets: [], requests: false },
  };
  const sync = new RtpSync();
  sync.beginPictures(90_000, { at: instant(0), timestamp: wireTimestamp(0) });
  const sound = new RtpSound(
    { ...described, cname: 'c', latencyMs: 0, recovery: 'reorder', release: 'asap', link: undefined },
    sync,
    { onDatagram: () => {}, onUnit: (unit) => units.push(unit), onFault: (line) => lines.push(line) },
  );
  onTestFinished(() => sound.close());
  await sound.open({ name: 'x', host: '127.0.0.1', address: '127.0.0.1', port: 5_004, send: () => {} });
  const packet = (sequenceNumber: number) =>
    serializeRtpPacket({
      ...{ marker: false, payloadType: 98, ssrc: 7, csrcs: [], payload: Uint8Array.of(0xfc, 1, 2) },
      sequenceNumber: wireSequence(sequenceNumber),
      timestamp: wireTimestamp(sequenceNumber * 960),
    });
  const broken = vi.spyOn(Receiver.prototype, 'handleDatagram').mockImplementationOnce(() => {
    throw new Error('invariant broken: made up');
  });
  onTestFinished(() => broken.mockRestore());
  expect(sound.takeShared(packet(1))).toBe(true);
  expect(lines).toEqual([
    expect.stringMatching(
      /^internal error of the receiver of the sound: invariant broken: made up; please send us the/,
    ),
  ]);
  rmSync(/report (\S+)$/.exec(lines[0]!)![1]!);
  expect(sound.takeShared(packet(2))).toBe(true);
  expect(sound.statistics).toMatchObject({ datagrams: 1 });
});

describe('the ports of the sound', () => {
  const AAC: DescribedSound = {
    ...{ codecName: 'aac', clockRate: 48_000, host: '127.0.0.1', port: 0, rtcpPort: 0, payloadType: 97 },
    ...{ parameterSets: [Uint8Array.of(0x11, 0x90)], requests: false },
  };
  /** Lines of a client that receives nothing, until it waits for pictures. */
  async function waiting(sound: DescribedSound): Promise<string[]> {
    const port = await freePortPair();
    const options = { payloadType: 96, latencyMs: 100, recovery: 'nack', timeoutMs: 60_000 } as const;
    const { lines, ended } = receiveRtp(port, { ...options, sound });
    await Promise.race([ended, vi.waitFor(() => expect(lines.join()).toMatch(/waiting for RTP/), PATIENCE)]);
    return lines;
  }

  test('may be in use: the pictures are received without it, which one line says', async () => {
    const port = await freePortPair();
    await bind(port);
    const [line] = await waiting({ ...AAC, port, rtcpPort: port + 1 });
    expect(line).toMatch(/^the sound is not received: cannot open UDP 127\.0\.0\.1:\d+: the port is in use/);
  });

  test('are opened on the address of its own c= line', async () => {
    const port = await freePortPair();
    await bind(port);
    const lines = await waiting({ ...AAC, host: '127.0.0.2', port, rtcpPort: port + 1 });
    expect(lines).toHaveLength(1);
    await expect(bind(port, '127.0.0.2')).rejects.toThrow(/EADDRINUSE/);
  });
});
