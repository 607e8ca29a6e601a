import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { readPageListen, readPlace, readPlainTarget } from '../../cli/options.ts';
import { addReceiverOptions } from '../../cli/receive.ts';
import { latencyOf, receiveTarget, recoveryOf } from '../../cli/receive-target.ts';
import { temporaryFolder } from '../io/sources/media.ts';

const command = (...args: string[]): Command => addReceiverOptions(new Command()).parse(args, { from: 'user' });

test('takes options from a dropframe URL unless the command line sets them', async () => {
  const given = command('--latency', '80');
  const target = await receiveTarget('dropframe://[::1]:7000?latency=200&recovery=none&transport=tcp', given);
  expect(target).toEqual({ kind: 'dropframe', host: '::1', port: 7000 });
  expect(given.opts()).toMatchObject({ latency: 80, recovery: 'none', transport: 'tcp' });
});

test.each([
  ['0.0.0.0', '0.0.0.0', undefined],
  ['192.168.1.5:8443', '192.168.1.5', 8_443],
  ['fd00::2', 'fd00::2', undefined],
  ['[fd00::2]:8443', 'fd00::2', 8_443],
  ['studio.local', 'studio.local', undefined],
])('--page-listen %s has its host, and a port where one is given', (text, host, port) => {
  expect(command('--page-listen', text).opts().pageListen).toEqual({ host, port });
});

test.each(['7081', 'https://192.168.1.5', '192.168.1.5:99999', ''])('--page-listen %s is refused', (text) => {
  expect(() => readPageListen(text)).toThrow('expected an address of this computer, such as 0.0.0.0');
});

test('reads an rtp URL as an address of this machine', async () => {
  const given = command();
  const target = await receiveTarget('rtp://127.0.0.1:5004?latency=300', given);
  expect(target).toEqual({
    kind: 'rtp',
    codecName: 'h264',
    feedback: { requests: true, keyFrames: true },
    host: '127.0.0.1',
    port: 5004,
    payloadType: undefined,
    parameterSets: [],
  });
  expect(given.opts()).toMatchObject({ latency: 300 });
});

test.each(['', '=true', '=1'])(
  'an option without a value in a URL holds as on the command line: no-audio%s',
  async (value) => {
    const given = command().option('--no-audio');
    await receiveTarget(`dropframe://camera.local?no-audio${value}`, given);
    expect(given.opts().audio).toBe(false);
  },
);

test.each([
  ['metrics', '0.0.0.0:9464'],
  ['page-listen', '0.0.0.0'],
  ['page-port', '80'],
  ['output', '.bashrc'],
  ['summary', 'run.json'],
  ['pcap', 'run.pcapng'],
  ['play', 'mpv'],
  ['link', 'trace=secret'],
  ['json', ''],
])('a URL cannot set --%s', async (name, value) => {
  const given = command();
  const before = { ...given.opts() };
  await expect(receiveTarget(`dropframe://camera.local?${name}=${value}`, given)).rejects.toThrow(
    `'${name}' cannot be set by a URL: give --${name} on the command line`,
  );
  expect(given.opts()).toEqual(before);
});

test.each([
  ['192.168.1.5', '192.168.1.5', 7_000],
  ['192.168.1.5:7010', '192.168.1.5', 7_010],
  ['camera.local', 'camera.local', 7_000],
  ['dropframe://camera.local', 'camera.local', 7_000],
  ['::1', '::1', 7_000],
  ['[::1]:7010', '::1', 7_010],
  ['dropframe://[fe80::1%25eth0]:7010', 'fe80::1%eth0', 7_010],
  ['fe80::1%eth0', 'fe80::1%eth0', 7_000],
])('reads %s as a sender', async (text, host, port) => {
  expect(await receiveTarget(text, command())).toEqual({ kind: 'dropframe', host, port });
});

test('refuses the URL of another protocol with the supported ones', async () => {
  await expect(receiveTarget('rtsp://192.168.1.9/live', command())).rejects.toThrow(
    /rtsp:\/\/ is not supported\. ffmpeg reads rtsp:\/\/ .* Expected dropframe:\/\/HOST:PORT/,
  );
  await expect(receiveTarget('foo://h', command())).rejects.toThrow(/foo:\/\/ is not supported\. Expected/);
});

test('reports that a target is a file', async () => {
  await expect(receiveTarget('package.json', command())).rejects.toThrow(/this is a file; `dropframe send` streams it/);
});

function sdpFile(...lines: string[]): string {
  const file = join(temporaryFolder(), 'camera.sdp');
  writeFileSync(file, lines.join('\n'));
  return file;
}

