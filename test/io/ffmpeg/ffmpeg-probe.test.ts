import { expect, test } from 'vitest';
import { complaint } from '../../../io/ffmpeg/encoder.ts';
import { readProbe } from '../../../io/ffmpeg/ffmpeg-probe.ts';

/** Output of ffmpeg 5.1. */
const TRANSPORT_STREAM = `Input #0, mpegts, from 'clip.ts':
  Duration: 00:01:10.02, start: 10.023222, bitrate: 1528 kb/s
  Program 1
  Stream #0:0[0x101]: Audio: aac (LC) ([15][0][0][0] / 0x000F), 44100 Hz, stereo, fltp, 131 kb/s
  Stream #0:1[0x100]: Video: h264 (High) ([27][0][0][0] / 0x001B), yuv420p(progressive), 1280x720, 59.94 fps, 60 tbr, 90k tbn
At least one output file must be specified
`;

test('reads codec, rate and duration from the list of streams', () => {
  expect(readProbe(TRANSPORT_STREAM, 'clip.ts')).toEqual({
    video: { codec: 'h264', framesPerSecond: 59.94, rotation: 0, size: { width: 1280, height: 720 } },
    sound: [{ codec: 'aac', language: 'und' }],
    hasAudio: true,
    hasPresentationTimes: true,
    durationSeconds: 70.02,
    complaint: undefined,
  });
});

test('ignores a cover picture', () => {
  const song = `Input #0, mp3, from 'song.mp3':
  Duration: 00:00:01.04, start: 0.025057, bitrate: 5144 kb/s
  Stream #0:0: Audio: mp3, 44100 Hz, mono, fltp, 64 kb/s
  Stream #0:1: Video: png, rgb24(pc), 1280x720, 90k tbr, 90k tbn (attached pic)`;
  expect(readProbe(song, 'song.mp3')).toMatchObject({ video: undefined, hasAudio: true });
});

test('knows that AVI has no presentation times', () => {
  const film = `Input #0, avi, from 'a.avi':\n  Stream #0:0: Video: h264 (High), yuv420p, 640x360, 60 fps, 30 tbr`;
  expect(readProbe(film, 'a.avi').hasPresentationTimes).toBe(false);
});

test('reads a rate in thousands, and a missing rate as undefined', () => {
  const rate = (text: string) =>
    readProbe(`  Stream #0:0: Video: vp9, yuv420p, 64x64, ${text}`, 'x').video?.framesPerSecond;
  expect(rate('1k fps, 1k tbr')).toBe(1000);
  expect(rate('25 tbr, 1k tbn')).toBe(25);
  expect(rate('0 fps')).toBeUndefined();
});

test("returns ffmpeg's own message when nothing is found", () => {
  expect(readProbe('file:x.mp4: Invalid data found when processing input\n', 'file:x.mp4')).toMatchObject({
    video: undefined,
    complaint: 'Invalid data found when processing input',
  });
});

test.each([
  [
    '[mov,mp4 @ 0x55d0] moov atom not found\nx.mp4: Invalid data found when processing input\n',
    'Invalid data found when processing input',
  ],
  [
    '[in#0 @ 0x1] Error opening input: No such file or directory\nError opening input file x.mp4.\nError opening input files: No such file or directory',
    'No such file or directory',
  ],
  ['[h264 @ 0x2] no frame!\nConversion failed!\n', 'no frame!'],
  ['\n', undefined],
  ['At least one output file must be specified\n', undefined],
])('of %j the cause is %j', (output, cause) => {
  expect(complaint(output, 'x.mp4')).toBe(cause);
});

test('keeps the whole cause when no input is named', () => {
  expect(complaint('a.mp4: No such file or directory\n', '')).toBe('a.mp4: No such file or directory');
});

test('a line of the stream list is not an error', () => {
  const list = [
    "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'x.mp4':",
    '  Metadata:',
    '    creation_time   : 1995-08-15T05:27:12.000000Z',
    '  Duration: 00:00:01.00, bitrate: 3 kb/s',
    'At least one output file must be specified',
  ];
  expect(readProbe(list.join('\n'), 'x.mp4').complaint).toBe('no stream in it');
});

test.each([
  ['1k fps, 1k tbr, 1k tbn', undefined],
  ['1k tbr, 1k tbn', undefined],
  ['1k fps, 29.97 tbr, 1k tbn', 29.97],
  ['25 fps, 25 tbr, 25 tbn', 25],
  ['240 fps, 240 tbr, 90k tbn', 240],
])('of %j the frame rate is %s: the clock of the timestamps is none', (figures, rate) => {
  const line = `  Stream #0:0: Video: h264 (High), yuv420p, 64x48, ${figures}`;
  expect(readProbe(`Input #0, flv, from 'x.flv':\n${line}\n`, 'x.flv').video?.framesPerSecond).toBe(rate);
});

test.each([
  ['-90.00', 90],
  ['90.00', 270],
  ['180.00', 180],
])('reads a rotation of %s degrees, which is anticlockwise', (degrees, rotation) => {
  const matrix = `    Side data:\n      displaymatrix: rotation of ${degrees} degrees`;
  const output = `  Stream #0:0: Video: h264, yuv420p, 64x64, 25 fps\n${matrix}\n`;
  expect(readProbe(output, 'x').video?.rotation).toBe(rotation);
});
