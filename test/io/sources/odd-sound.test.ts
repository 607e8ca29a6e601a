import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { temporaryFolder, withFfmpeg } from './media.ts';

const PICTURES = '-f lavfi -i testsrc2=s=64x64:r=25:d=2 -c:v libx264 -preset ultrafast -g 25 -bf 0 -pix_fmt yuv420p';
const TONE = '-f lavfi -i sine=440:r=48000:d=2';
const KEY = '-encryption_scheme cenc-aes-ctr -encryption_key 00112233445566778899aabbccddeeff';
const KEY_ID = '-encryption_kid 00000000000000000000000000000001';

/** Makes a film of two seconds, and reads its sound, with everything that was said. */
async function read(name: string, inputs: string, outputs: string) {
  const clip = join(temporaryFolder(), name);
  const [before, after] = PICTURES.split(' -c:v');
  const parameters = `-v error ${before} ${inputs} -c:v${after} ${outputs}`.trim().split(/ +/);
  execFileSync('ffmpeg', [...parameters, clip], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  const say = (message: string) => void said.push(message.replace(clip, name));
  const options = {
    encode: 'auto',
    bitrate: 100_000,
    gop: 25,
    sound: {},
    warn: say,
    inform: say,
    detail: say,
  } as const;
  const source = await openMediaSource(clip, options);
  const times: number[] = [];
  for await (const { timestamp } of source.sound?.units() ?? []) times.push(timestamp / 90_000);
  await source.close();
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  return { said, times, codec: source.sound?.description.codecName, longest: Math.max(0, ...gaps) };
}

withFfmpeg('a track that ends early, starts late or has a hole keeps its times', async () => {
  const early = await read('early.mp4', '-f lavfi -i sine=440:r=48000:d=0.7', '-c:a aac');
  expect(early.times.at(-1)).toBeLessThan(0.75);
  const late = await read('late.mkv', '-itsoffset 0.8 -f lavfi -i sine=440:r=48000:d=1', '-c:a aac');
  expect(late.times[0]).toBeGreaterThan(0.75);
  const hole = '-f lavfi -i sine=440:r=48000:d=2,aselect=not(between(t\\,0.5\\,1.2))';
  const holed = await read('hole.mkv', hole, '-c:a aac');
  expect(holed.longest).toBeGreaterThan(0.6);
  for (const { codec } of [early, late, holed]) expect(codec).toBe('aac');
});

withFfmpeg('encoded sound keeps its times over a late start and a hole, which is filled with silence', async () => {
  const late = await read('late.mkv', '-itsoffset 0.8 -f lavfi -i sine=440:r=48000:d=1', '-c:a flac');
  expect(late.times[0]).toBeGreaterThan(0.75);
  expect(late.times.at(-1)).toBeGreaterThan(1.7);
  const hole = '-f lavfi -i sine=440:r=48000:d=2,aselect=not(between(t\\,0.5\\,1.2))';
  const holed = await read('hole.mkv', hole, '-c:a flac');
  expect(holed.codec).toBe('opus');
  expect(holed.longest).toBeLessThan(0.03);
  // Without the silence, all that follows would be 0.7 s early.
  expect(holed.times.at(-1)).toBeGreaterThan(1.9);
});

const FORMATS: readonly (readonly [what: string, name: string, outputs: string, codec: string])[] = [
  ['mono', 'a.mp4', '-c:a aac -ac 1', 'aac'],
  ['8 kHz', 'a.mp4', '-c:a aac -ar 8000', 'aac'],
  ['7.1 AAC', 'a.mp4', '-c:a aac -af aformat=channel_layouts=7.1', 'aac'],
  ['7.1 FLAC', 'a.mkv', '-c:a flac -af aformat=channel_layouts=7.1', 'opus'],
  ['192 kHz', 'a.mov', '-c:a pcm_s16le -ar 192000', 'opus'],
];
for (const [what, name, outputs, codec] of FORMATS) {
  withFfmpeg(`sound of ${what} is streamed as ${codec}`, async () => {
    const found = await read(name, TONE, outputs);
    expect(found.codec).toBe(codec);
    expect(found.times.length).toBeGreaterThan(10);
    expect(found.times.at(-1)).toBeGreaterThan(1.8);
    expect(found.longest).toBeLessThan(0.14);
  });
}

withFfmpeg(
  'sound in AVI beside pictures with B-frames, which have no presentation times there, keeps its times',
  async () => {
    const { codec, times, said } = await read('a.avi', TONE, '-bf 2 -c:a mp2');
    expect(codec).toBe('opus');
    expect(Math.abs(times[0]!)).toBeLessThan(0.02);
    expect(times.at(-1)).toBeGreaterThan(1.9);
    expect(times.at(-1)).toBeLessThan(2.1);
    expect(said.filter((message) => message.includes('left out'))).toEqual([]);
  },
);

withFfmpeg('copied sound whose clock drifts from the pictures keeps the times of the file', async () => {
  const { times } = await read('a.mkv', TONE, '-c:a aac -bsf:a setts=ts=PTS*1.05');
  // Two seconds of sound, whose times say 2.1.
  expect(times.at(-1)).toBeGreaterThan(2.02);
  expect(times.at(-1)).toBeLessThan(2.12);
});

/** Makes a transport stream of films one after the other, the sound of each with its own parameters. */
function transportStreamOf(parts: readonly { readonly seconds: number; readonly sound: string }[]): string {
  const folder = temporaryFolder();
  let from = 0;
  const bytes = parts.map(({ seconds, sound }, index) => {
    const inputs = `-f lavfi -i testsrc2=s=64x64:r=25:d=${seconds} -f lavfi -i sine=440:d=${seconds}`;
    const outputs = `-c:v libx264 -preset ultrafast -g 25 -bf 0 -pix_fmt yuv420p -c:a aac ${sound} -output_ts_offset ${from}`;
    const file = join(folder, `${index}.ts`);
    execFileSync('ffmpeg', [...`-v error ${inputs} ${outputs}`.split(' '), file]);
    from += seconds;
    return readFileSync(file);
  });
  const whole = join(folder, 'whole.ts');
  writeFileSync(whole, Buffer.concat(bytes));
  return whole;
}

async function readWhole(clip: string) {
  const said: string[] = [];
  const say = (message: string) => void said.push(message.replace(clip, basename(clip)));
  const source = await openMediaSource(clip, {
    ...({ encode: 'auto', bitrate: 100_000, gop: 25, sound: {}, warn: say, inform: say } as const),
  });
  const times: number[] = [];
  for await (const { timestamp } of source.sound?.units() ?? []) times.push(timestamp / 90_000);
  await source.close();
  return { said, times, codec: source.sound?.description.codecName };
}

withFfmpeg('sound whose sampling rate and channels change is encoded, and one line says so', async () => {
  const clip = transportStreamOf([
    { seconds: 2, sound: '-ar 48000 -ac 2' },
    { seconds: 2, sound: '-ar 44100 -ac 1' },
  ]);
  const { said, times, codec } = await readWhole(clip);
  expect(codec).toBe('opus');
  expect(said).toContain('whole.ts: sound: aac, encoded as Opus, since its sampling rate or channels change');
  expect(times.at(-1)).toBeGreaterThan(3.8);
});

withFfmpeg('a short stretch of other parameters is left out, and one line says where', async () => {
  const clip = transportStreamOf([
    { seconds: 16, sound: '-ar 48000' },
    { seconds: 0.4, sound: '-ar 44100' },
    { seconds: 15, sound: '-ar 48000' },
  ]);
  const { said, times, codec } = await readWhole(clip);
  expect(codec).toBe('aac');
  expect(said.at(-1)).toMatch(
    /^whole\.ts: \d+ packets of the sound were left out from 16\.\d s on, as their sampling rate or channels are others$/,
  );
  expect(times.some((time) => time > 16.1 && time < 16.3)).toBe(false);
  expect(times.at(-1)).toBeGreaterThan(31);
});

/** Gives the sound of an MP4 a second sample entry, equal to the first one. The movie box is the last one of the file. */
function withTwoEntries(bytes: Buffer): Buffer {
  const sound = bytes.indexOf('smhd');
  const path = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd'];
  const boxes = path.map(
    (type) => (type === 'stsd' || type === 'stbl' ? bytes.indexOf(type, sound) : bytes.lastIndexOf(type, sound)) - 4,
  );
  const table = boxes.at(-1)!;
  const entry = bytes.subarray(table + 16, table + bytes.readUInt32BE(table));
  for (const box of boxes) bytes.writeUInt32BE(bytes.readUInt32BE(box) + entry.length, box);
  bytes.writeUInt32BE(2, table + 12);
  return Buffer.concat([bytes.subarray(0, table + 16), entry, bytes.subarray(table + 16)]);
}

withFfmpeg('sound of several sample entries in an MP4 is encoded', async () => {
  const clip = join(temporaryFolder(), 'whole.mp4');
  const inputs = '-f lavfi -i testsrc2=s=64x64:r=25:d=1 -f lavfi -i sine=440:d=1';
  execFileSync('ffmpeg', [...`-v error ${inputs} -c:v libx264 -bf 0 -pix_fmt yuv420p -c:a aac`.split(' '), clip]);
  const whole = join(temporaryFolder(), 'whole.mp4');
  writeFileSync(whole, withTwoEntries(readFileSync(clip)));
  const { said, codec, times } = await readWhole(whole);
  expect(said).toContain('whole.mp4: sound: aac, encoded as Opus, since its sampling rate or channels change');
  expect(codec).toBe('opus');
  expect(times.at(-1)).toBeGreaterThan(0.9);
});

withFfmpeg('encrypted sound is said', async () => {
  const clip = join(temporaryFolder(), 'a.m4a');
  execFileSync('ffmpeg', [...`-v error ${TONE} -c:a aac ${KEY} ${KEY_ID}`.split(' '), clip]);
  const options = { encode: 'auto', bitrate: 100_000, gop: 25, sound: {}, warn: () => {} } as const;
  await expect(openMediaSource(clip, options)).rejects.toThrow(
    'its sound is encrypted (cenc), so it cannot be streamed',
  );
});

withFfmpeg('tracks that are not streamed are said where detail is asked for', async () => {
  const { said } = await read('a.mkv', `${TONE} ${TONE}`, '-map 0 -map 1 -map 2 -c:a aac');
  expect(said.at(-1)).toBe('a.mkv: left out: 1 other sound track (aac)');
});
