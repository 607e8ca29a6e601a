import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Failure } from '../../../io/os/failure.ts';
import { Log } from '../../../io/os/log.ts';
import { liveInputOf } from '../../../io/sources/live-input.ts';
import { LiveSource } from '../../../io/sources/live-source.ts';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { RtspServer } from '../../../session/rtsp/rtsp-server.ts';
import { isInstalled } from '../../interop/programs.ts';
import { sourceOf } from '../../loopback-session.ts';
import { optional } from '../../optional.ts';
import { PATIENCE } from '../../patience.ts';
import { sampleUnits } from '../../sample-units.ts';
import { listening, liveOf } from '../../session/serve-live.ts';
import { SAMPLES, temporaryFolder } from './media.ts';

const UNITS = sampleUnits().slice(0, 5);

async function live(open: () => Promise<MediaSource>, returns: boolean) {
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const source = await LiveSource.open({ name: 'camera', open, returns, warn: say, inform: say });
  onTestFinished(() => source.close());
  return { source, said };
}

test('passes on what comes, and says that it has ended', async () => {
  const { source, said } = await live(async () => sourceOf(UNITS), false);
  const received = [];
  for await (const unit of source.units()) received.push(unit.parts);
  expect(received).toEqual(UNITS.map(({ parts }) => parts));
  expect(source.description).toMatchObject({ isLive: true, durationSeconds: undefined });
  expect(said).toEqual(['camera: the source has ended']);
});

test('opens a source that returns again, and its times go on', async () => {
  let opened = 0;
  const { source, said } = await live(async () => {
    opened++;
    if (opened === 2) throw new Failure('not yet');
    return sourceOf(UNITS);
  }, true);
  const times: number[] = [];
  for await (const unit of source.units()) {
    times.push(unit.decodeTimestamp);
    if (times.length === 2 * UNITS.length) break;
  }
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  // It was away for longer than a second, which its times show.
  expect(times[5]! - times[4]!).toBeGreaterThan(90_000);
  expect(said.map((line) => line.replace(/: it ended.*/, ''))).toEqual([
    'camera: the source is gone',
    'camera: the source is back',
  ]);
  expect(opened).toBe(3);
});

test('ends when a source returns with another codec, which its receivers cannot decode', async () => {
  let opened = 0;
  const { source } = await live(async () => {
    const made = sourceOf(UNITS);
    return opened++ === 0 ? made : { ...made, description: { ...made.description, codecName: 'h265' } };
  }, true);
  const reading = (async () => {
    for await (const _ of source.units()) void _;
  })();
  await expect(reading).rejects.toThrow('camera: it is h265 now, and was h264');
  expect(opened).toBe(2);
});

test('ends at once when it is closed while the source is away', async () => {
  const { source, said } = await live(async () => sourceOf(UNITS), true);
  const reading = (async () => {
    for await (const _ of source.units()) void _;
  })();
  await vi.waitFor(() => expect(said.length).toBe(1), PATIENCE);
  await source.close();
  await reading;
});

test.each([
  ['-', { url: 'pipe:0', returns: false }],
  ['udp://239.0.0.1:1234', { url: 'pipe:0', returns: true, hasSender: true, listens: false }],
  ['srt://:9000?latency=9&mode=listener', { returns: true, hasSender: true, listens: true }],
  ['tcp://127.0.0.1:9000?listen', { returns: true, hasSender: true, listens: true }],
  ['rtsp://camera/stream', { url: 'pipe:0', returns: true, hasSender: true, listens: false }],
  ['v4l2:/dev/video0', { url: '/dev/video0', options: ['-f', 'v4l2'], returns: false }],
  ['x11grab::0.0', { url: ':0.0', returns: false }],
])('%s is a live input', async (input, expected) => {
  expect(await liveInputOf(input)).toMatchObject(expected);
});

test.each(['film.mp4', 'https://example.org/film.mp4', 'concat:a|b', 'pipe:0', 'testsrc'])(
  '%s is none',
  async (input) => {
    expect(await liveInputOf(input)).toBeUndefined();
  },
);

