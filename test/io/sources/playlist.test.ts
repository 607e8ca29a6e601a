import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MediaDescription, MediaSource, SoundDescription } from '../../../io/sources/media-source.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { openPlaylist } from '../../../io/sources/playlist.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { browserNeeds } from '../../../session/whep/browser-needs.ts';
import { SAMPLES } from './media.ts';

const [SPS, PPS, IDR, SLICE] = [
  Uint8Array.of(0x67, 1),
  Uint8Array.of(0x68, 1),
  Uint8Array.of(0x65, 1),
  Uint8Array.of(0x61, 1),
];
const OTHER_SPS = Uint8Array.of(0x67, 2);

const unit = (parts: readonly Uint8Array[], importance: AccessUnit['importance']): AccessUnit => ({
  ...{ parts, importance, timestamp: ticks(0), decodeTimestamp: ticks(0) },
});

interface Film extends Partial<MediaDescription> {
  readonly sound?: Partial<SoundDescription>;
}

const STEREO: SoundDescription = {
  ...{ codecName: 'opus', decoder: 'opus', clockRate: 48_000, channels: 2, parameterSets: [] },
};

function playlistOf(films: Readonly<Record<string, Film>>) {
  const lines: string[] = [];
  const open: string[] = [];
  const source = openPlaylist({
    inputs: Object.keys(films) as [string, ...string[]],
    warn: (line) => lines.push(line),
    open: async (input): Promise<MediaSource> => {
      const { sound, ...film } = films[input]!;
      open.push(input);
      return {
        description: {
          ...{ name: input, codecName: 'h264', codec: 'avc1.64001e', width: 640, height: 360, framesPerSecond: 30 },
          ...{ durationSeconds: 10, mode: 'copy', parameterSets: [SPS, PPS], ...film },
        },
        sound: sound && { description: { ...STEREO, ...sound }, units: async function* () {} },
        units: async function* () {
          yield unit([IDR], 'key');
          yield unit([SLICE], 'reference');
        },
        close: async () => void open.splice(open.indexOf(input), 1),
      };
    },
  });
  return { source, lines, open };
}

test('keeps only the first input open, and knows how long all of them are', async () => {
  const { source, open } = playlistOf({ 'a.mp4': {}, 'b.mp4': { durationSeconds: 5 }, 'c.mp4': {} });
  const { description, playlist } = await source;
  expect(open).toEqual(['a.mp4']);
  expect(description.durationSeconds).toBe(25);
  expect(playlist!.length).toBe(3);
  const second = await playlist!.open(1);
  expect(open).toEqual(['a.mp4', 'b.mp4']);
  await second.close();
});

test('each key frame carries the parameter sets of its own input', async () => {
  const { source } = playlistOf({ 'a.mp4': {}, 'b.mp4': { parameterSets: [OTHER_SPS, PPS] } });
  const partsOf = async ({ units }: MediaSource) => {
    const parts: (readonly Uint8Array[])[] = [];
    for await (const each of units()) parts.push(each.parts);
    return parts;
  };
  expect(await partsOf(await source)).toEqual([[SPS, PPS, IDR], [SLICE]]);
  expect(await partsOf(await (await source).playlist!.open(1))).toEqual([[OTHER_SPS, PPS, IDR], [SLICE]]);
});

test('is encoded for browsers where a later input has B-frames', async () => {
  const wishes = { encode: 'copy', bitrate: 1_000_000, gop: 30, warn: () => {} } as const;
  const reordered = await openMediaSource(join(SAMPLES, 'counter.mp4'), wishes);
  const { parameterSets } = reordered.description;
  await reordered.close();
  const plain = await playlistOf({ 'a.mp4': {}, 'b.mp4': {} }).source;
  expect(browserNeeds(plain).pictures).toBeUndefined();
  const mixed = await playlistOf({ 'a.mp4': {}, 'b.mp4': { parameterSets } }).source;
  expect(browserNeeds(mixed).pictures).toBe('H.264 with B-frames');
});

describe('is refused in one line, with everything closed', () => {
  test.each<[string, Film, Film, string]>([
    ['another size', {}, { width: 320, height: 180 }, 'b.mp4 has the size 320×180, a.mp4 640×360: '],
    ['another rotation', {}, { rotation: 90 }, 'b.mp4 has the size 640×360 turned by 90°, a.mp4 640×360: '],
    ['another codec', {}, { codecName: 'h265' }, 'b.mp4 has the codec h265, a.mp4 h264: '],
    [
      'other sound',
      { sound: {} },
      { sound: { codecName: 'aac', clockRate: 44_100, channels: 1 } },
      'b.mp4 has the sound aac 44100 Hz, 1 channel, a.mp4 opus 48000 Hz, 2 channels: ',
    ],
    ['a live source', {}, { isLive: true }, 'b.mp4 is a live source, which cannot be part of a playlist'],
  ])('%s', async (_, first, second, message) => {
    const { source, open } = playlistOf({ 'a.mp4': first, 'b.mp4': second });
    await expect(source).rejects.toThrow(message);
    await expect(source).rejects.not.toThrow('\n');
    expect(open).toEqual([]);
  });
});

test('says which input is silent', async () => {
  const { source, lines } = playlistOf({ 'a.mp4': { sound: {} }, 'b.mp4': {} });
  await source;
  expect(lines).toEqual(['b.mp4 has no sound, but a.mp4 has: it is silent']);
  const other = playlistOf({ 'a.mp4': {}, 'b.mp4': { sound: {} } });
  await other.source;
  expect(other.lines).toEqual(['a.mp4 has no sound, but b.mp4 has: the sound of the others is left out']);
});

test('an input that has changed meanwhile is refused when its turn comes', async () => {
  const films: Record<string, Film> = { 'a.mp4': {}, 'b.mp4': {} };
  const { source, open } = playlistOf(films);
  const { playlist } = await source;
  films['b.mp4'] = { width: 1_280 };
  await expect(playlist!.open(1)).rejects.toThrow('b.mp4 has the size 1280×360');
  expect(open).toEqual(['a.mp4']);
});
