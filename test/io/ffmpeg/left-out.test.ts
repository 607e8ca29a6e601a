import { expect, test } from 'vitest';
import { readLeftOut } from '../../../io/ffmpeg/left-out.ts';

const LIST = `
Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'film.mp4':
  Chapters:
    Chapter #0:0: start 0.000000, end 2.000000
    Chapter #0:1: start 2.000000, end 4.000000
  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 160x120, 25 fps (default)
  Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, mono, fltp, 69 kb/s (default)
  Stream #0:2[0x3](eng): Audio: ac3, 48000 Hz, stereo
  Stream #0:3[0x4](deu): Audio: aac (LC), 48000 Hz, stereo
  Stream #0:4[0x5](und): Subtitle: mov_text (tx3g / 0x67337874), 0 kb/s (default)
  Stream #0:5[0x6](eng): Data: none (tmcd / 0x64636D74), 0 kb/s
  Stream #0:6[0x7](eng): Data: bin_data (text / 0x74786574), 0 kb/s
  Stream #0:7[0x0]: Video: png, rgb24(pc), 64x64, 90k tbr, 90k tbn (attached pic)
`;

test('tracks that are not streamed are named by kind and codec', () => {
  expect(readLeftOut(LIST, { pictures: true, sound: true })).toEqual([
    '2 other sound tracks (ac3, aac)',
    '1 subtitle track (mov_text)',
    '1 timecode track',
    '1 data track (bin_data)',
    '1 attached picture (png)',
    '2 chapters',
  ]);
});

test('without sound, all of it is left out', () => {
  expect(readLeftOut(LIST, { pictures: true, sound: false })[0]).toBe('3 other sound tracks (aac, ac3)');
});

test('nothing is said of a file of one picture and one sound', () => {
  const list = LIST.split('\n').slice(0, 1).concat(LIST.split('\n').slice(5, 7)).join('\n');
  expect(readLeftOut(list, { pictures: true, sound: true })).toEqual([]);
});
