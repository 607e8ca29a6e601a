import { expect } from 'vitest';
import { makeIdentity } from '../../io/crypto/identity.ts';
import { Log } from '../../io/os/log.ts';
import { RtspServer, type RtspServerOptions } from '../../session/rtsp/rtsp-server.ts';
import { optional } from '../optional.ts';
import { listening, liveOf } from '../session/serve-live.ts';
import { clip } from './clip.ts';
import { hasGStreamer, isInstalled, start } from './programs.ts';

const withFfmpeg = optional('ffmpeg', isInstalled('ffmpeg'));
const withGStreamer = optional(
  'GStreamer with rtspsrc, rtph264depay and avdec_h264',
  hasGStreamer('rtspsrc', 'rtph264depay', 'avdec_h264'),
);

const FRAMES = 45;

async function serve(file: string, options: Partial<RtspServerOptions> = {}): Promise<string> {
  const source = await clip(file, FRAMES);
  const live = liveOf(source);
  const log = new Log({ level: 'error' });
  const limits = { datagramBytesMax: 1_200, receiversMax: 4 };
  const server = new RtspServer({ live, source, host: '127.0.0.1', port: 0, ...limits, log, ...options });
  await listening(server, live);
  return server.urls[0]!;
}

for (const transport of ['tcp', 'udp']) {
  withFfmpeg(`lets ffmpeg play every frame by RTSP over ${transport}, until BYE`, async () => {
    const url = await serve('counter.h264');
    const output = ['-fps_mode', 'passthrough', '-f', 'framecrc', '-'];
    const player = start('ffmpeg', [
      '-hide_banner',
      '-v',
      'warning',
      '-rtsp_transport',
      transport,
      '-i',
      url,
      ...output,
    ]);
    const { code, stdout, stderr } = await player.ended;
    expect(stderr).not.toMatch(/missed|error|corrupt|concealing/i);
    expect(stdout.split('\n').filter((line) => /^\d/.test(line))).toHaveLength(FRAMES);
    expect(code).toBe(0);
  });

  withGStreamer(`lets GStreamer play every frame by RTSP over ${transport}, until BYE`, async () => {
    const url = await serve('counter.mp4');
    const decoding = [
      'rtph264depay',
      '!',
      'avdec_h264',
      '!',
      'fakesink',
      'silent=false',
      'sync=false',
      'name=pictures',
    ];
    const source = ['rtspsrc', `location=${url}`, `protocols=${transport}`, 'latency=500'];
    const player = start('gst-launch-1.0', ['-v', ...source, '!', ...decoding]);
    const { code, stdout } = await player.ended;
    expect(stdout.match(/pictures: last-message = chain/g)).toHaveLength(FRAMES);
    expect(code).toBe(0);
  });
}

const CREDENTIALS = { user: 'camera', password: 'correct horse' };
const withLogin = (url: string): string => url.replace('://', '://camera:correct%20horse@');

withFfmpeg('lets ffmpeg in by TLS with the right login, and not with a wrong one', async () => {
  const url = await serve('counter.h264', { credentials: CREDENTIALS, identity: makeIdentity() });
  expect(url).toMatch(/^rtsps:/);
  const watch = (as: string) =>
    start('ffmpeg', ['-hide_banner', '-v', 'error', '-i', as, '-fps_mode', 'passthrough', '-f', 'framecrc', '-']).ended;
  const wrong = await watch(withLogin(url).replace('correct', 'wrong'));
  expect(wrong.stderr).toContain('401');
  const { code, stdout } = await watch(withLogin(url));
  expect(stdout.split('\n').filter((line) => /^\d/.test(line))).toHaveLength(FRAMES);
  expect(code).toBe(0);
});

withGStreamer('lets GStreamer in with the right login', async () => {
  const url = await serve('counter.mp4', { credentials: CREDENTIALS });
  const sinks = ['rtph264depay', '!', 'avdec_h264', '!', 'fakesink', 'silent=false', 'sync=false', 'name=pictures'];
  const login = ['user-id=camera', 'user-pw=correct horse'];
  const player = start('gst-launch-1.0', [
    '-v',
    'rtspsrc',
    `location=${url}`,
    ...login,
    'protocols=tcp',
    '!',
    ...sinks,
  ]);
  const { stdout } = await player.ended;
  expect(stdout.match(/pictures: last-message = chain/g)).toHaveLength(FRAMES);
});
