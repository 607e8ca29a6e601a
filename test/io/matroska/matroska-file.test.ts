import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input, type InputTrack } from 'mediabunny';
import { expect, test } from 'vitest';
import { openRecording } from '../../../io/mp4/recording.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { type CodecName, codecByName } from '../../../protocol/codec/codecs.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import { joinLengthPrefixed } from '../../../protocol/codec/nal/length-prefixed.ts';
import { sampleUnits } from '../../sample-units.ts';
import { AAC_CONFIG, OPUS_HEAD, soundUnits } from '../../sound-units.ts';
import { temporaryFolder, withFfmpeg } from '../sources/media.ts';

/** Three seconds of pictures, every third shown after the two that follow it. */
const PICTURES = sampleUnits()
  .slice(0, 90)
  .map((unit, index) => {
    const shown = index === 0 ? 0 : index % 3 === 1 ? index + 2 : index - 1;
    return { ...unit, decodeTimestamp: ticks(index * 3_000), timestamp: ticks(shown * 3_000 + 500_000) };
  });

const SETS = { opus: OPUS_HEAD, aac: AAC_CONFIG };

/** Returns the recording with every unit written, still open. */
async function record(path: string, sounds: readonly AccessUnit[], codecName: 'opus' | 'aac') {
  const sound = { codecName, parameterSets: [SETS[codecName]] };
  const { width, height } = H264.describe(H264.parameterSetsOf(PICTURES[0]!.parts))!;
  const sink = await openRecording(path, { width, height, parameterSets: [], sound });
  const all = [
    ...PICTURES.map((unit) => ({ unit, isSound: false, at: unit.decodeTimestamp + 500_000 })),
    ...sounds.map((unit) => ({ unit, isSound: true, at: unit.decodeTimestamp })),
  ].sort((one, other) => one.at - other.at);
  for (const { unit, isSound } of all) await (isSound ? sink.writeSound!(unit) : sink.write(unit));
  return sink;
}

/** Packets of a file, read by a program that did not write it; times in ticks of 90 kHz. */
async function read(path: string) {
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
  const packets = async (track: InputTrack | null) => {
    const list: { readonly at: number; readonly bytes: Buffer; readonly type: string }[] = [];
    if (!track) return list;
    for await (const { timestamp, data, type } of new EncodedPacketSink(track as never).packets()) {
      list.push({ at: timestamp * 90_000, bytes: Buffer.from(data), type });
    }
    return list;
  };
  const [pictures, sound] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
  const result = {
    pictures: await packets(pictures),
    sound: await packets(sound),
    codecs: [await pictures?.getCodec(), await sound?.getCodec()],
    duration: await input.getDurationFromMetadata(),
    rotation: await pictures?.getRotation(),
  };
  input.dispose();
  return result;
}

/** Half a unit of the file's time is 4.5 ticks. */
const TOLERANCE = 4.6;

function expectEqual(
  packets: readonly { readonly at: number; readonly bytes: Buffer }[],
  units: readonly AccessUnit[],
  { epoch, block }: { readonly epoch: number; readonly block: (parts: readonly Uint8Array[]) => Uint8Array },
): void {
  expect(packets).toHaveLength(units.length);
  for (const [index, { at, bytes }] of packets.entries()) {
    expect(bytes.equals(block(units[index]!.parts)), `unit ${index}`).toBe(true);
    expect(Math.abs(at + epoch - units[index]!.timestamp), `unit ${index}`).toBeLessThan(TOLERANCE);
  }
}

test.each(['opus', 'aac'] as const)('an MKV has pictures and %s, unit by unit, at their times', async (codecName) => {
  const path = join(temporaryFolder(), 'a.mkv');
  const sounds = soundUnits(codecName, 130, 497_000);
  await (await record(path, sounds, codecName)).close();
  const { pictures, sound, codecs, duration } = await read(path);
  expect(codecs).toEqual(['avc', codecName]);
  // The first sound, 3,000 ticks before the first picture, is at 0; of Opus the decoder's delay comes on top.
  const delay = codecName === 'opus' ? 585 : 0;
  expectEqual(pictures, PICTURES, { epoch: 497_000, block: joinLengthPrefixed });
  expectEqual(sound, sounds, { epoch: 497_000 - delay, block: (parts) => parts[0]! });
  expect(pictures.map(({ type }) => type)).toEqual(
    PICTURES.map(({ importance }) => (importance === 'key' ? 'key' : 'delta')),
  );
  expect(duration).toBeGreaterThan(2.9);
});