const HEAD = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 't=0 0'];
const ADDRESS = 'c=IN IP4 127.0.0.1';
const MEDIA = 'm=video 5004 RTP/AVP 97';
const VIDEO = [MEDIA, 'a=rtpmap:97 H264/90000'];
const OPUS = 'a=rtpmap:98 opus/48000/2';

test('reads address, port, payload type and parameter sets from an SDP file', async () => {
  const format = ['a=rtpmap:97 H264/90000', 'a=fmtp:97 packetization-mode=1; sprop-parameter-sets=Z0LAHg==,aMuDyyA='];
  const target = await receiveTarget(sdpFile(...HEAD, ADDRESS, MEDIA, ...format), command());
  expect(target).toEqual({
    kind: 'rtp',
    codecName: 'h264',
    feedback: { rtcpPort: 5_005, requests: false, keyFrames: false },
    host: '127.0.0.1',
    port: 5004,
    payloadType: 97,
    parameterSets: [Uint8Array.of(0x67, 0x42, 0xc0, 0x1e), Uint8Array.of(0x68, 0xcb, 0x83, 0xcb, 0x20)],
  });
});

test('reads the sound beside the pictures from an SDP file, and says what it cannot receive', async () => {
  const pictures = [...HEAD, ADDRESS, MEDIA, 'a=rtpmap:97 H264/90000'];
  const opus = ['m=audio 5006 RTP/AVP 98', 'a=rtpmap:98 opus/48000/2', 'a=fmtp:98 sprop-stereo=1'];
  expect(await receiveTarget(sdpFile(...pictures, ...opus), command())).toMatchObject({
    codecName: 'h264',
    sound: { codecName: 'opus', clockRate: 48_000, port: 5_006, rtcpPort: 5_007, payloadType: 98, requests: false },
  });
  const elsewhere = [opus[0]!, 'c=IN IP4 127.0.0.2', ...opus.slice(1)];
  expect(await receiveTarget(sdpFile(...pictures, ...elsewhere), command())).toMatchObject({
    sound: { host: '127.0.0.2' },
  });
  const other = ['m=audio 5006 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000'];
  const target = await receiveTarget(sdpFile(...pictures, ...other), command());
  expect(target).toMatchObject({
    refusedSound: expect.stringMatching(/camera\.sdp: its sound \(PCMU\) is not received/),
  });
  expect(target).not.toHaveProperty('sound');
});

test.each([
  ['its sound', ['m=audio 5006 RTP/AVP 0', ...VIDEO], 'only Opus, and AAC'],
  ['its sound \\(PCMU\\)', ['m=audio 5006 RTP/AVP 8', 'a=rtpmap:8 PCMU/8000', ...VIDEO], 'only Opus, and AAC'],
  ['its sound \\(opus\\)', [...VIDEO, 'm=audio 5006 RTP/SAVPF 98', OPUS], 'the m= line names an encrypted profile'],
  ['its sound \\(opus\\)', [...VIDEO, 'm=audio 0 RTP/AVP 98', OPUS], 'the port in the m=audio line is not from 1'],
])('says of %s why it cannot be received, wherever it stands', async (what, lines, why) => {
  expect(await receiveTarget(sdpFile(...HEAD, ADDRESS, ...lines), command())).toMatchObject({
    codecName: 'h264',
    refusedSound: expect.stringMatching(new RegExp(`camera\\.sdp: ${what} is not received: ${why}`)),
  });
});

test('reads HEVC from an SDP file', async () => {
  const format = ['a=rtpmap:97 H265/90000', 'a=fmtp:97 sprop-vps=QAEM; sprop-sps=QgEB; sprop-pps=RAHB'];
  const target = await receiveTarget(sdpFile(...HEAD, ADDRESS, MEDIA, ...format), command());
  expect(target).toMatchObject({ codecName: 'h265', payloadType: 97 });
  expect(target).toHaveProperty('parameterSets.length', 3);
});

test('reports a fault in an SDP file with its name and the line', async () => {
  const rtpmap = 'a=rtpmap:97 H264/90000';
  const cases: [string[], RegExp][] = [
    [['hello'], /camera\.sdp: not an SDP file: no line reads v=0/],
    [[...HEAD, ADDRESS, MEDIA, 'a=rtpmap:97 VP8/90000'], /camera\.sdp: no m=video section .* a=rtpmap/],
    [[...HEAD, MEDIA, rtpmap], /camera\.sdp: no c= line/],
    [[...HEAD, ADDRESS, 'm=video 0 RTP/AVP 97', rtpmap], /camera\.sdp: the port in the m=video line/],
    [
      [...HEAD, ADDRESS, MEDIA, rtpmap, 'a=fmtp:97 sprop-parameter-sets=$'],
      /camera\.sdp: sprop-parameter-sets .* a=fmtp/,
    ],
    [[...HEAD, ADDRESS, MEDIA, 'a=rtpmap:97 H264/8000'], /camera\.sdp: the a=rtpmap line gives a clock rate of 8000/],
  ];
  for (const [lines, message] of cases) {
    await expect(receiveTarget(sdpFile(...lines), command())).rejects.toThrow(message);
  }
  await expect(receiveTarget('nowhere.sdp', command())).rejects.toThrow(
    /cannot read nowhere\.sdp: there is no such file/,
  );
});

