import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Ffmpeg } from '../../../io/ffmpeg/ffmpeg-locator.ts';
import { readFirstPicture, readProbe } from '../../../io/ffmpeg/ffmpeg-probe.ts';
import type { FollowRange } from '../../../io/sources/follow-range.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { ENCODER_OFFSET_SECONDS, encodeSound } from '../../../io/sources/sound-encoder.ts';
import { soundUnits } from '../../../io/sources/sound-units.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { all, MEDIA, temporaryFolder, withFfmpeg, withMediaAndFfmpeg } from './media.ts';

async function open(input: string, track?: number | string, follow?: FollowRange) {
  const lines: string[] = [];
  const source = await openMediaSource(input, {
    encode: 'copy',
    bitrate: 1,
    gop: 1,
    sound: { track },
    follow,
    warn: (line) => lines.push(line),
    inform: (line) => lines.push(line),
  });
  const sound = source.sound ? await all(source.sound.units()) : [];
  await source.close();
  return { source, sound, lines };
}

/** Sums of the packets of a stream and their times, 90 kHz, as ffmpeg reads them. */
function packetsOf(path: string, stream: string, ...options: string[]) {
  const parameters = ['-v', 'error', '-copyts', '-i', path, '-map', stream, '-c', 'copy', ...options];
  const list = execFileSync('ffmpeg', [...parameters, '-f', 'framehash', '-hash', 'adler32', '-']).toString();
  const [, unit, scale] = /^#tb 0: (\d+)\/(\d+)$/m.exec(list)!;
  return list
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => {
      const [, , pts, , bytes, sum] = line.split(',').map((field) => field.trim());
      return { at: (Number(pts) * Number(unit) * 90_000) / Number(scale), bytes: Number(bytes), sum };
    });
}

const ends = (units: readonly AccessUnit[]) => units.map(({ parts }) => parts[0]!.length);

const CLIPS = [
  'nature-macro_flower_h264high_960x540_29.97_aac.mp4',
  'water-handheld_h264cbp_480x360_29.97_aac.mp4',
  'rooftop-pan_h264cbp_640x360_30_aac.mp4',
  'bbb-titles_h264high_1280x720_60_aac.ts',
  // Two packets are behind the end of its edit list.
  'traffic_car-detection_h264base_768x432_12.5_aac.mp4',
];

for (const name of CLIPS) withMediaAndFfmpeg(`copies the AAC of ${name} packet by packet`, () => copies(name));

/** Times count from the first picture that is shown. */
async function copies(name: string): Promise<void> {
  const clip = join(MEDIA, 'clips', name);
  const { source, sound, lines } = await open(clip);
  const expected = packetsOf(clip, '0:a:0', ...(name.endsWith('.ts') ? ['-bsf:a', 'aac_adtstoasc'] : []));
  expect(ends(sound)).toEqual(expected.map(({ bytes }) => bytes));
  // A PES packet has one time for several frames; the readers differ in rounding those between.
  const tolerance = name.endsWith('.ts') ? 10 : 2.1;
  // The first picture that is shown is that of the smallest time.
  const firstPicture = Math.min(...packetsOf(clip, '0:V:0').map(({ at }) => at));
  for (const [index, { timestamp }] of sound.entries()) {
    expect(Math.abs(timestamp + firstPicture - expected[index]!.at), `packet ${index}`).toBeLessThan(tolerance);
  }
  expect(source.sound?.description).toMatchObject({ codecName: 'aac', decoder: 'mp4a.40.2' });
  expect(lines).toEqual([`${clip}: sound: aac, copied`]);
}