test.each([
  ['many pictures', 90],
  ['pictures that end before sound has come', 2],
])('sound that begins between the decoding and the display of the first of %s keeps its time', async (_, count) => {
  const path = join(temporaryFolder(), 'a.mkv');
  // As with B-frames: decoded two frames before it is shown.
  const pictures = PICTURES.slice(0, count).map((unit, index) => ({
    ...unit,
    decodeTimestamp: ticks(494_000 + index * 3_000),
  }));
  const sounds = soundUnits('aac', count, 497_910);
  const sound = { codecName: 'aac' as const, parameterSets: [AAC_CONFIG] };
  const sink = await openRecording(path, { width: 2, height: 2, parameterSets: [], sound });
  const all = [
    ...pictures.map((unit) => ({ unit, write: () => sink.write(unit) })),
    ...(count > 2 ? sounds : []).map((unit) => ({ unit, write: () => sink.writeSound!(unit) })),
  ].sort((one, other) => one.unit.decodeTimestamp - other.unit.decodeTimestamp);
  for (const { write } of all) await write();
  await sink.close();
  const found = await read(path);
  const epoch = count > 2 ? 497_910 : 500_000;
  expectEqual(found.pictures, pictures, { epoch, block: joinLengthPrefixed });
  expectEqual(found.sound, count > 2 ? sounds : [], { epoch, block: (parts) => parts[0]! });
});

test('a file that was never finished has every unit that was written', async () => {
  const path = join(temporaryFolder(), 'a.mkv');
  const sounds = soundUnits('opus', 130, 500_000);
  const recording = await record(path, sounds, 'opus');
  const { pictures, sound } = await read(path);
  expect([pictures.length, sound.length]).toEqual([PICTURES.length, 130]);
  // With a block that was cut, this reader leaves out its cluster of a second.
  const cut = join(temporaryFolder(), 'b.mkv');
  writeFileSync(cut, readFileSync(path).subarray(0, -20));
  expect((await read(cut)).pictures.length).toBeGreaterThanOrEqual(PICTURES.length - 30);
  await recording.close();
});

test('sound alone, and what comes before the first key frame, and rotation', async () => {
  const folder = temporaryFolder();
  const sounds = soundUnits('aac', 200, 9_000);
  const alone = await openRecording(
    join(folder, 'a.mkv'),
    { width: 0, height: 0, parameterSets: [AAC_CONFIG] },
    codecByName('aac'),
  );
  for (const unit of sounds) await alone.write(unit);
  await alone.close();
  const heard = await read(join(folder, 'a.mkv'));
  expect(heard.codecs).toEqual([undefined, 'aac']);
  expectEqual(heard.sound, sounds, { epoch: 9_000, block: (parts) => parts[0]! });
  for (const rotation of [90, 180, 270] as const) {
    const path = join(folder, `${rotation}.mkv`);
    const sink = await openRecording(path, { width: 2, height: 2, parameterSets: [], rotation });
    for (const unit of PICTURES.slice(1, 3)) await sink.write(unit);
    for (const unit of PICTURES.slice(0, 5)) await sink.write(unit);
    await sink.close();
    const shown = await read(path);
    expect([shown.pictures.length, shown.rotation]).toEqual([5, rotation]);
  }
});

for (const [encoder, codecName] of [
  ['libx264', 'h264'],
  ['libx265', 'h265'],
] as const) {
  withFfmpeg(`ffmpeg decodes an MKV of ${codecName} and Opus to the pictures and samples of the source`, async () => {
    const folder = temporaryFolder();
    const [clip, recording] = [join(folder, 'clip.mp4'), join(folder, 'recording.mkv')];
    const inputs = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=64x48:rate=25:duration=2',
      '-f',
      'lavfi',
      '-i',
      'sine=duration=2',
    ];
    const coding = ['-c:v', encoder, '-x265-params', 'log-level=none', '-bf', '2', '-g', '20', '-c:a', 'aac'];
    execFileSync('ffmpeg', ['-v', 'error', ...inputs, ...coding, clip]);
    const source = await openMediaSource(clip, { encode: 'copy', bitrate: 1, gop: 1, sound: {}, warn: () => {} });
    const sink = await openRecording(
      recording,
      { ...source.description, sound: source.sound!.description },
      codecByName(codecName as CodecName),
    );
    for await (const unit of source.sound!.units()) await sink.writeSound!(unit);
    for await (const unit of source.units()) await sink.write(unit);
    await sink.close();
    await source.close();
    const decoded = (path: string) =>
      execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-map', '0:v', '-f', 'framemd5', '-'])
        .toString()
        .split('\n')
        .filter((line) => line.startsWith('0,'))
        .map((line) => line.split(',').at(-1));
    expect(decoded(recording)).toEqual(decoded(clip));
  });
}