test('reports any other target as a usage error', async () => {
  for (const text of [
    '127.0.0.1:99999',
    'http://127.0.0.1',
    'a b',
    '[::1',
    '127.0.0.1:0',
    'rtp://127.0.0.1',
    'rtp://h:1?latency=-1',
    'rtp://h:1?no=1',
  ]) {
    await expect(receiveTarget(text, command())).rejects.toMatchObject({ name: 'Failure', exitCode: 2 });
  }
});

test('leaves room for RTCP on the next port', () => {
  expect(readPlainTarget('rtp://127.0.0.1:65534')).toEqual({ scheme: 'rtp', host: '127.0.0.1', port: 65_534 });
  expect(() => readPlainTarget('rtp://127.0.0.1:65535')).toThrow(/at most 65534/);
  expect(() => readPlainTarget('rtp://127.0.0.1:0')).toThrow(/port 0/);
  expect(() => readPlainTarget('rtp://127.0.0.1:5004?mtu=900')).toThrow(/command line/);
  expect(() => readPlainTarget('tcp://127.0.0.1:5004')).toThrow(/rtp:\/\//);
  expect(readPlainTarget('udp://127.0.0.1:65535')).toMatchObject({ scheme: 'udp', port: 65_535 });
});

test('requests what the description offers', async () => {
  const media = ['m=video 5004 RTP/AVPF 97 98', 'a=rtpmap:97 H264/90000', 'a=rtpmap:98 rtx/90000', 'a=fmtp:98 apt=97'];
  const offers = ['a=rtcp-mux', 'a=rtcp-fb:97 nack pli'];
  expect(await receiveTarget(sdpFile(...HEAD, ADDRESS, ...media, ...offers), command())).toMatchObject({
    feedback: { rtcpPort: 5_004, requests: true, keyFrames: true, retransmissionPayloadType: 98 },
  });
});

test('rist:// names an address of this machine, with the buffer as the latency unless --latency is given', async () => {
  const target = await receiveTarget('rist://@0.0.0.0:5000?buffer=500', command());
  expect(target).toEqual({ kind: 'rist', host: '0.0.0.0', port: 5_000, bufferMs: 500 });
  expect(latencyOf(target, 120, false)).toBe(500);
  expect(latencyOf(target, 300, true)).toBe(300);
  expect(recoveryOf(target, 'hybrid', false)).toBe('nack');
  expect(recoveryOf(target, 'reorder', true)).toBe('reorder');
  await expect(receiveTarget('rist://@:5000?secret=x', command())).rejects.toThrow(/only the simple profile of RIST/);
  await expect(receiveTarget('rist://@:5001', command())).rejects.toThrow(/port must be even/);
});

test('reads the rate of MPEG-TS, and how it is sent to a group', () => {
  expect(readPlainTarget('udp://239.1.2.3:1234?bitrate=3M&ttl=4&interface=eth0')).toEqual({
    ...{ scheme: 'udp', host: '239.1.2.3', port: 1_234, rate: 3_000_000 },
    multicast: { hops: 4, interface: 'eth0' },
  });
  expect(readPlainTarget('rtp+ts://127.0.0.1:1234?bitrate=500k')).toMatchObject({ rate: 500_000 });
  expect(() => readPlainTarget('udp://127.0.0.1:1234?ttl=0')).toThrow(/ttl from 1 to 255/);
  expect(() => readPlainTarget('udp://127.0.0.1:1234?pkt_size=1316')).toThrow(/unknown option 'pkt_size'/);
});

test('a place in a film is seconds, or minutes and hours before them', () => {
  expect(['0', '90', '90.5s', '1:30', '01:02:03.5', '75:00'].map(readPlace)).toEqual([0, 90, 90.5, 90, 3_723.5, 4_500]);
  for (const text of ['', '-1', '1:60', '1:60:00', '1:', ':30', 'soon', '1e9', '99999999', '5m']) {
    expect(() => readPlace(text)).toThrow(/M:SS/);
  }
});
