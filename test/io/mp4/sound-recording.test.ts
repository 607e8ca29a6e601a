import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from 'mediabunny';
import { expect, test } from 'vitest';
import { openRecording } from '../../../io/mp4/recording.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { parseAdts } from '../../../protocol/codec/aac/adts.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { TransportStreamWriter } from '../../../protocol/transport-stream.ts';
import { sampleUnits } from '../../sample-units.ts';
import { AAC_CONFIG, OPUS_HEAD, soundUnits } from '../../sound-units.ts';
import { temporaryFolder } from '../sources/media.ts';

/** Three seconds of pictures with B-frames: decoding begins 6,000 ticks before the first is shown. */
const PICTURES = sampleUnits()
  .slice(0, 90)
  .map((unit, index) => ({ ...unit, decodeTimestamp: ticks(index * 3_000 - 6_000), timestamp: ticks(index * 3_000) }));

const SETS = { opus: OPUS_HEAD, aac: AAC_CONFIG };

/** Records pictures and sound in the order of their times. */
async function record(path: string, codecName: 'opus' | 'aac', sounds: readonly AccessUnit[]): Promise<void> {
  const sound = { codecName, parameterSets: [SETS[codecName]] };
  const sink = await openRecording(path, { width: 0, height: 0, parameterSets: [], sound });
  const all = [
    ...PICTURES.map((unit) => ({ unit, isSound: false })),
    ...sounds.map((unit) => ({ unit, isSound: true })),
  ].sort((one, other) => one.unit.decodeTimestamp - other.unit.decodeTimestamp);
  for (const { unit, isSound } of all) await (isSound ? sink.writeSound!(unit) : sink.write(unit));
  await sink.close();
}

/** Sound of a file, read by a program that did not write it. */
async function read(path: string) {
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
  try {
    const track = (await input.getPrimaryAudioTrack())!;
    const pictures = (await input.getPrimaryVideoTrack())!;
    const packets: { readonly at: number; readonly bytes: string }[] = [];
    for await (const { timestamp, data } of new EncodedPacketSink(track).packets()) {
      packets.push({ at: timestamp * 90_000, bytes: Buffer.from(data).toString('hex') });
    }
    const firstPicture = (await new EncodedPacketSink(pictures).getFirstPacket())!.timestamp * 90_000;
    const config = await track.getDecoderConfig();
    return { codec: await track.getCodec(), config, packets, firstPicture };
  } finally {
    input.dispose();
  }
}

const hex = (units: readonly AccessUnit[]) => units.map(({ parts }) => Buffer.from(parts[0]!).toString('hex'));

test.each(['opus', 'aac'] as const)('an MP4 with %s has both tracks, on times of one beginning', async (codecName) => {
  const path = join(temporaryFolder(), 'a.mp4');
  // The first two units are before the first picture.
  const sounds = soundUnits(codecName, 130, -3_000);
  await record(path, codecName, sounds);
  const { codec, config, packets, firstPicture } = await read(path);
  expect(codec).toBe(codecName);
  expect(config?.numberOfChannels).toBe(2);
  expect(packets.map(({ bytes }) => bytes)).toEqual(hex(sounds));
  expect(firstPicture).toBeCloseTo(0, 3);
  for (const [index, { at }] of packets.entries()) {
    expect(Math.abs(at - sounds[index]!.timestamp), `unit ${index}`).toBeLessThan(2.1);
  }
});

test('a gap in the sound of an MP4 stays a gap', async () => {
  const path = join(temporaryFolder(), 'a.mp4');
  const sounds = soundUnits('opus', 130).filter((_, index) => index < 40 || index > 60);
  await record(path, 'opus', sounds);
  const { packets } = await read(path);
  expect(packets.map(({ at }) => Math.round(at))).toEqual(sounds.map(({ timestamp }) => timestamp));
});

test('sound long before the first picture is left out, as after joining', async () => {
  const path = join(temporaryFolder(), 'a.mp4');
  const sounds = soundUnits('opus', 130, -40_000);
  await record(path, 'opus', sounds);
  const { packets } = await read(path);
  expect(packets[0]!.at).toBeGreaterThanOrEqual(-9_000);
  expect(packets.length).toBeGreaterThan(100);
});

test('a recording that is not closed can be read up to its last whole second', async () => {
  const path = join(temporaryFolder(), 'a.mp4');
  const sounds = soundUnits('opus', 130);
  await record(path, 'opus', sounds);
  const cut = `${path}.cut.mp4`;
  const bytes = readFileSync(path);
  writeFileSync(cut, bytes.subarray(0, bytes.lastIndexOf('moof', bytes.length, 'latin1') - 4));
  const { packets } = await read(cut);
  expect(packets.map(({ bytes: each }) => each)).toEqual(hex(sounds).slice(0, packets.length));
  expect(packets.length).toBeGreaterThan(80);
});

test('a transport stream with AAC has both streams, on one clock', async () => {
  const path = join(temporaryFolder(), 'a.ts');
  const sounds = soundUnits('aac', 130);
  await record(path, 'aac', sounds);
  const { codec, packets } = await read(path);
  expect(codec).toBe('aac');
  const frames = packets.map(({ bytes }) => {
    const frame = Buffer.from(bytes, 'hex');
    const header = parseAdts(frame)!;
    return frame.subarray(header.headerBytes).toString('hex');
  });
  expect(frames).toEqual(hex(sounds));
  // The clock begins at one second.
  expect(packets.map(({ at }) => Math.round(at) - 90_000)).toEqual(sounds.map(({ timestamp }) => timestamp));
});

test('Opus in a transport stream is private data with a registration and its channels', () => {
  const sound = { codec: codecByName('opus'), parameterSets: [OPUS_HEAD] };
  const writer = new TransportStreamWriter({ clockLead: ticks(0), sound });
  const map = Buffer.from(writer.write(PICTURES[0]!)).subarray(188, 376);
  // Pointer, section header and the pictures' stream, then type 6 on PID 0x101 with ten bytes of descriptors.
  expect(map.subarray(5 + 12 + 5, 5 + 12 + 5 + 15).toString('hex')).toBe('06e101f00a05044f7075737f028002');
  const [unit] = soundUnits('opus', 1);
  const packet = Buffer.from(writer.writeSound(unit!));
  expect(packet.length).toBe(188);
  expect(packet.subarray(1, 3).toString('hex')).toBe('4101');
  expect(packet.includes(Buffer.from('000001bd', 'hex'))).toBe(true);
});
