import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Log } from '../../io/os/log.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { parseSessionDescription } from '../../protocol/sdp.ts';
import { RtpClient } from '../../session/rtp/rtp-client.ts';
import type { RtpClientOptions } from '../../session/rtp/rtp-client-options.ts';
import { RtpSender } from '../../session/rtp/rtp-sender.ts';
import { ReceiveRun } from '../../session/run/receive-run.ts';
import { SAMPLES, temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { atSpeedOfReader } from './clip.ts';
import { freePortPair, hasGStreamer, isInstalled, start, untilBound } from './programs.ts';

const hasFfmpeg = isInstalled('ffmpeg');
const withFfmpeg = optional('ffmpeg', hasFfmpeg);
const withGStreamer = optional(
  'GStreamer with rtph265pay, rtph265depay, h265parse and matroskademux, and ffmpeg',
  hasFfmpeg && hasGStreamer('rtph265pay', 'rtph265depay', 'h265parse', 'matroskademux', 'udpsrc'),
);

const H265 = codecByName('h265');
const SAMPLE = join(SAMPLES, 'small.h265');
const QUIET = ['-hide_banner', '-v', 'error', '-y'];
const FRAMES = 45;

/** MD5 of each decoded picture, in order of presentation. */
function pictures(path: string): string[] {
  const output = execFileSync('ffmpeg', [...QUIET, '-i', path, '-fps_mode', 'passthrough', '-f', 'framemd5', '-']);
  return hashesIn(String(output));
}

const hashesIn = (framemd5: string): string[] =>
  framemd5
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)!.trim());

