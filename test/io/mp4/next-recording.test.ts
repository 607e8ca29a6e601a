import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canContinueRecording, nextRecordingPath, type RecordedStream } from '../../../io/mp4/next-recording.ts';
import { AAC_CONFIG, OPUS_HEAD } from '../../sound-units.ts';
import { temporaryFolder } from '../sources/media.ts';

const AAC = { codecName: 'aac', parameterSets: [AAC_CONFIG] } as const;
/** AudioSpecificConfig of AAC-LC, 48 kHz, stereo, and 44.1 kHz, mono. */
const AAC_48 = { codecName: 'aac', parameterSets: [Uint8Array.of(0x11, 0x90)] } as const;
const AAC_MONO = { codecName: 'aac', parameterSets: [Uint8Array.of(0x12, 0x08)] } as const;
const OPUS = { codecName: 'opus', parameterSets: [OPUS_HEAD] } as const;

const H264: RecordedStream = { codecName: 'h264', width: 640, height: 360, parameterSets: [] };
const WITH_AAC = { ...H264, sound: AAC };
const AAC_ALONE: RecordedStream = { ...H264, ...AAC };

test.each([
  ['another size and other parameter sets', H264, { ...H264, width: 1_280, parameterSets: [OPUS_HEAD] }, true],
  ['another codec', H264, { ...H264, codecName: 'h265' }, false],
  ['another rotation', H264, { ...H264, rotation: 90 }, false],
  ['the same sound', WITH_AAC, { ...H264, sound: { ...AAC } }, true],
  ['no sound any more', WITH_AAC, H264, true],
  ['sound where there was none', H264, WITH_AAC, false],
  ['another codec of the sound', WITH_AAC, { ...H264, sound: OPUS }, false],
  ['another sampling rate', WITH_AAC, { ...H264, sound: AAC_48 }, false],
  ['another number of channels', WITH_AAC, { ...H264, sound: AAC_MONO }, false],
  ['another sampling rate of sound alone', AAC_ALONE, { ...AAC_ALONE, ...AAC_48 }, false],
] as const)('a recording can go on with %s: %#', (_, before, after, expected) => {
  for (const path of ['a.mp4', 'a.mkv', 'a.MKV']) expect(canContinueRecording(path, before, after)).toBe(expected);
});

test('a byte stream and stdout hold no sound, whose change they do not see', () => {
  for (const path of ['a.h264', '-']) {
    expect(canContinueRecording(path, H264, WITH_AAC)).toBe(true);
    expect(canContinueRecording(path, H264, { ...WITH_AAC, codecName: 'h265' })).toBe(false);
  }
});

test.each([
  ['film.mkv', 'h265', 'film-2.mkv'],
  ['film.tar.MP4', 'vp9', 'film.tar-2.MP4'],
  ['film.h264', 'h265', 'film-2.h265'],
  ['film.h264', 'vp9', 'film-2.mkv'],
  ['film.ts', 'vp9', 'film-2.mkv'],
] as const)('the recording beside %s of %s is %s', async (name, codecName, expected) => {
  const folder = temporaryFolder();
  expect(await nextRecordingPath(join(folder, name), { ...H264, codecName })).toBe(join(folder, expected));
});

test('a name that is taken is left out, so that no file is overwritten', async () => {
  const folder = temporaryFolder();
  for (const taken of ['a.mkv', 'a-2.mkv', 'a-3.mkv']) writeFileSync(join(folder, taken), '');
  expect(await nextRecordingPath(join(folder, 'a.mkv'), H264)).toBe(join(folder, 'a-4.mkv'));
});

test('nothing is beside stdout', async () => {
  await expect(nextRecordingPath('-', H264)).rejects.toThrow('stdout holds one stream: start the receiver again');
});
