import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSound, type SoundWishes } from '../../../io/sources/open-sound.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { all, SAMPLES, temporaryFolder, withFfmpeg } from './media.ts';

const testOnUnix = test.skipIf(process.platform === 'win32');

/** A stand-in for ffmpeg that tells its version, and then does this. */
function standIn(folder: string, then: string): string {
  const path = join(folder, 'ffmpeg');
  const script = ['#!/bin/sh', 'case "$*" in', '*-version*) echo "ffmpeg version 7.0 stand-in";;'];
  script.push('*-encoders*) echo " V..... libx264";;', `*) ${then};;`, 'esac', '');
  writeFileSync(path, script.join('\n'), { mode: 0o755 });
  return path;
}

/** Looks for the sound of a film that only ffmpeg can read, beside pictures that are open. */
async function soundOfFilm(then: string, sound: SoundWishes = {}) {
  const folder = temporaryFolder();
  const film = join(folder, 'film.avi');
  writeFileSync(film, 'RIFF\0\0\0\0AVI LIST');
  const lines: string[] = [];
  const warn = (line: string) => lines.push(line);
  const options = { encode: 'copy', bitrate: 1, gop: 1, warn } as const;
  const pictures = await openMediaSource(join(SAMPLES, 'counter.h264'), options);
  onTestFinished(() => pictures.close());
  lines.length = 0;
  const opened = await openSound(film, pictures, { sound, ffmpeg: standIn(folder, then), patienceMs: 200, warn });
  return { film, opened, lines };
}

testOnUnix('says that the tracks were not found out in time, and that the film is sent without sound', async () => {
  const { film, opened, lines } = await soundOfFilm('exec sleep 600');
  expect(opened).toBeUndefined();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /its sound tracks could not be found out \(timeout: no answer within [\d.]+ s\): it is sent without sound$/,
  );
  expect(lines[0]?.startsWith(`${film}: `)).toBe(true);
});

testOnUnix('says what ffmpeg says when it cannot read the tracks either', async () => {
  const { film, lines } = await soundOfFilm(`echo "Input/output error" >&2; exit 1`);
  expect(lines).toEqual([
    `${film}: its sound tracks could not be found out (Input/output error): it is sent without sound`,
  ]);
});

testOnUnix('does not claim that a named track is missing when the tracks are not known', async () => {
  await expect(soundOfFilm('exec sleep 600', { track: 'eng' })).rejects.toThrow(
    /its sound tracks could not be found out \(timeout: no answer within [\d.]+ s\)$/,
  );
});

testOnUnix('says nothing about a film whose tracks are known to have no sound', async () => {
  const list = `Input #0, avi, from 'film.avi':\n  Stream #0:0: Video: h264, yuv420p, 64x64, 25 fps`;
  const { opened, lines } = await soundOfFilm(`echo "${list}" >&2; exit 1`);
  expect(opened).toBeUndefined();
  expect(lines).toEqual([]);
});

withFfmpeg('streams the sound of a file on a web server', async () => {
  const film = readFileSync(join(SAMPLES, 'flash.mp4'));
  const server = createServer((request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'Content-Range': `bytes ${from}-${film.length - 1}/${film.length}`, 'Accept-Ranges': 'bytes' };
    response.writeHead(206, { ...range, 'Content-Length': film.length - from });
    response.end(film.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/flash.mp4`;
  const lines: string[] = [];
  const note = (line: string) => lines.push(line);
  const options = { encode: 'auto', bitrate: 300_000, gop: 30, sound: {}, warn: note, inform: note } as const;
  const source = await openMediaSource(url, options);
  const packets = source.sound ? await all(source.sound.units()) : [];
  await source.close();
  expect(source.sound?.description).toMatchObject({ codecName: 'opus', channels: 2 });
  expect(packets.length).toBeGreaterThan(0);
  expect(lines.join('\n')).toContain(`${url}: sound: `);
});
