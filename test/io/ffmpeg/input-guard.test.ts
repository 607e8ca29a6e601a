import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inputGuard } from '../../../io/ffmpeg/input-guard.ts';
import { examineContainer } from '../../../io/sources/container-file.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { SAMPLES, temporaryFolder, withFfmpeg } from '../sources/media.ts';

const allowed = (options: readonly string[], name: string): readonly string[] =>
  options[options.indexOf(name) + 1]!.split(',');

test('limits a file to the file protocol and to formats that name no other files', () => {
  for (const input of ['clip.mp4', 'file:/videos/clip.mp4', 'C:\\videos\\clip.mp4']) {
    const options = inputGuard(input);
    expect(allowed(options, '-protocol_whitelist')).toEqual(['file']);
    const formats = allowed(options, '-format_whitelist');
    expect(formats).toContain('mov');
    for (const format of ['hls', 'dash', 'concat', 'image2', 'sdp', 'lavfi', 'imf'])
      expect(formats).not.toContain(format);
  }
});

test.each(['https://host/live.m3u8', 'rtsp://camera/1', 'udp://0.0.0.0:5000', 'srt://host:9000', 'RTMP://host/app'])(
  'limits %s to network protocols',
  (input) => {
    const protocols = allowed(inputGuard(input), '-protocol_whitelist');
    expect(protocols).toContain(input.slice(0, input.indexOf(':')).toLowerCase());
    for (const local of ['file', 'concat', 'subfile', 'pipe', 'data', 'fd']) expect(protocols).not.toContain(local);
  },
);

test.each(['concat:a.ts|b.ts', 'subfile,,start,0,end,9,,:a.ts', 'data:text/plain,x', 'crypto:a.ts', 'pipe:0'])(
  'rejects %s as wrong usage',
  (input) => {
    expect(() => inputGuard(input)).toThrow(expect.objectContaining({ exitCode: 2 }));
  },
);

test('every file that gives ffmpeg an input restricts it', () => {
  const root = join(import.meta.dirname, '../../..');
  const rooms = ['cli', 'io', 'lab', 'session'];
  const files = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true }).map((path) => join(room, `${path}`)),
  );
  const naming = files.filter(
    (path) => path.endsWith('.ts') && readFileSync(join(root, path), 'utf8').includes(`'-i'`),
  );
  expect(naming).toContain(join('io', 'ffmpeg', 'ffmpeg-probe.ts'));
  const open = naming.filter((path) => !/(?:input|pipe)Guard\(/.test(readFileSync(join(root, path), 'utf8')));
  // A player's input is what this program has written, with the format that it has.
  expect(open).toEqual([join('io', 'players', 'ffplay.ts')]);
});

describe('a playlist named .mp4', () => {
  const playlists = {
    HLS: (path: string) => `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${path}\n#EXT-X-ENDLIST\n`,
    ffconcat: (path: string) => `ffconcat version 1.0\nfile ${path}\n`,
  };
  for (const [kind, write] of Object.entries(playlists)) {
    for (const neighbor of ['absolute', 'relative'] as const) {
      withFfmpeg(`opens no other file: ${kind}, ${neighbor} path`, async () => {
        const folder = temporaryFolder();
        copyFileSync(join(SAMPLES, 'counter.mp4'), join(folder, 'secret.mp4'));
        const playlist = join(folder, 'clip.mp4');
        writeFileSync(playlist, write(neighbor === 'absolute' ? join(folder, 'secret.mp4') : 'secret.mp4'));
        expect((await examineContainer(playlist)).kind).not.toBe('h264');
        const opened = openMediaSource(playlist, { encode: 'auto', bitrate: 1_000_000, gop: 30, warn: () => {} });
        await expect(opened).rejects.toThrow(/which names other files|can read/);
      });
    }
  }
});