/** A live-like clip in Matroska: closed groups, no B-frames. */
function clip(): string {
  const path = join(temporaryFolder(), 'clip.mkv');
  const pattern = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-frames:v', `${FRAMES}`];
  const x265 = 'log-level=error:keyint=15:min-keyint=15:scenecut=0:open-gop=0:bframes=0:pools=1:repeat-headers=1';
  execFileSync('ffmpeg', [...QUIET, ...pattern, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', x265, path]);
  return path;
}

/** Receives plain RTP into a raw file while `send` runs. */
async function receive(port: number, send: () => Promise<unknown>, options: Partial<RtpClientOptions> = {}) {
  const output = join(temporaryFolder(), 'received.h265');
  const session: RtpClientOptions = {
    name: `rtp://127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    codecName: 'h265',
    payloadType: undefined,
    parameterSets: [],
    // Long enough for the stalls of a busy machine.
    latencyMs: 1_500,
    recovery: 'reorder',
    release: 'deadline',
    onLoss: 'freeze',
    link: undefined,
    timeoutMs: 10_000,
    ...options,
  };
  const run = new ReceiveRun({
    connect: (events) => new RtpClient(session, events),
    transport: 'rtp',
    ipv6: false,
    latencyMs: session.latencyMs,
    recovery: 'reorder',
    link: undefined,
    play: 'none',
    pagePort: 0,
    openBrowser: false,
    output,
    capture: undefined,
    log: new Log({ level: 'error' }),
  });
  const running = run.run();
  running.catch(() => {}); // awaited below, after `send`
  await untilBound(port);
  await send();
  await running;
  return { summary: run.summary, output };
}

/** Sends the sample to this port as plain RTP, as `dropframe send --to` does. */
async function sendSample(port: number, onDescription: (sdp: string) => Promise<unknown>): Promise<void> {
  const source = await openMediaSource(SAMPLE, { encode: 'copy', bitrate: 1_000_000, gop: 30, warn: () => {} });
  onTestFinished(() => source.close());
  const sender = new RtpSender({
    source: atSpeedOfReader(source, port),
    host: '127.0.0.1',
    port,
    loop: false,
    datagramBytesMax: 600,
    onUnit: () => {},
    onStall: () => {},
  });
  await sender.open();
  try {
    await onDescription(sender.sessionDescription);
    await sender.run();
  } finally {
    await sender.stop();
  }
}

withFfmpeg('receives HEVC from ffmpeg over plain RTP, described by its SDP, picture by picture', async () => {
  const [port, file] = [await freePortPair(), clip()];
  const sdp = join(temporaryFolder(), 'stream.sdp');
  const url = `rtp://127.0.0.1:${port}?localaddr=127.0.0.1`;
  const copy = [...QUIET, '-re', '-i', file, '-c:v', 'copy'];
  await start('ffmpeg', [...copy, '-frames:v', '1', '-sdp_file', sdp, '-f', 'rtp', url]).ended;
  const description = parseSessionDescription(readFileSync(sdp, 'utf8'), H265);
  if (!description.ok) throw new Error(description.malformed);
  const { payloadType, parameterSets } = description.value;
  const send = () => start('ffmpeg', [...copy, '-rtpflags', 'send_bye', '-f', 'rtp', url]).ended;
  const { summary, output } = await receive(port, send, { payloadType, parameterSets });
  expect(summary).toMatchObject({ foreign: 0, malformed: 0, frames: { total: FRAMES, onTime: FRAMES } });
  expect(summary.media).toMatchObject({ width: 320, height: 180 });
  expect(pictures(output)).toEqual(pictures(file));
});

withFfmpeg("sends HEVC as plain RTP so that ffmpeg's receiver decodes what the file holds", async () => {
  const port = await freePortPair();
  const sdp = join(temporaryFolder(), 'stream.sdp');
  const allowed = ['-protocol_whitelist', 'file,udp,rtp', '-i', sdp];
  let receiving: ReturnType<typeof start> | undefined;
  await sendSample(port, async (text) => {
    writeFileSync(sdp, text);
    receiving = start('ffmpeg', [...QUIET, ...allowed, '-fps_mode', 'passthrough', '-f', 'framemd5', '-']);
    await untilBound(port);
  });
  // ffmpeg ends at BYE, in most cases.
  const patience = setTimeout(() => receiving!.process.kill('SIGINT'), 5_000);
  const { stdout } = await receiving!.ended;
  clearTimeout(patience);
  const received = hashesIn(stdout);
  const expected = pictures(SAMPLE);
  // The last packets may come after ffmpeg has read BYE.
  expect(received.length).toBeGreaterThan(expected.length / 2);
  expect(received).toEqual(expected.slice(0, received.length));
});

withGStreamer('receives HEVC from GStreamer over plain RTP, picture by picture', async () => {
  const [port, file] = [await freePortPair(), clip()];
  const source = ['filesrc', `location=${file}`, '!', 'matroskademux', '!', 'h265parse', '!'];
  const payloader = ['rtph265pay', 'config-interval=-1', 'aggregate-mode=zero-latency', 'mtu=400', '!'];
  const sink = ['udpsink', 'host=127.0.0.1', `port=${port}`, 'bind-address=127.0.0.1', 'sync=true'];
  const { summary, output } = await receive(port, async () => {
    const { code, stderr } = await start('gst-launch-1.0', ['-q', ...source, ...payloader, ...sink]).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
  expect(summary).toMatchObject({ foreign: 0, malformed: 0, frames: { total: FRAMES } });
  expect(pictures(output)).toEqual(pictures(file));
});

withGStreamer("sends HEVC as plain RTP so that GStreamer's depayloader returns it", async () => {
  const port = await freePortPair();
  const output = join(temporaryFolder(), 'received.h265');
  const caps = 'application/x-rtp,media=video,clock-rate=90000,encoding-name=H265,payload=96';
  const source = ['udpsrc', 'address=127.0.0.1', `port=${port}`, `caps=${caps}`, '!', 'rtph265depay', '!'];
  const sink = ['h265parse', '!', 'video/x-h265,stream-format=byte-stream,alignment=au', '!', 'filesink'];
  const receiving = start('gst-launch-1.0', ['-q', '-e', ...source, ...sink, `location=${output}`]);
  await untilBound(port);
  await sendSample(port, async () => {});
  receiving.process.kill('SIGINT');
  await receiving.ended;
  expect(pictures(output)).toEqual(pictures(SAMPLE));
});
