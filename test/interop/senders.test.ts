import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Log } from '../../io/os/log.ts';
import { parseSessionDescription } from '../../protocol/sdp.ts';
import { RtpClient } from '../../session/rtp/rtp-client.ts';
import type { RtpClientOptions } from '../../session/rtp/rtp-client-options.ts';
import { ReceiveRun } from '../../session/run/receive-run.ts';
import type { RunSummary } from '../../session/run/run-summary.ts';
import type { ClientEnd } from '../../session/stream/client.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { SAMPLES, temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { decode } from './ffmpeg.ts';
import { freePortPair, hasGStreamer, isInstalled, start, untilBound } from './programs.ts';

const hasFfmpeg = isInstalled('ffmpeg');
const withFfmpeg = optional('ffmpeg', hasFfmpeg);
const withGStreamer = optional(
  'GStreamer with x264enc and rtph264pay, and ffmpeg',
  hasFfmpeg && hasGStreamer('x264enc', 'rtph264pay', 'h264parse'),
);

const FRAMES = 45;
/** Long enough for the stalls of a busy machine. */
const LATENCY_MS = 1_500;
const SAMPLE = join(SAMPLES, 'counter.mp4');
const QUIET = ['-hide_banner', '-v', 'error', '-re'];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '3', '-g', '30', '-b_strategy', '0'];
const pattern = (frames = FRAMES) => ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-frames:v', `${frames}`];
const rtpTo = (port: number) => `rtp://127.0.0.1:${port}?localaddr=127.0.0.1`;

interface Outcome {
  readonly end: ClientEnd;
  readonly summary: RunSummary;
  readonly decoded: ReturnType<typeof decode>;
}

