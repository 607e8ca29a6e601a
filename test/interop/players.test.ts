import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { RtpSender } from '../../session/rtp/rtp-sender.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { PATIENCE } from '../patience.ts';
import { atSpeedOfReader, clip } from './clip.ts';
import { freePortPair, hasGStreamer, isInstalled, start, untilBound } from './programs.ts';

const withFfmpeg = optional('ffmpeg', isInstalled('ffmpeg'));
const withGStreamer = optional(
  'GStreamer with sdpdemux, rtph264depay and avdec_h264',
  hasGStreamer('sdpdemux', 'rtph264depay', 'avdec_h264'),
);

const FRAMES = 45;

/** A sender that has written its session description to a file and has not started. */
async function describedSender(file: string) {
  const port = await freePortPair();
  const source = atSpeedOfReader(await clip(file, FRAMES), port);
  const options = { source, host: '127.0.0.1', port, loop: false, datagramBytesMax: 1_200, onStall: () => {} };
  const sender = new RtpSender(options);
  await sender.open();
  onTestFinished(() => sender.stop());
  const sdp = join(temporaryFolder(), 'stream.sdp');
  writeFileSync(sdp, sender.sessionDescription);
  return { sender, port, sdp };
}

for (const file of ['counter.h264', 'counter.mp4']) {
  withFfmpeg(`lets ffmpeg play every frame of ${file} from the session description, until BYE`, async () => {
    const { sender, port, sdp } = await describedSender(file);
    const input = ['-protocol_whitelist', 'file,udp,rtp', '-localaddr', '127.0.0.1', '-i', sdp];
    const output = ['-fps_mode', 'passthrough', '-f', 'framecrc', '-'];
    const player = start('ffmpeg', ['-hide_banner', '-v', 'warning', ...input, ...output]);
    await untilBound(port);
    await sender.run();
    const { code, stdout, stderr } = await player.ended;
    const pictures = stdout.split('\n').filter((line) => /^\d/.test(line));
    expect(stderr).not.toMatch(/missed|error|corrupt|concealing/i);
    expect(pictures.length).toBe(FRAMES);
    expect(sender.statistics).toMatchObject({ frames: FRAMES, framesRefused: 0 });
    expect(code).toBe(0);
  });

  withGStreamer(`lets GStreamer play every frame of ${file} from the session description`, async () => {
    const { sender, port, sdp } = await describedSender(file);
    const sinks = ['rtph264depay', '!', 'avdec_h264', '!', 'fakesink', 'silent=false', 'sync=false', 'name=pictures'];
    const player = start('gst-launch-1.0', ['-v', '-m', 'filesrc', `location=${sdp}`, '!', 'sdpdemux', '!', ...sinks]);
    await untilBound(port);
    await sender.run();
    const pictures = () => player.output.stdout.match(/pictures: last-message = chain/g) ?? [];
    await expect.poll(() => pictures().length, PATIENCE).toBe(FRAMES);
    player.process.kill('SIGINT');
    await player.ended;
    expect(pictures().length).toBe(FRAMES);
  });
}