withFfmpeg('encodes copied sound that would leave a narrow path nothing for pictures that follow it', async () => {
  const follow = { bitrateMin: 100_000, bitrateMax: 1_000_000, prefer: true };
  const folder = temporaryFolder();
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=25:duration=2', '-f', 'lavfi', '-i'];
  inputs.push('anoisesrc=sample_rate=48000:duration=2', '-ac', '2', '-c:v', 'libx264', '-c:a', 'aac');
  for (const [kilobits, codecName, line] of [
    [
      256,
      'opus',
      /: sound: aac, encoded as Opus at 64 kb\/s, since its \d+ kb\/s would leave a narrow path too little/,
    ],
    [96, 'aac', /: sound: aac, copied$/],
  ] as const) {
    const clip = join(folder, `${kilobits}.mp4`);
    execFileSync('ffmpeg', ['-v', 'error', ...inputs, '-b:a', `${kilobits}k`, clip]);
    const { source, sound, lines } = await open(clip, undefined, follow);
    expect(source.adaptive).toBeDefined();
    expect(source.sound?.description.codecName).toBe(codecName);
    expect(lines).toContainEqual(expect.stringMatching(line));
    const bytes = ends(sound).reduce((sum, length) => sum + length, 0);
    expect((bytes * 8) / 2).toBeLessThan(kilobits === 256 ? 100_000 : 130_000);
    expect((await open(clip)).source.sound?.description.codecName).toBe('aac');
  }
});

withFfmpeg('encodes other sound as Opus, in time with the pictures, and says why', async () => {
  const clip = join(temporaryFolder(), 'a.mkv');
  // Sound and pictures begin at 1.5 s of the container.
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=25:duration=2', '-f', 'lavfi', '-i'];
  inputs.push('sine=frequency=500:duration=2:sample_rate=44100', '-output_ts_offset', '1.5');
  execFileSync('ffmpeg', ['-v', 'error', ...inputs, '-c:v', 'libx264', '-c:a', 'pcm_s16le', clip]);
  const { source, sound, lines } = await open(clip);
  expect(source.sound?.description).toMatchObject({ codecName: 'opus', clockRate: 48_000, channels: 2 });
  expect(lines.at(-1)).toContain('sound: pcm-s16, encoded as Opus, since only AAC and Opus');
  // 6.5 ms of the encoder's delay are before the first picture.
  expect(sound[0]!.timestamp).toBe(-585);
  for (const [index, { timestamp, parts }] of sound.entries()) {
    expect(timestamp).toBe(index * 1_800 - 585);
    expect(codecByName('opus').sound!.durationOf(parts, [])).toBe(1_800);
  }
  expect(sound.length).toBeGreaterThanOrEqual(100);
});

withFfmpeg('copies Opus of Matroska, whose times include the delay of the decoder', async () => {
  const clip = join(temporaryFolder(), 'a.mkv');
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=25:duration=1', '-f', 'lavfi', '-i'];
  inputs.push('sine=frequency=500:duration=1:sample_rate=48000');
  execFileSync('ffmpeg', ['-v', 'error', ...inputs, '-c:v', 'libx264', '-c:a', 'libopus', clip]);
  const { sound, lines } = await open(clip);
  const expected = packetsOf(clip, '0:a:0');
  expect(ends(sound)).toEqual(expected.map(({ bytes }) => bytes));
  // A tick of the container is a millisecond.
  const firstPicture = Math.min(...packetsOf(clip, '0:V:0').map(({ at }) => at));
  for (const [index, { at }] of expected.entries()) {
    expect(Math.abs(sound[index]!.timestamp + firstPicture - at)).toBeLessThan(90);
  }
  expect(lines).toEqual([`${clip}: sound: opus, copied`]);
});

withFfmpeg('takes the track of a number or a language, and lists the tracks where it is not there', async () => {
  const clip = join(temporaryFolder(), 'a.mp4');
  const sine = (frequency: number) => ['-f', 'lavfi', '-i', `sine=frequency=${frequency}:duration=1`];
  const maps = ['-map', '0', '-map', '1', '-map', '2', '-metadata:s:a:0', 'language=deu', '-metadata:s:a:1'];
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=25:duration=1', ...sine(300), ...sine(900)],
    ...[...maps, 'language=eng', '-c:v', 'libx264', '-c:a', 'aac', clip],
  ]);
  const [first, second] = [await open(clip, 1), await open(clip, 2)];
  expect(ends(first.sound)).not.toEqual(ends(second.sound));
  expect(ends((await open(clip, 'eng')).sound)).toEqual(ends(second.sound));
  expect(second.lines).toEqual([`${clip}: sound: aac, copied, track 2 of 2 (eng)`]);
  await expect(open(clip, 'fra')).rejects.toThrow('no sound track fra: it has 1 (aac, deu), 2 (aac, eng)');
  await expect(open(clip, 3)).rejects.toThrow('no sound track 3');
});