/** Receives into a file while `send` runs, and decodes the file. */
async function receive(
  port: number,
  send: () => Promise<unknown>,
  options: Partial<RtpClientOptions> = {},
): Promise<Outcome> {
  const output = join(temporaryFolder(), 'received.h264');
  const run = new ReceiveRun({
    connect: (events) =>
      new RtpClient(
        {
          name: `rtp://127.0.0.1:${port}`,
          host: '127.0.0.1',
          port,
          codecName: 'h264',
          payloadType: undefined,
          parameterSets: [],
          latencyMs: LATENCY_MS,
          recovery: 'reorder',
          release: 'deadline',
          onLoss: 'freeze',
          link: undefined,
          timeoutMs: 10_000,
          ...options,
        },
        events,
      ),
    transport: 'rtp',
    ipv6: false,
    latencyMs: LATENCY_MS,
    recovery: 'reorder',
    link: options.link,
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
  const end = await running;
  return { end, summary: run.summary, decoded: decode(output) };
}

async function ffmpeg(...args: string[]): Promise<void> {
  const { code, stderr } = await start('ffmpeg', [...QUIET, ...args]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

const whole = (frames: number) => ({ total: frames, onTime: frames, incomplete: 0, undecodable: 0, neverArrived: 0 });

withFfmpeg('receives a stream with B-frames from ffmpeg completely, and ends at BYE', async () => {
  const port = await freePortPair();
  const { end, summary, decoded } = await receive(port, () =>
    ffmpeg(...pattern(), ...X264, '-rtpflags', 'send_bye', '-f', 'rtp', rtpTo(port)),
  );
  expect(end).toBe('end-of-stream');
  expect(summary).toMatchObject({ sessions: 1, foreign: 0, malformed: 0, frames: whole(FRAMES) });
  expect(summary.media).toMatchObject({ width: 320, height: 180, framesPerSecond: 30 });
  expect(summary.packets.neverArrived).toBe(0);
  expect(decoded).toEqual({ pictures: FRAMES, complaints: [] });
});

withFfmpeg('takes the parameter sets from the session description when ffmpeg copies a file', async () => {
  const port = await freePortPair();
  const sdp = join(temporaryFolder(), 'stream.sdp');
  const copy = ['-i', SAMPLE, '-c:v', 'copy', '-frames:v', `${FRAMES}`];
  // Run once for the description; no program listens.
  await start('ffmpeg', [...QUIET, ...copy, '-sdp_file', sdp, '-f', 'rtp', rtpTo(port)]).ended;
  const description = parseSessionDescription(readFileSync(sdp, 'utf8'));
  expect(description).toMatchObject({ ok: true, value: { host: '127.0.0.1', port, payloadType: 96 } });
  if (!description.ok) return;
  const { payloadType, parameterSets } = description.value;
  const { end, summary, decoded } = await receive(port, () => ffmpeg(...copy, '-f', 'rtp', rtpTo(port)), {
    payloadType,
    parameterSets,
  });
  expect(end).toBe('sender-stopped'); // without send_bye, ffmpeg stops without a BYE
  expect(summary.frames).toMatchObject(whole(FRAMES));
  expect(decoded).toEqual({ pictures: FRAMES, complaints: [] });
});

withFfmpeg('rejects such a stream without its description, in one line that says what is missing', async () => {
  const port = await freePortPair();
  const copy = ['-i', SAMPLE, '-c:v', 'copy', '-frames:v', `${FRAMES}`];
  await expect(
    receive(port, () => ffmpeg(...copy, '-rtpflags', 'send_bye', '-f', 'rtp', rtpTo(port)), { timeoutMs: 5_000 }),
  ).rejects.toThrow(/no key frame with parameter sets \(SPS, PPS\)/);
});

withFfmpeg('rejects RTP of another payload type, and anything but RTP, in one line', async () => {
  const port = await freePortPair();
  const transport = [...pattern(30), '-c:v', 'mpeg2video', '-f', 'rtp_mpegts', rtpTo(port)];
  await expect(receive(port, () => ffmpeg(...transport), { timeoutMs: 5_000 })).rejects.toThrow(
    /RTP of payload type 33 instead of H\.264/,
  );
  const raw = [...pattern(30), '-c:v', 'mpeg2video', '-f', 'mpegts', `udp://127.0.0.1:${port}?localaddr=127.0.0.1`];
  await expect(receive(port, () => ffmpeg(...raw), { timeoutMs: 5_000 })).rejects.toThrow(/instead of H\.264/);
  await expect(receive(port, async () => {}, { timeoutMs: 500 })).rejects.toThrow(
    /timeout: nothing received for 0\.5 s/,
  );
});

withFfmpeg('treats a restarted sender as another session of the stream', async () => {
  const port = await freePortPair();
  const once = () => ffmpeg(...pattern(45), ...X264, '-rtpflags', 'send_bye', '-f', 'rtp', rtpTo(port));
  const { end, summary, decoded } = await receive(port, async () => {
    await once();
    await once();
  });
  expect(end).toBe('end-of-stream');
  expect(summary).toMatchObject({ sessions: 2, frames: whole(90) });
  expect(decoded).toEqual({ pictures: 90, complaints: [] });
});

withFfmpeg('restores the order of frames over a link whose jitter is below the latency', async () => {
  const port = await freePortPair();
  const link = parseLinkSpecification('delay=20ms jitter=60ms seed=3');
  if (!link.ok) throw new Error(link.malformed);
  const { summary, decoded } = await receive(
    port,
    () => ffmpeg(...pattern(), ...X264, '-rtpflags', 'send_bye', '-f', 'rtp', rtpTo(port)),
    { link: link.value },
  );
  expect(summary.packets.reordered).toBeGreaterThan(0);
  expect(summary.frames).toMatchObject(whole(FRAMES));
  expect(decoded).toEqual({ pictures: FRAMES, complaints: [] });
});

for (const bFrames of [0, 2]) {
  withGStreamer(`receives a stream with ${bFrames} B-frames from GStreamer completely`, async () => {
    const port = await freePortPair();
    const picture = 'video/x-raw,width=320,height=180,framerate=30/1';
    const encoder = ['x264enc', 'speed-preset=ultrafast', `bframes=${bFrames}`, 'b-adapt=false', 'key-int-max=30'];
    const sink = ['udpsink', 'host=127.0.0.1', `port=${port}`, 'bind-address=127.0.0.1'];
    const { end, summary, decoded } = await receive(port, async () => {
      const source = ['videotestsrc', `num-buffers=${FRAMES}`, 'is-live=true', '!', picture, '!'];
      const payloader = ['!', 'rtph264pay', 'config-interval=-1', 'aggregate-mode=zero-latency', '!'];
      const { code, stderr } = await start('gst-launch-1.0', ['-q', ...source, ...encoder, ...payloader, ...sink])
        .ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    });
    expect(end).toBe('sender-stopped');
    expect(summary).toMatchObject({ sessions: 1, foreign: 0, malformed: 0, frames: whole(FRAMES) });
    expect(decoded).toEqual({ pictures: FRAMES, complaints: [] });
  });
}

optional('GStreamer with rtpulpfecenc, and ffmpeg', hasFfmpeg && hasGStreamer('x264enc', 'rtph264pay', 'rtpulpfecenc'))(
  'recovers lost packets by the parity of GStreamer, which is no gap in their numbers',
  async () => {
    const port = await freePortPair();
    const link = parseLinkSpecification('loss=3% seed=5');
    if (!link.ok) throw new Error(link.malformed);
    const send = async () => {
      const source = [
        'videotestsrc',
        `num-buffers=${FRAMES * 2}`,
        'is-live=true',
        '!',
        'x264enc',
        'tune=zerolatency',
        '!',
      ];
      const payloader = ['rtph264pay', 'config-interval=-1', 'pt=96', '!'];
      const parity = ['rtpulpfecenc', 'pt=122', 'percentage=100', 'percentage-important=100', '!'];
      const sink = ['udpsink', 'host=127.0.0.1', `port=${port}`, 'bind-address=127.0.0.1'];
      return start('gst-launch-1.0', ['-q', ...source, ...payloader, ...parity, ...sink]).ended;
    };
    const { summary } = await receive(port, send, { link: link.value, timeoutMs: 3_000 });
    expect(summary.packets.repaired).toBeGreaterThan(0);
    expect(summary.foreign).toBe(0);
    expect(summary.frames.recovered).toBeGreaterThan(summary.frames.incomplete);
  },
);
