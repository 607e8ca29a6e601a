import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Log } from '../../../io/os/log.ts';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { joinAnnexB } from '../../../protocol/codec/nal/annex-b.ts';
import { receive as receiveStream, serve as serveMedia } from '../../../session/index.ts';
import { ReceiveRun, type ReceiveRunOptions } from '../../../session/run/receive-run.ts';
import { streamChange } from '../../../session/run/stream-change.ts';
import type { StreamAnnouncement } from '../../../session/stream/client.ts';
import { dropframeClient } from '../../../session/stream/dropframe-client.ts';
import { until } from '../../io/net/control-peers.ts';
import { SAMPLES, temporaryFolder, withFfmpeg } from '../../io/sources/media.ts';
import { serve, sourceOf } from '../../loopback-session.ts';
import { AAC_CONFIG, OPUS_HEAD, soundSource, soundUnits } from '../../sound-units.ts';
import { fakePlayer } from './fake-player.ts';

/** Thirty pictures of this codec, and sound beside them. */
function source(codecName: 'h264' | 'h265', sound?: 'opus' | 'aac') {
  const units = Array.from({ length: 30 }, (_, index): AccessUnit => {
    const key = index % 10 === 0;
    const part = codecByName(codecName).syntheticPart({ key, bytes: 200 + index, filling: 1 });
    const timestamp = ticks(index * 1_800);
    return { parts: [part], timestamp, decodeTimestamp: timestamp, importance: key ? 'key' : 'reference' };
  });
  const { description, ...rest } = sourceOf(units);
  const codec = codecName === 'h264' ? description.codec : 'hvc1.1.6.L30.90';
  const parameterSets = codecName === 'h264' ? description.parameterSets : [];
  const made: MediaSource = {
    ...rest,
    description: { ...description, codecName, codec, parameterSets },
    ...(sound && { sound: soundSource(sound, soundUnits(sound, 30)) }),
  };
  return { units, made };
}

/** Runs a receiver whose sender stops and returns with another stream. */
async function runAcross(first: MediaSource, second: MediaSource, options: Partial<ReceiveRunOptions>) {
  const lines: string[] = [];
  const serving = await serve([], { source: { ...first, units: () => endless(first) } });
  const { port } = serving.server;
  const settings = { latencyMs: 300, recovery: 'hybrid', link: undefined } as const;
  let pictures = 0;
  const run = new ReceiveRun({
    ...settings,
    connect: (events) =>
      dropframeClient({
        ...{ ...settings, host: '127.0.0.1', port, transport: 'udp', timeoutMs: 10_000 },
        ...{ release: 'deadline', onLoss: 'freeze' },
      })({
        ...events,
        onUnit: (unit, how) => {
          pictures++;
          events.onUnit(unit, how);
        },
      }),
    ...{ transport: 'udp', ipv6: false, play: 'none', pagePort: 0, openBrowser: false },
    ...{ output: undefined, capture: undefined },
    log: new Log({ level: 'info', write: (line) => lines.push(line) }),
    ...options,
  });
  const end = run.run();
  end.catch(() => {});
  await until('the first stream is over', () => pictures >= 30);
  await serving.server.close('restarted');
  await serve([], { source: second, port });
  return { run, end, lines };
}

/** The units of a source, after which nothing comes. */
async function* endless(source: MediaSource): AsyncGenerator<AccessUnit> {
  yield* source.units();
  await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
}

test('a recording whose sender returns with another codec goes on in a second file, and both are whole', async () => {
  const [first, second] = [source('h264'), source('h265')];
  const folder = temporaryFolder();
  const { run, end, lines } = await runAcross(first.made, second.made, { output: join(folder, 'film.h264') });
  expect(await end).toBe('end-of-stream');
  const sets = first.made.description.parameterSets;
  const bytes = (units: readonly AccessUnit[]) => units.flatMap(({ parts }) => parts);
  expect(readFileSync(join(folder, 'film.h264'), 'hex')).toBe(
    Buffer.from(joinAnnexB([...sets, ...bytes(first.units)])).toString('hex'),
  );
  expect(readFileSync(join(folder, 'film-2.h265'), 'hex')).toBe(
    Buffer.from(joinAnnexB(bytes(second.units))).toString('hex'),
  );
  expect(run.summary.recordedFrames).toBe(60);
  expect(lines.filter((line) => line.includes('has returned'))).toEqual([
    `dropframe: warning: the sender has returned with hvc1.1.6.L30.90 instead of avc1.42001f: the recording continues in ${join(folder, 'film-2.h265')}\n`,
  ]);
});

test('a recording that goes on has the parameter sets of the new stream, which are announced only', async () => {
  const [first, second] = [source('h264'), source('h264')];
  const sets = [Uint8Array.of(0x67, 0x64, 0, 0x20), Uint8Array.of(0x68, 2)];
  const made = { ...second.made, description: { ...second.made.description, parameterSets: sets } };
  const output = join(temporaryFolder(), 'film.h264');
  const { end } = await runAcross(first.made, made, { output });
  expect(await end).toBe('end-of-stream');
  const bytes = (units: readonly AccessUnit[]) => units.flatMap(({ parts }) => parts);
  const whole = [...first.made.description.parameterSets, ...bytes(first.units), ...sets, ...bytes(second.units)];
  expect(readFileSync(output, 'hex')).toBe(Buffer.from(joinAnnexB(whole)).toString('hex'));
});

