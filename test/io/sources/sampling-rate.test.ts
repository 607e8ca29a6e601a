import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EncodedPacketSink } from 'mediabunny';
import { expect, test } from 'vitest';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { findRateConflict, resolveRateConflict, withSamplingRate } from '../../../io/sources/sampling-rate.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { parseAudioSpecificConfig } from '../../../protocol/codec/aac/audio-specific-config.ts';
import { temporaryFolder, withFfmpeg } from './media.ts';

const PICTURES = '-f lavfi -i testsrc2=s=64x64:r=25:d=2';
const ENCODING = '-c:v libx264 -preset ultrafast -g 25 -bf 0 -pix_fmt yuv420p -c:a aac';

/** Makes an MP4 of two seconds, changes its bytes, and reads its sound. */
async function read(sampleRate: number, { silent = false }, change: (bytes: Buffer) => void) {
  const path = join(temporaryFolder(), 'a.mp4');
  const inputs = `${silent ? '' : PICTURES} -f lavfi -i sine=440:r=48000:d=2`;
  const parameters = `-v error ${inputs} ${silent ? '-c:a aac' : ENCODING} -ar ${sampleRate}`.trim().split(/ +/);
  execFileSync('ffmpeg', [...parameters, path]);
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
  const said: string[] = [];
  const source = await openMediaSource(path, {
    ...({ encode: 'auto', bitrate: 100_000, gop: 25, sound: {} } as const),
    warn: (message: string) => void said.push(message.slice(path.length + 2)),
  });
  const { units, description } = source.sound ?? source;
  const times: number[] = [];
  for await (const { timestamp } of units()) times.push(timestamp / 90_000);
  await source.close();
  return { said, times, rate: parseAudioSpecificConfig(description.parameterSets![0]!)?.sampleRate };
}

/** Writes another rate into the decoder configuration. */
const announce = (sampleRate: number) => (bytes: Buffer) => {
  const at = bytes.indexOf(Buffer.from([5, 0x80, 0x80, 0x80]), bytes.indexOf('esds')) + 5;
  bytes.set(withSamplingRate(bytes.subarray(at, at + 2), sampleRate)!, at);
};

/** Writes another time scale into the media header of the sound. */
const scale = (timescale: number) => (bytes: Buffer) => {
  bytes.writeUInt32BE(timescale, bytes.lastIndexOf('mdhd', bytes.indexOf('smhd')) + 16);
};

withFfmpeg('a false sampling rate in the configuration is replaced by that of the times', async () => {
  const { said, times, rate } = await read(48_000, {}, announce(44_100));
  expect(said).toEqual([
    'its sound is announced with 44100 Hz, but its times are those of 48000 Hz: it is played with 48000 Hz',
  ]);
  expect(rate).toBe(48_000);
  expect(times[11]! - times[1]!).toBeCloseTo((10 * 1024) / 48_000, 3);
});

withFfmpeg('times of a false scale are corrected where the sound would not be as long as the pictures', async () => {
  const { said, times, rate } = await read(48_000, {}, scale(44_100));
  expect(said).toEqual([
    'its sound is announced with 48000 Hz, but its times are those of 44100 Hz: the times are corrected, ' +
      'as it would not be as long as the pictures with them',
  ]);
  expect(rate).toBe(48_000);
  expect(times.at(-1)).toBeGreaterThan(1.9);
  expect(times.at(-1)).toBeLessThan(2.05);
});

withFfmpeg('sound alone is played with the announced rate', async () => {
  const { said, times, rate } = await read(44_100, { silent: true }, announce(48_000));
  expect(said).toEqual([
    'its sound is announced with 48000 Hz, but its times are those of 44100 Hz: the times are corrected',
  ]);
  expect(rate).toBe(48_000);
  expect(times[11]! - times[1]!).toBeCloseTo((10 * 1024) / 48_000, 3);
});

