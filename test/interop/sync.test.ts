import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { Recorder } from '../../session/run/recorder.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import { SAMPLES, temporaryFolder, withFfmpeg } from '../io/sources/media.ts';
import { receive, serve } from '../loopback-session.ts';

const BRIGHT = 128;

interface Decoded {
  /** Times of the white frames and of the ends of the silences, seconds; the first beep has no silence before it. */
  readonly flashes: readonly number[];
  readonly beeps: readonly number[];
}

/** Decodes a file from outside: ffmpeg's pictures and sound, each at the time that the container gives. */
function decoded(path: string): Decoded {
  const run = (parameters: readonly string[]) =>
    execFileSync('ffmpeg', ['-v', 'error', '-copyts', '-i', path, ...parameters], { maxBuffer: 1e9 });
  const means = run(['-map', '0:v', '-vf', 'signalstats,metadata=print:file=-', '-f', 'null', '-']).toString();
  const flashes: number[] = [];
  let at = 0;
  let wasBright = false;
  for (const line of means.split('\n')) {
    at = Number(/pts_time:(-?[\d.]+)/.exec(line)?.[1] ?? at);
    const mean = /YAVG=([\d.]+)/.exec(line)?.[1];
    if (mean === undefined) continue;
    const isBright = Number(mean) > BRIGHT;
    if (isBright && !wasBright) flashes.push(at);
    wasBright = isBright;
  }
  const heard = run([
    '-map',
    '0:a',
    '-af',
    'silencedetect=noise=-25dB:duration=0.2,ametadata=print:file=-',
    '-f',
    'null',
    '-',
  ]);
  const beeps = [...heard.toString().matchAll(/silence_end=(-?[\d.]+)/g)].map(([, end]) => Number(end));
  return { flashes, beeps };
}

/** Distances between each flash and its beep, milliseconds; positive when the sound is late. */
function syncErrors({ flashes, beeps }: Decoded): number[] {
  return flashes.flatMap((flash) => {
    const beep = beeps.find((at) => Math.abs(at - flash) < 0.4);
    return beep === undefined ? [] : [(beep - flash) * 1_000];
  });
}

async function recorded(name: string, link: string | undefined): Promise<string> {
  const source = await openMediaSource(join(SAMPLES, 'flash.mp4'), {
    ...{ encode: 'copy', bitrate: 1, gop: 1, sound: {} },
    warn: () => {},
  });
  const path = join(temporaryFolder(), name);
  const failures: unknown[] = [];
  const { description, sound } = source;
  const recorder = await Recorder.open(path, { ...description, sound: sound?.description }, (error) =>
    failures.push(error),
  );
  const { server } = await serve([], { source });
  const { run } = receive(server.port, {
    records: true,
    link: link === undefined ? undefined : parseLink(link),
    onRecordedUnit: (unit) => recorder.write(unit),
    onSound: (unit) => recorder.write(unit, { isSound: true }),
  });
  await run;
  await recorder.close();
  await source.close();
  expect(failures).toEqual([]);
  return path;
}

const CLEAN = syncErrorsOfSource();

function syncErrorsOfSource(): () => number[] {
  let errors: number[] | undefined;
  return () => {
    errors ??= syncErrors(decoded(join(SAMPLES, 'flash.mp4')));
    return errors;
  };
}

withFfmpeg('the clip itself is in sync', () => {
  expect(CLEAN().length).toBeGreaterThanOrEqual(4);
  for (const error of CLEAN()) expect(Math.abs(error)).toBeLessThan(10);
});

for (const name of ['a.mp4', 'a.ts']) {
  withFfmpeg(`sound and picture of ${name} keep together within 20 ms on a clean path`, async () => {
    const errors = syncErrors(decoded(await recorded(name, undefined)));
    expect(errors.length).toBeGreaterThanOrEqual(4);
    for (const error of errors) expect(Math.abs(error)).toBeLessThan(20);
  });
}

withFfmpeg('sound and picture keep together within 40 ms at 5 % loss and 20 ms of jitter', async () => {
  const errors = syncErrors(decoded(await recorded('a.mp4', 'loss=5% delay=30ms jitter=20ms seed=3')));
  expect(errors.length).toBeGreaterThanOrEqual(3);
  for (const error of errors) expect(Math.abs(error)).toBeLessThan(40);
});