const withFfmpeg = optional('ffmpeg and mkfifo', isInstalled('ffmpeg') && isInstalled('mkfifo', '--version'));
const options = { live: true, encode: 'copy', bitrate: 1_000_000, gop: 30, warn: () => {} } as const;

withFfmpeg('copies H.264 out of a named pipe', async () => {
  const pipe = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const clip = [
    '-v',
    'error',
    '-i',
    join(SAMPLES, 'counter.mp4'),
    '-frames:v',
    '40',
    '-c',
    'copy',
    '-f',
    'mpegts',
    '-y',
  ];
  const writer = spawn('ffmpeg', [...clip, pipe], { stdio: 'ignore' });
  onTestFinished(() => void writer.kill('SIGKILL'));
  const source = await openMediaSource(pipe, options);
  onTestFinished(() => source.close());
  expect(source.description).toMatchObject({ isLive: true, codecName: 'h264', width: 640, mode: 'copy' });
  let frames = 0;
  for await (const unit of source.units()) {
    if (frames === 0) expect(unit.importance).toBe('key');
    if (++frames === 40) break;
  }
  expect(frames).toBe(40);
});

withFfmpeg('a playlist in a pipe opens no file', async () => {
  const folder = temporaryFolder();
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const list = `ffconcat version 1.0\nfile '${join(SAMPLES, 'counter.mp4')}'\n`;
  const writer = spawn('sh', ['-c', `printf '%s' "$0" > "$1"`, list, pipe], { stdio: 'ignore' });
  onTestFinished(() => void writer.kill('SIGKILL'));
  await expect(openMediaSource(pipe, options)).rejects.toThrow(Failure);
});

withFfmpeg('reads a graph of lavfi on its own clock', async () => {
  const source = await openMediaSource('lavfi:testsrc2=size=160x90:rate=30', { ...options, encode: 'x264' });
  onTestFinished(() => source.close());
  expect(source.description).toMatchObject({ isLive: true, width: 160, mode: 'x264' });
});

/** MPEG-TS of 4 s between key frames, 25 pictures a second, which begins a second behind the first key frame. */
function cutTransportStream(): Buffer {
  const path = join(temporaryFolder(), 'clip.ts');
  const pictures = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25', '-frames:v', '300'];
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '100', '-b:v', '300k'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...pictures, ...encoder, '-f', 'mpegts', path]);
  const whole = readFileSync(path);
  return whole.subarray(Math.floor(whole.length / 12 / 188) * 188);
}

async function firstOf(source: MediaSource) {
  for await (const unit of source.units()) return unit;
  return undefined;
}

const withX264 = optional('ffmpeg and mkfifo', isInstalled('ffmpeg') && isInstalled('mkfifo', '--version'));

withX264('waits for the first key frame in a pipe, however far the usual analysis reads', async () => {
  const folder = temporaryFolder();
  const [pipe, file] = [join(folder, 'pipe'), join(folder, 'cut.ts')];
  execFileSync('mkfifo', [pipe]);
  writeFileSync(file, cutTransportStream());
  const writer = spawn('sh', ['-c', 'cat "$0" > "$1"', file, pipe], { stdio: 'ignore' });
  onTestFinished(() => void writer.kill('SIGKILL'));
  const source = await openMediaSource(pipe, options);
  onTestFinished(() => source.close());
  expect(source.description).toMatchObject({ codecName: 'h264', width: 160, height: 90 });
  expect((await firstOf(source))?.importance).toBe('key');
});

