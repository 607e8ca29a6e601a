import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, vi } from 'vitest';
import { addReceiverOptions } from '../../cli/receive.ts';
import { receiveTarget } from '../../cli/receive-target.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { RtpClient } from '../../session/rtp/rtp-client.ts';
import { SAMPLES, temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { PATIENCE } from '../patience.ts';
import { freePortPair, isInstalled, start } from './programs.ts';

const withFfmpeg = optional('ffmpeg', isInstalled('ffmpeg'));
const CLIP = join(SAMPLES, 'flash.mp4');

for (const [codec, coding, concealable] of [
  ['opus', ['-c:a', 'libopus', '-b:a', '48k'], 20],
  ['mp4a.40.2', ['-c:a', 'copy'], 22],
] as const) {
  withFfmpeg(`receives the sound of ffmpeg beside its pictures, ${codec}`, async () => {
    const [port, soundPort] = [await freePortPair(), await freePortPair()];
    const sdp = join(temporaryFolder(), 'film.sdp');
    const to = (where: number) => [
      '-f',
      'rtp',
      '-rtpflags',
      'send_bye',
      `rtp://127.0.0.1:${where}?localaddr=127.0.0.1`,
    ];
    // Sends from the start again, until the description is there and somebody listens.
    const input = ['-nostdin', '-v', 'error', '-re', '-stream_loop', '-1', '-i', CLIP];
    const pictures = ['-map', '0:v', '-c:v', 'copy', ...to(port)];
    const sending = start('ffmpeg', [
      ...input,
      ...pictures,
      '-map',
      '0:a',
      ...coding,
      ...to(soundPort),
      '-sdp_file',
      sdp,
    ]);
    try {
      await vi.waitFor(() => expect(existsSync(sdp) && readFileSync(sdp, 'utf8')).toContain('m=audio'), PATIENCE);
      const target = await receiveTarget(sdp, addReceiverOptions(new Command()));
      if (target.kind !== 'rtp') throw new Error('a description is for plain RTP');
      const [sounds, frames]: [AccessUnit[], AccessUnit[]] = [[], []];
      const client = new RtpClient(
        {
          ...target,
          ...{ name: 'film.sdp', latencyMs: 1_000, recovery: 'reorder', release: 'deadline', onLoss: 'freeze' },
          ...{ link: undefined, timeoutMs: 60_000 },
        },
        {
          onWaiting: () => {},
          onStream: ({ sound }) => expect(sound).toMatchObject({ decoder: codec }),
          onUnit: (unit) => frames.push(unit),
          onRecordedUnit: () => {},
          onSound: (unit) => sounds.push(unit),
          onDrop: () => {},
          onDatagram: () => {},
        },
      );
      const ended = client.run();
      await vi.waitFor(() => expect(sounds.length).toBeGreaterThan(100), PATIENCE);
      client.stop();
      await ended;
      expect(frames.length).toBeGreaterThan(30);
      const record = client.sound!;
      expect(record.sessions[0]!.packets.neverArrived).toBe(0);
      expect(record.concealedMs).toBeLessThan(concealable);
      // As far apart as their timestamps say: 20 ms, or 1,024 samples at 48 kHz.
      const steps = sounds.slice(1, 90).map(({ timestamp }, index) => timestamp - sounds[index]!.timestamp);
      const usual = steps.toSorted((a, b) => a - b)[steps.length >> 1]!;
      expect(usual).toBe(codec === 'opus' ? 1_800 : 1_920);
    } finally {
      sending.process.kill('SIGKILL');
      await sending.ended;
    }
  });
}