withFfmpeg('a file without sound has none, and says so only to whom asks for a track', async () => {
  const clip = join(temporaryFolder(), 'a.mp4');
  const input = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=25:duration=1'];
  execFileSync('ffmpeg', ['-v', 'error', ...input, '-c:v', 'libx264', clip]);
  const { source, lines } = await open(clip);
  expect(source.sound).toBeUndefined();
  expect(lines).toEqual([]);
  await expect(open(clip, 1)).rejects.toThrow('it has no sound');
});

withFfmpeg('an ffmpeg that fails in a later round only warns, and the round has no sound', async () => {
  const folder = temporaryFolder();
  const clip = join(folder, 'a.mkv');
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=25:duration=1'],
    ...['-f', 'lavfi', '-i', 'sine=duration=1', '-c:v', 'libx264', '-c:a', 'pcm_s16le', clip],
  ]);
  // A program in the place of ffmpeg, which fails once a file is there.
  const program = join(folder, 'ffmpeg');
  const broken = join(folder, 'broken');
  const script = `#!/bin/sh\n[ -e ${broken} ] && echo 'no memory left' >&2 && exit 1\nexec ffmpeg "$@"\n`;
  writeFileSync(program, script, { mode: 0o755 });
  const lines: string[] = [];
  const source = await openMediaSource(clip, {
    ...{ encode: 'copy', bitrate: 1, gop: 1, sound: {}, ffmpeg: program, warn: (line) => lines.push(line) },
  });
  expect((await all(source.sound!.units())).length).toBeGreaterThan(40);
  writeFileSync(broken, '');
  expect(await all(source.sound!.units())).toEqual([]);
  await source.close();
  expect(lines).toEqual([`${clip}: the sound ends early: ffmpeg could not encode the sound: no memory left`]);
});

withFfmpeg('an ffmpeg that dies in the middle of the sound is told from the end of the sound', async () => {
  const folder = temporaryFolder();
  const program = join(folder, 'ffmpeg');
  // Ten seconds of Opus are more than these bytes.
  writeFileSync(program, '#!/bin/sh\nffmpeg "$@" | head -c 20000\necho "out of paper" >&2\nexit 9\n', { mode: 0o755 });
  const clip = join(folder, 'a.mkv');
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=5:duration=10'],
    ...['-f', 'lavfi', '-i', 'sine=duration=10', '-c:v', 'libx264', '-c:a', 'pcm_s16le', clip],
  ]);
  const order = { input: `file:${clip}`, index: 0 };
  const run = await encodeSound({ path: program } as Ffmpeg, order);
  const format = { unitOf: (packet: Uint8Array) => packet, delay: ticks(0) };
  const losses = { backwards: 0, damaged: 0, changed: 0 };
  const reading = { startsAt: ticks(ENCODER_OFFSET_SECONDS * 90_000), losses };
  const units = await all(soundUnits(run.track, format, reading)).catch(() => []);
  expect(units.length).toBeLessThan(400);
  expect(await run.complaint()).toBe('out of paper');
  run.close();
});

test("reads ffmpeg's lists of streams and packets", () => {
  const streams =
    "Input #0, avi, from 'a.avi':\n  Stream #0:0: Video: mpeg4, yuv420p, 25 fps\n" +
    '  Stream #0:1[0x101](deu): Audio: mp2, 44100 Hz\n  Stream #0:2: Audio: ac3 (AC-3 / 0x332D4341), 48000 Hz\n';
  expect(readProbe(streams, 'a.avi').sound).toEqual([
    { codec: 'mp2', language: 'deu' },
    { codec: 'ac3', language: 'und' },
  ]);
  expect(readFirstPicture('#tb 0: 1/1000\n0,      -40,     1500,       40,    51230, 0x1f2e3d4c\n')).toBe(135_000);
  expect(readFirstPicture('')).toBeUndefined();
  // AVI with B-frames.
  const unknown = '-9223372036854775808';
  expect(readFirstPicture(`#tb 0: 1/25\n0,          1, ${unknown},        1,     7643, 0x9def0be7\n`)).toBe(3_600);
  expect(readFirstPicture(`#tb 0: 1/25\n0, ${unknown}, ${unknown},        1,     7643, 0x9def0be7\n`)).toBeUndefined();
});