test('a recording on stdout, which has no second file, ends as a failure that names both codecs', async () => {
  const first = source('h264');
  const written: Uint8Array[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk, done) => {
    written.push(Buffer.from(chunk));
    (done as unknown as () => void)?.();
    return true;
  });
  onTestFinished(() => write.mockRestore());
  const { end, lines } = await runAcross(first.made, source('h265').made, { output: '-' });
  await expect(end).rejects.toMatchObject({
    message:
      'the sender has returned with hvc1.1.6.L30.90 instead of avc1.42001f: stdout holds one stream: start the receiver again, or record to a file',
    exitCode: 1,
  });
  expect(lines.join('')).not.toContain('has returned');
  for (const { parts } of first.units) expect(Buffer.concat(written).includes(Buffer.from(parts[0]!))).toBe(true);
});

test.each([
  { name: 'without sound', before: 'aac', after: undefined, files: ['film.mkv'] },
  { name: 'with sound where there was none', before: undefined, after: 'aac', files: ['film-2.mkv', 'film.mkv'] },
  { name: 'with another codec of the sound', before: 'opus', after: 'aac', files: ['film-2.mkv', 'film.mkv'] },
] as const)('a sender that returns $name is recorded in $files', async ({ before, after, files }) => {
  const output = join(temporaryFolder(), 'film.mkv');
  const { run, end } = await runAcross(source('h264', before).made, source('h264', after).made, { output });
  expect(await end).toBe('end-of-stream');
  expect(readdirSync(join(output, '..')).toSorted()).toEqual(files);
  expect(run.summary.recordedFrames).toBe(60);
});

test('a player is opened again for another codec, and gets the whole of the new stream', async () => {
  const folder = temporaryFolder();
  // Each player writes its arguments and its input to files of its own.
  fakePlayer(`echo "$@" > ${folder}/$$.arguments\ncat <&3 > ${folder}/$$.input`, folder);
  const second = source('h265');
  const { end, lines } = await runAcross(source('h264').made, second.made, { play: 'mpv' });
  expect(await end).toBe('end-of-stream');
  const players = readdirSync(folder).filter((name) => name.endsWith('.arguments'));
  const played = players.map(
    (name) => readFileSync(join(folder, name), 'utf8').match(/demuxer-lavf-format=(\w+)/)?.[1],
  );
  expect(played.toSorted()).toEqual(['h264', 'hevc']);
  const hevc = players[played.indexOf('hevc')]!.replace('.arguments', '.input');
  const input = readFileSync(join(folder, hevc));
  for (const { parts } of second.units) expect(input.includes(Buffer.from(parts[0]!))).toBe(true);
  expect(lines.join('')).toContain(
    'mpv is opened again: the sender has returned with hvc1.1.6.L30.90 instead of avc1.42001f\n',
  );
});

withFfmpeg('another picture size with the same codec is recorded in the same file, all of which decodes', async () => {
  const output = join(temporaryFolder(), 'film.mkv');
  const first = await serveMedia(join(SAMPLES, 'city.mp4'), { loop: true });
  const port = Number(new URL(first.url.replace('dropframe:', 'http:')).port);
  /** Frames recorded when each stream began. */
  const began: number[] = [];
  const onStream = () => began.push(reception.summary.recordedFrames ?? 0);
  const reception = receiveStream(first.url, { latencyMs: 500, output, onStream });
  await until('the first is recorded', () => (reception.summary.recordedFrames ?? 0) > 5);
  await first.close();
  const second = await serveMedia(join(SAMPLES, 'counter.mp4'), { port, loop: true });
  await until('the second is recorded', () => reception.summary.recordedFrames! > began[1]! + 5);
  reception.stop();
  const { recordedFrames } = await reception.ended;
  await second.close();
  expect(existsSync(output.replace('.mkv', '-2.mkv'))).toBe(false);
  const entries = '-v error -select_streams v -show_entries frame=width -of csv=p=0'.split(' ');
  const widths = execFileSync('ffprobe', [...entries, output], { encoding: 'utf8' }).match(/\d+/g);
  expect(widths).toHaveLength(recordedFrames!);
  expect(new Set(widths).size).toBe(2);
});

const stream = (changes: Partial<StreamAnnouncement> = {}): StreamAnnouncement => ({
  codecName: 'h264',
  media: {
    ...{ name: 'a film', codec: 'avc1.64001e', width: 640, height: 360 },
    ...{ framesPerSecond: 30, durationMs: null, mode: 'copy' },
  },
  parameterSets: [],
  latencyMs: 100,
  position: 'live',
  ...changes,
});
const AAC = { codecName: 'aac', decoder: 'mp4a.40.2', parameterSets: [AAC_CONFIG] } as const;

test.each([
  [{ media: { ...stream().media, width: 1_280, height: 720 } }, undefined],
  [{ media: { ...stream().media, rotation: 90 as const } }, 'pictures rotated by 90° instead of 0°'],
  [{ sound: undefined }, 'sound none instead of mp4a.40.2'],
  [
    { sound: { codecName: 'opus' as const, decoder: 'opus', parameterSets: [OPUS_HEAD] } },
    'sound opus instead of mp4a.40.2',
  ],
  [
    { sound: { ...AAC, parameterSets: [Uint8Array.of(0x11, 0x88)] } },
    'sound mp4a.40.2 of 48000 Hz and 1 channel instead of mp4a.40.2 of 44100 Hz and 2 channels',
  ],
])('a stream that returns with %o is told as: %s', (changes, expected) => {
  const before = stream({ sound: AAC });
  expect(streamChange(before, { ...before, ...changes })).toBe(expected);
});
