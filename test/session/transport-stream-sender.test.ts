import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { now } from '../../io/os/clock.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { instant } from '../../protocol/base/units.ts';
import { parseRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { nullPacket } from '../../protocol/transport-stream.ts';
import { ConstantPacer } from '../../session/rtp/constant-pacer.ts';
import { TransportStreamSender, type TransportStreamSenderOptions } from '../../session/rtp/transport-stream-sender.ts';
import { decode } from '../interop/ffmpeg.ts';
import { isInstalled } from '../interop/programs.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { PATIENCE } from '../patience.ts';
import { sampleUnits } from '../sample-units.ts';

const FRAMES = 30;
const UNITS = sampleUnits().slice(0, FRAMES);
const PACKET_BYTES = 188;

const source: MediaSource = {
  description: {
    ...{ name: 'counter.h264', codecName: 'h264', codec: 'avc1.64001e', width: 640, height: 360, mode: 'copy' },
    ...{ framesPerSecond: 30, durationSeconds: undefined, parameterSets: [] },
  },
  async *units() {
    yield* UNITS;
  },
  close: async () => {},
};

/** Sends the clip, and returns the datagrams that arrive. */
async function sent(form: 'udp' | 'rtp', options: Partial<TransportStreamSenderOptions> = {}): Promise<Buffer[]> {
  const { datagrams, frames } = await sentPictures(form, options);
  expect(frames).toBe(FRAMES);
  return datagrams;
}

async function sentPictures(form: 'udp' | 'rtp', options: Partial<TransportStreamSenderOptions>) {
  const datagrams: Buffer[] = [];
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.on('message', (datagram) => datagrams.push(datagram));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  const sending = new TransportStreamSender({
    ...{ source, host: '127.0.0.1', port, form, loop: false },
    onStall: () => {},
    ...options,
  });
  onTestFinished(() => sending.stop());
  await sending.open();
  expect(sending.destination).toBe(`127.0.0.1:${port}`);
  await sending.run();
  await expect.poll(() => datagrams.length, PATIENCE).toBe(sending.statistics.packets);
  return { datagrams, frames: sending.statistics.frames };
}

const packetsOf = (datagram: Buffer): Buffer[] =>
  Array.from({ length: datagram.length / PACKET_BYTES }, (_, index) =>
    datagram.subarray(index * PACKET_BYTES, (index + 1) * PACKET_BYTES),
  );

/** PCR, 90 kHz (ISO/IEC 13818-1 §2.4.3.5); `undefined` without. */
function clockOf(packet: Buffer): number | undefined {
  const hasClock = (packet[3]! & 0x20) !== 0 && packet[4]! >= 7 && (packet[5]! & 0x10) !== 0;
  return hasClock ? packet.readUInt32BE(6) * 2 + (packet[10]! >> 7) : undefined;
}

test('sends whole packets, seven at most in a datagram, with a clock that never runs backwards', async () => {
  const datagrams = await sent('udp');
  for (const { length } of datagrams) {
    expect(length % PACKET_BYTES).toBe(0);
    expect(length).toBeLessThanOrEqual(7 * PACKET_BYTES);
  }
  const packets = datagrams.flatMap(packetsOf);
  expect(packets.every(([sync]) => sync === 0x47)).toBe(true);
  const clocks = packets.flatMap((packet) => clockOf(packet) ?? []);
  expect(clocks.length).toBeGreaterThanOrEqual(FRAMES);
  expect(clocks).toEqual(clocks.toSorted((one, other) => one - other));
  // It begins 200 ms before the first picture is decoded, at a second.
  expect(clocks[0]).toBeGreaterThanOrEqual(90_000 - 18_000);
  expect(clocks[0]).toBeLessThan(90_000);
});

test('numbers RTP packets with payload type 33, each with whole packets of the stream', async () => {
  const packets = (await sent('rtp')).map((datagram) => parseRtpPacket(datagram));
  const read = packets.flatMap((packet) => (packet.ok ? [packet.value] : []));
  expect(read.length).toBe(packets.length);
  const [first] = read;
  read.forEach((packet, index) => {
    expect(packet.payloadType).toBe(33);
    expect(packet.sequenceNumber).toBe((first!.sequenceNumber + index) & 0xffff);
    expect(packet.payload.length % PACKET_BYTES).toBe(0);
    expect(packet.payload[0]).toBe(0x47);
  });
});

optional('ffmpeg', isInstalled('ffmpeg'))('sends a stream of which ffmpeg decodes every picture', async () => {
  const file = join(temporaryFolder(), 'sent.ts');
  writeFileSync(file, Buffer.concat(await sent('udp')));
  expect(decode(file)).toEqual({ pictures: FRAMES, complaints: [] });
});

optional('ffmpeg', isInstalled('ffmpeg'))('sends at a constant rate what ffmpeg decodes', async () => {
  // A late sender skips pictures up to a key frame: what it has sent is decoded. test/sender/constant-rate.test.ts has the times.
  const { datagrams, frames } = await sentPictures('udp', { rate: 3_000_000 });
  expect(datagrams.every(({ length }) => length === 7 * PACKET_BYTES)).toBe(true);
  const file = join(temporaryFolder(), 'constant.ts');
  writeFileSync(file, Buffer.concat(datagrams));
  expect(frames).toBeGreaterThan(0);
  expect(decode(file)).toEqual({ pictures: frames, complaints: [] });
});

test('counts a picture itself among what waits before its decode time', async () => {
  const rate = 2_000_000;
  const [key] = UNITS;
  const lasting = (seconds: number) => {
    const filler = new Uint8Array((seconds * rate) / 8).fill(0xff);
    filler[0] = 12;
    return { ...key!, parts: [...key!.parts, filler] };
  };
  const sending = new TransportStreamSender({
    source: {
      ...source,
      async *units() {
        yield lasting(0.4);
        yield { ...lasting(3), importance: 'reference' };
      },
    },
    ...{ host: '127.0.0.1', port: 9, form: 'udp', loop: false, rate },
    onStall: () => {},
  });
  onTestFinished(() => sending.stop());
  await sending.open();
  await sending.run();
  expect(sending.statistics.frames).toBe(1);
});

test('sends what is due in turns, between which others have theirs', async () => {
  const sizes: number[] = [];
  const pacer = await ConstantPacer.open(({ payload }) => sizes.push(payload.length));
  onTestFinished(() => pacer.close());
  pacer.begin({
    rate: 100_000_000,
    begin: instant(now() - 500_000),
    clockAt: () => 0,
    clockPacket: nullPacket,
  });
  expect(sizes.length).toBe(256);
  await expect.poll(() => sizes.length, PATIENCE).toBeGreaterThan(2_000);
});

test('skips pictures up to a key frame where the source exceeds the rate, and says so', async () => {
  const skipped: number[] = [];
  const sending = new TransportStreamSender({
    ...{ source, host: '127.0.0.1', port: 9, form: 'udp', loop: false, rate: 100_000 },
    onStall: () => {},
    onExceeded: (count) => skipped.push(count),
  });
  onTestFinished(() => sending.stop());
  await sending.open();
  await sending.run();
  expect(skipped.length).toBeGreaterThan(0);
  expect(sending.statistics.frames + skipped.at(-1)!).toBe(FRAMES);
});

test('sends to a multicast group by the interface that is named', async () => {
  const group = '239.255.77.3';
  const datagrams: Buffer[] = [];
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  onTestFinished(() => void socket.close());
  socket.on('message', (datagram) => datagrams.push(datagram));
  await new Promise<void>((resolve) => socket.bind(0, group, resolve));
  socket.addMembership(group, '127.0.0.1');
  const common = { source, host: group, port: socket.address().port, form: 'udp', loop: false } as const;
  const sending = new TransportStreamSender({ ...common, onStall: () => {}, multicast: { interface: '127.0.0.1' } });
  onTestFinished(() => sending.stop());
  await sending.open();
  await sending.run();
  await expect.poll(() => datagrams.length, PATIENCE).toBe(sending.statistics.packets);
});

test('an interface that is not there, and options of groups for a machine, are refused in one line', async () => {
  const open = (host: string, multicast: TransportStreamSenderOptions['multicast']) =>
    new TransportStreamSender({
      ...{ source, host, port: 9, form: 'udp', loop: false, multicast },
      onStall: () => {},
    }).open();
  await expect(open('239.255.77.3', { interface: 'eth77' })).rejects.toThrow(
    'there is no interface eth77: this machine has',
  );
  await expect(open('127.0.0.1', { hops: 4 })).rejects.toThrow('ttl is for multicast groups');
  await expect(open('127.0.0.1', { interface: 'lo' })).rejects.toThrow('interface is for multicast groups');
});
