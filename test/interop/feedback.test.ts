import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { relay } from '../../session/relay/relay.ts';
import { RtpClient } from '../../session/rtp/rtp-client.ts';
import { RtpSender } from '../../session/rtp/rtp-sender.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { PATIENCE } from '../patience.ts';
import { sampleUnits } from '../sample-units.ts';
import { annexBOf, decode } from './ffmpeg.ts';
import { freePortPair, hasGStreamer, isInstalled, start, untilBound } from './programs.ts';

const ELEMENTS = ['x264enc', 'rtph264pay', 'rtph264depay', 'h264parse', 'rtpsession', 'rtprtxsend', 'rtprtxreceive'];
const withGStreamer = optional(
  'GStreamer with x264enc and the RTP session elements, and ffmpeg',
  isInstalled('ffmpeg') && hasGStreamer(...ELEMENTS),
);

/** Each way. The latencies are long enough for the stalls of a busy machine. */
const PATH = 'loss=3% delay=20ms';
const LATENCY_MS = 3_000;
const RETRANSMISSIONS = 'payload-type-map=application/x-rtp-pt-map,96=(uint)97';
/** Reports of GStreamer are rare by default, and its requests wait for them. */
const SESSION = ['rtpsession', 'name=s', 'rtp-profile=avpf', 'rtcp-min-interval=20000000', 'bandwidth=4000000'];

withGStreamer('loses no frame of GStreamer, whose rtprtxsend answers the requests', async () => {
  const port = await freePortPair();
  const returning = await freePortPair();
  const units: AccessUnit[] = [];
  const client = new RtpClient(
    {
      name: 'here',
      ...{ host: '127.0.0.1', port, reportTo: { host: '127.0.0.1', port: returning } },
      ...{ codecName: 'h264', payloadType: undefined, parameterSets: [], latencyMs: LATENCY_MS, recovery: 'nack' },
      ...{ release: 'deadline', onLoss: 'freeze', link: parseLink(`${PATH} seed=2`), timeoutMs: 20_000 },
    },
    {
      ...{ onWaiting: () => {}, onStream: () => {}, onRecordedUnit: () => {}, onDrop: () => {}, onDatagram: () => {} },
      onUnit: (unit) => units.push(unit),
    },
  );
  const ended = client.run();
  onTestFinished(() => client.stop());
  await untilBound(port);
  const frames = 75;
  const picture = 'video/x-raw,width=320,height=180,framerate=30/1';
  // Without an end, after which it would answer no more.
  const source = ['videotestsrc', 'pattern=snow', 'is-live=true', '!', picture, '!'];
  const encoder = [
    'x264enc',
    'speed-preset=ultrafast',
    'bframes=0',
    'rc-lookahead=0',
    'bitrate=1000',
    'key-int-max=30',
    '!',
  ];
  // It keeps 100 packets by default, less than a second of this stream.
  const history = ['rtprtxsend', RETRANSMISSIONS, 'max-size-packets=10000', '!'];
  const payloader = ['rtph264pay', 'config-interval=-1', 'pt=96', '!', ...history];
  const sending = start('gst-launch-1.0', [
    ...['-q', ...SESSION, ...source, ...encoder, ...payloader, 's.send_rtp_sink', 's.send_rtp_src', '!'],
    ...['udpsink', 'host=127.0.0.1', `port=${port}`, 's.send_rtcp_src', '!'],
    ...['udpsink', 'host=127.0.0.1', `port=${port + 1}`, 'sync=false', 'async=false'],
    ...['udpsrc', 'address=127.0.0.1', `port=${returning}`, '!', 's.recv_rtcp_sink'],
  ]);
  await expect.poll(() => units.length, PATIENCE).toBeGreaterThanOrEqual(frames);
  // Before the end, which decides frames whose packets are still awaited.
  const { malformed, frames: decided } = client.sessions[0]!;
  const { undecodable, neverArrived, recovered } = decided;
  client.stop();
  await ended;
  sending.process.kill('SIGINT');
  expect({ malformed, undecodable, neverArrived }).toEqual({ malformed: 0, undecodable: 0, neverArrived: 0 });
  expect(recovered).toBeGreaterThan(0);
  expect(decode(annexBOf(units))).toEqual({ pictures: units.length, complaints: [] });
});

withGStreamer('answers the requests of GStreamer, which decodes every frame', async () => {
  const [to, listen, local, returning] = [
    await freePortPair(),
    await freePortPair(),
    await freePortPair(),
    await freePortPair(),
  ];
  const link = (from: number, port: number, seed: number) =>
    relay({ listen: `127.0.0.1:${from}`, to: `127.0.0.1:${port}`, link: `${PATH} seed=${seed}` });
  const path = await Promise.all([link(listen, to, 1), link(listen + 1, to + 1, 2), link(returning, local + 1, 3)]);
  onTestFinished(() => {
    for (const each of path) each.close();
  });
  const output = join(temporaryFolder(), 'received.h264');
  const caps = 'application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96';
  const receiving = start('gst-launch-1.0', [
    ...['-q', '-e', ...SESSION, 'probation=0', 'udpsrc', 'address=127.0.0.1', `port=${to}`, `caps=${caps}`, '!'],
    ...['s.recv_rtp_sink', 's.recv_rtp_src', '!', 'rtprtxreceive', RETRANSMISSIONS, '!', 'rtpssrcdemux', '!'],
    ...[
      'rtpjitterbuffer',
      'do-retransmission=true',
      `latency=${LATENCY_MS}`,
      '!',
      'rtph264depay',
      '!',
      'h264parse',
      '!',
    ],
    ...['video/x-h264,stream-format=byte-stream,alignment=au', '!', 'filesink', `location=${output}`],
    ...['udpsrc', 'address=127.0.0.1', `port=${to + 1}`, '!', 's.recv_rtcp_sink', 's.send_rtcp_src', '!'],
    ...['udpsink', 'host=127.0.0.1', `port=${returning}`, 'sync=false', 'async=false'],
  ]);
  await untilBound(to);
  const units = sampleUnits();
  const parameterSets = units[0]!.parts.filter((nalUnit) => [7, 8].includes(nalUnit[0]! & 0x1f));
  const source: MediaSource = {
    description: {
      ...{ name: 'counter.h264', codecName: 'h264', codec: 'avc1.64001e', width: 640, height: 360, mode: 'copy' },
      ...{ framesPerSecond: 30, durationSeconds: undefined, parameterSets },
    },
    async *units() {
      yield* units;
    },
    close: async () => {},
  };
  const sending = new RtpSender({
    ...{ source, host: '127.0.0.1', port: listen, localPort: local, loop: true, datagramBytesMax: 1_200 },
    onStall: () => {},
  });
  onTestFinished(() => sending.stop());
  await sending.open();
  void sending.run();
  await expect.poll(() => sending.statistics.frames, PATIENCE).toBeGreaterThan(210);
  expect(sending.statistics.retransmissions).toBeGreaterThan(0);
  receiving.process.kill('SIGINT');
  await receiving.ended;
  const { pictures, complaints } = decode(output);
  expect(pictures).toBeGreaterThan(75);
  expect(complaints).toEqual([]);
});
