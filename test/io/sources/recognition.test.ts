import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codecOfAnnexB } from '../../../io/sources/annex-b-file.ts';
import { examineInput } from '../../../io/sources/input-file.ts';
import { parseTestPattern } from '../../../io/sources/test-pattern.ts';
import { SAMPLES, temporaryFolder } from './media.ts';

const clip = readFileSync(join(SAMPLES, 'counter.h264')).subarray(0, 65_536);

test('recognizes raw H.264 by its content, also after zeros and without parameter sets', () => {
  expect(codecOfAnnexB(clip)).toBe('h264');
  expect(codecOfAnnexB(Buffer.concat([new Uint8Array(9), clip]))).toBe('h264');
  expect(codecOfAnnexB(Uint8Array.of(0, 0, 1, 0x65, 0x88, 0x84, 0, 0, 1, 0x41, 0x9a))).toBe('h264');
});

test.each([
  ['an MP4 file', readFileSync(join(SAMPLES, 'counter.mp4')).subarray(0, 65_536)],
  // VPS, SPS and a slice: their first bytes are valid H.264 headers too.
  ['HEVC', Uint8Array.of(0, 0, 0, 1, 0x40, 1, 0x0c, 0, 0, 1, 0x42, 1, 1, 0, 0, 1, 0x26, 1, 0xaf)],
  // sequence_header_code; random bytes after it may look like parameter sets.
  ['MPEG-2', Buffer.concat([Uint8Array.of(0, 0, 1, 0xb3, 0x28, 1), clip])],
  ['a program stream', Uint8Array.of(0, 0, 1, 0xba, 0x44, 0, 4)],
  ['text', Buffer.from('hello, world')],
  ['one zero', Uint8Array.of(0)],
  ['nothing', new Uint8Array(0)],
  ['zeros', new Uint8Array(1_000)],
])('does not take %s for raw H.264', (_name, bytes) => {
  expect(codecOfAnnexB(bytes)).toBeUndefined();
});

test('parses size, rate and length of a test pattern, with defaults', () => {
  expect(parseTestPattern('testsrc')).toEqual({
    width: 1280,
    height: 720,
    framesPerSecond: 30,
    durationSeconds: undefined,
  });
  expect(parseTestPattern('testsrc=640x360@29.97:1.5')).toEqual({
    width: 640,
    height: 360,
    framesPerSecond: 29.97,
    durationSeconds: 1.5,
  });
  expect(parseTestPattern('testsrc:10s')).toMatchObject({ width: 1280, durationSeconds: 10 });
});

test.each([
  'testsrc=640',
  'testsrc=641x360',
  'testsrc=0x0',
  'testsrc@0',
  'testsrc@1000',
  'testsrc:0',
  'testsrc=99999x2',
  'testsrc=640x360@30:',
])('rejects %s as wrong usage', (input) => {
  expect(() => parseTestPattern(input)).toThrow(expect.objectContaining({ exitCode: 2 }));
});

test.each(['testsrc.mp4', 'testsrc/clip.mp4', 'testsrc2', 'testsrc-1.h264', 'my testsrc'])(
  'takes %s for a file',
  (input) => {
    expect(parseTestPattern(input)).toBeUndefined();
  },
);

test('leaves a URL to ffmpeg unless a file has that name', async () => {
  expect(await examineInput('rtsp://camera.example/stream')).toEqual({ kind: 'other' });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a:b.bin'), 'x');
  expect(await examineInput(join(folder, 'a:b.bin'))).toMatchObject({ kind: 'file' });
});