for (const [ending, codecs, said] of [
  ['m4a', ['-c:a', 'aac'], 'aac, copied'],
  ['opus', ['-c:a', 'libopus'], 'opus, copied'],
  ['mp3', ['-c:a', 'libmp3lame'], 'mp3, encoded as Opus'],
  ['flac', ['-c:a', 'flac'], 'flac, encoded as Opus'],
  ['wav', ['-c:a', 'pcm_s24le'], 'encoded as Opus'],
] as const) {
  withFfmpeg(`a .${ending} file is a source of sound alone, from its first unit on`, async () => {
    const file = join(temporaryFolder(), `a.${ending}`);
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=duration=2:sample_rate=48000', ...codecs, file]);
    const { source, lines } = await open(file);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(said);
    expect(source.sound).toBeUndefined();
    expect(source.description).toMatchObject({ name: `a.${ending}`, width: 0, height: 0 });
    expect(source.description.mode).toBe(said.endsWith('copied') ? 'copy' : 'opus');
  });
}

/** Inputs of ffmpeg: a second of pictures and of sound. */
const FILM = ['testsrc2=size=64x64:rate=25:duration=1', 'sine=duration=1'].flatMap((input) => [
  '-f',
  'lavfi',
  '-i',
  input,
]);

withFfmpeg('units of sound alone begin at 0, and --no-video leaves the pictures of a film out', async () => {
  const clip = join(temporaryFolder(), 'a.mkv');
  execFileSync('ffmpeg', ['-v', 'error', ...FILM, '-c:v', 'libx264', '-c:a', 'aac', '-output_ts_offset', '3', clip]);
  const options = { encode: 'auto', bitrate: 1, gop: 1, sound: {}, warn: () => {} } as const;
  const source = await openMediaSource(clip, { ...options, pictures: false });
  const units = await all(source.units());
  await source.close();
  expect(source.description).toMatchObject({ codecName: 'aac', width: 0 });
  expect(units[0]!.timestamp).toBe(0);
  expect(units.length).toBeGreaterThan(42);
  await expect(openMediaSource(join(clip, '../b.mkv'), options)).rejects.toThrow('b.mkv');
});

withFfmpeg('a film in MPEG-TS whose pictures mediabunny does not know keeps them', async () => {
  const clip = join(temporaryFolder(), 'a.ts');
  execFileSync('ffmpeg', ['-v', 'error', ...FILM, '-c:v', 'mpeg2video', '-c:a', 'mp2', clip]);
  const options = { encode: 'auto', bitrate: 100_000, gop: 25, sound: {}, warn: () => {} } as const;
  const source = await openMediaSource(clip, options);
  await source.close();
  expect(source.description).toMatchObject({ codecName: 'h264', width: 64 });
  expect(source.sound?.description.codecName).toBe('opus');
});

withFfmpeg('encrypted pictures are refused in one line', async () => {
  const folder = temporaryFolder();
  const [plain, clip] = [join(folder, 'plain.mp4'), join(folder, 'a.mp4')];
  const input = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=25:duration=1'];
  execFileSync('ffmpeg', [...input, '-c:v', 'libx264', plain]);
  const key = ['-encryption_key', '0'.repeat(32), '-encryption_kid', '1'.repeat(32)];
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-i',
    plain,
    '-c',
    'copy',
    '-encryption_scheme',
    'cenc-aes-ctr',
    ...key,
    clip,
  ]);
  await expect(open(clip)).rejects.toThrow('its video is encrypted (cenc), so it cannot be streamed');
});