withX264('waits for the first key frame of another sender, and says so', async () => {
  const socket = createSocket('udp4');
  const free = createSocket('udp4');
  await new Promise<void>((resolve) => free.bind(0, '127.0.0.1', resolve));
  const { port } = free.address();
  await new Promise<void>((resolve) => free.close(() => resolve()));
  const cut = cutTransportStream();
  let at = 0;
  const sending = setInterval(() => {
    socket.send(cut.subarray(at, at + 7 * 188), port, '127.0.0.1');
    // The key frame remains a good way off while the beginning is examined.
    at = at + 7 * 188 < cut.length ? at + 7 * 188 : 0;
  }, 40);
  onTestFinished(() => {
    clearInterval(sending);
    socket.close();
  });
  const said: string[] = [];
  const inform = (message: string) => void said.push(message);
  const source = await openMediaSource(`udp://127.0.0.1:${port}`, { ...options, inform });
  onTestFinished(() => source.close());
  expect(source.description).toMatchObject({ isLive: true, codecName: 'h264', width: 160, height: 90 });
  expect((await firstOf(source))?.importance).toBe('key');
  expect(said).toContain(`udp://127.0.0.1:${port}: waiting for a key frame`);
});

withX264('examines and reads a sender that connects once from one connection', async () => {
  const free = createSocket('udp4');
  await new Promise<void>((resolve) => free.bind(0, '127.0.0.1', resolve));
  const { port } = free.address();
  await new Promise<void>((resolve) => free.close(() => resolve()));
  const clip = readFileSync(join(SAMPLES, 'counter.h264'));
  let connections = 0;
  const call = () => {
    const socket = connect(port, '127.0.0.1', () => {
      connections++;
      socket.write(clip);
    });
    // Nobody listens yet; an established connection is not made again.
    socket.on('error', () => connections === 0 && setTimeout(call, 100));
    onTestFinished(() => void socket.destroy());
  };
  const opening = openMediaSource(`tcp://127.0.0.1:${port}?listen`, options);
  call();
  const source = await opening;
  onTestFinished(() => source.close());
  expect((await firstOf(source))?.importance).toBe('key');
  expect(connections).toBe(1);
});

for (const [file, pictures, { width, height, sound }] of [
  ['counter.h264', 'as they are', { width: 640, height: 360, sound: false }],
  ['counter.mp4', 'with B-frames', { width: 640, height: 360, sound: false }],
  ['flash.mp4', 'without their sound, which is said', { width: 160, height: 90, sound: true }],
] as const) {
  withX264(`reads the pictures of a camera by RTSP, ${pictures}, from one session`, async () => {
    const film = await openMediaSource(join(SAMPLES, file), { ...options, live: false, sound: {} });
    onTestFinished(() => film.close());
    const joined: string[] = [];
    const log = new Log({ level: 'info', write: (line) => /joined/.test(line) && joined.push(line) });
    let stalls = 0;
    const live = liveOf(film, { onStall: () => stalls++ });
    const limits = { datagramBytesMax: 1_200, receiversMax: 1 };
    const camera = new RtspServer({ live, source: film, host: '127.0.0.1', port: 0, ...limits, log });
    await listening(camera, live);
    const said: string[] = [];
    const inform = (message: string) => void said.push(message);
    const source = await openMediaSource(camera.urls[0]!, { ...options, inform, sound: {} });
    onTestFinished(() => source.close());
    expect(source.description).toMatchObject({ isLive: true, codecName: 'h264', width, height, mode: 'copy' });
    expect(said.some((line) => /the sound of live sources is left out/.test(line))).toBe(sound);
    const times: number[] = [];
    for await (const unit of source.units()) {
      if (times.length === 0) expect(unit.importance).toBe('key');
      times.push(unit.timestamp);
      if (times.length === 45) break;
    }
    expect(joined.length).toBe(1);
    // ffmpeg does not know the time of the first packet.
    const shown = times.toSorted((a, b) => a - b).slice(2, 40);
    const interval = 90_000 / film.description.framesPerSecond!;
    const longer = shown.slice(1).map((at, index) => at - shown[index]! - interval);
    expect(Math.min(...longer)).toBeGreaterThanOrEqual(-1);
    // A stall of the camera moves all later pictures.
    expect(longer.filter((ticks) => ticks > 1).length).toBeLessThanOrEqual(stalls);
  });
}