for (const sampleRate of [8_000, 44_100, 48_000, 96_000]) {
  withFfmpeg(`sound of ${sampleRate} Hz is left as it is`, async () => {
    const { said, rate } = await read(sampleRate, {}, () => {});
    expect(said).toEqual([]);
    expect(rate).toBe(sampleRate);
  });
}

test('writes a sampling rate into a configuration, and leaves what follows it out', () => {
  // AAC-LC, 44.1 kHz, stereo, and an extension that says that there is no band replication.
  const config = Uint8Array.of(0x12, 0x10, 0x56, 0xe5, 0x00);
  expect(withSamplingRate(config, 48_000)).toEqual(Uint8Array.of(0x11, 0x90));
  expect(withSamplingRate(config, 47_000)).toBeUndefined();
  // Band replication is announced, with a rate of its own.
  expect(withSamplingRate(Uint8Array.of(0x2b, 0x11, 0x88, 0x00), 48_000)).toBeUndefined();
});

const formatOf = (...config: number[]) =>
  ({
    codecName: 'aac',
    parameterSets: [Uint8Array.from(config)],
    delay: ticks(0),
    unitOf: (packet: Uint8Array) => packet,
  }) as const;
const CONFLICT = { announced: 44_100, timed: 48_000 };

test('follows the times where the duration of the pictures is unknown', () => {
  const resolved = resolveRateConflict(formatOf(0x12, 0x10), CONFLICT, { sound: 2, pictures: undefined });
  expect(resolved.format.parameterSets).toEqual([Uint8Array.of(0x11, 0x90)]);
  expect(resolved.format.timeScale).toBeUndefined();
});

test('leaves a format as it is whose configuration cannot say the rate of its true times', () => {
  // Band replication is announced, with a rate of its own.
  const format = formatOf(0x2a, 0x11, 0x88, 0x00);
  for (const pictures of [2, undefined]) {
    const resolved = resolveRateConflict(format, CONFLICT, { sound: 2, pictures });
    expect(resolved.format).toBe(format);
    expect(resolved.correction).toMatch(/48000 Hz: it is sent as it is$/);
  }
  // At the announced rate the sound is as long as the pictures.
  const resolved = resolveRateConflict(format, CONFLICT, { sound: 2, pictures: (2 * 48_000) / 44_100 });
  expect(resolved.format.timeScale).toBeCloseTo(48_000 / 44_100);
});

/** Packets of this many samples each, with the times of a sampling rate. */
const sinkOf = (samples: number, sampleRate: number) =>
  ({
    async *packets() {
      for (let index = 0; index < 64; index++) {
        yield { data: new Uint8Array(10), timestamp: (index * samples) / sampleRate };
      }
    },
  }) as unknown as EncodedPacketSink;

test.each([
  ['LD, 512 samples', [0xba, 0x10], 23, 512],
  ['ELD, 512 samples', [0xf8, 0xe6, 0x20, 0x00], 39, 512],
  ['USAC, 2,048 samples', [0xf9, 0x46, 0x20, 0x00], 42, 2_048],
])('does not judge packets of another length: %s', async (_, config, objectType, samples) => {
  const format = formatOf(...config);
  const sampleRate = parseAudioSpecificConfig(format.parameterSets[0]!)!.sampleRate;
  expect(parseAudioSpecificConfig(format.parameterSets[0]!)!.objectType).toBe(objectType);
  expect(await findRateConflict(sinkOf(samples, sampleRate), format)).toBeUndefined();
});

test('judges band replication by its core', async () => {
  // Core of AAC-LC at 24 kHz, output at 48 kHz.
  const format = formatOf(0x2b, 0x11, 0x88, 0x00);
  expect(await findRateConflict(sinkOf(1_024, 24_000), format)).toBeUndefined();
  expect(await findRateConflict(sinkOf(1_024, 32_000), format)).toEqual({ announced: 24_000, timed: 32_000 });
});
