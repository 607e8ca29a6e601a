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

/** A flash, seconds, and the distance to its beep, milliseconds; positive when the sound is late. */
interface Sync {
  readonly flash: number;
  readonly error: number;
}

function syncOf({ flashes, beeps }: Decoded): Sync[] {
  return flashes.flatMap((flash) => {
    const beep = beeps.find((at) => Math.abs(at - flash) < 0.4);
    return beep === undefined ? [] : [{ flash, error: (beep - flash) * 1_000 }];
  });
}

/**
 * Sends the clip and records it on both sides. What is received is compared with what was sent, since a sender that stalls
 * between a flash and its beep delays only the beep.
 * @returns the distances of the flashes to their beeps as sent, and how far each that was received differs from it.
 */
async function transmitted(name: string, link: string | undefined): Promise<{ sent: Sync[]; differences: number[] }> {
  const source = await openMediaSource(join(SAMPLES, 'flash.mp4'), {
    ...{ encode: 'copy', bitrate: 1, gop: 1, sound: {} },
    warn: () => {},
  });
  const folder = temporaryFolder();
  const failures: unknown[] = [];
  const { description, sound } = source;
  const recorderOf = (path: string) =>
    Recorder.open(path, { ...description, sound: sound?.description }, (error) => failures.push(error));
  const paths = [join(folder, `sent-${name}`), join(folder, name)] as const;
  const [sending, receiving] = [await recorderOf(paths[0]), await recorderOf(paths[1])];
  const { server } = await serve([], {
    source,
    onUnit: (unit) => sending.write(unit),
    onSound: (unit) => sending.write(unit, { isSound: true }),
  });
  const { run } = receive(server.port, {
    records: true,
    link: link === undefined ? undefined : parseLink(link),
    onRecordedUnit: (unit) => receiving.write(unit),
    onSound: (unit) => receiving.write(unit, { isSound: true }),
  });
  await run;
  await Promise.all([sending.close(), receiving.close()]);
  await source.close();
  expect(failures).toEqual([]);
  const [sent, received] = paths.map((path) => syncOf(decoded(path))) as [Sync[], Sync[]];
  const differences = received.flatMap(({ flash, error }) => {
    const original = sent.find((each) => Math.abs(each.flash - flash) < 0.05);
    return original === undefined ? [] : [error - original.error];
  });
  // A stall may part one flash from its beep, and not most of them.
  const errors = sent.map(({ error }) => Math.abs(error)).sort((one, other) => one - other);
  expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(20);
  return { sent, differences };
}

withFfmpeg('the clip itself is in sync', () => {
  const sync = syncOf(decoded(join(SAMPLES, 'flash.mp4')));
  expect(sync.length).toBeGreaterThanOrEqual(4);
  for (const { error } of sync) expect(Math.abs(error)).toBeLessThan(10);
});

for (const name of ['a.mp4', 'a.ts']) {
  withFfmpeg(`sound and picture of ${name} keep together within 20 ms on a clean path`, async () => {
    const { sent, differences } = await transmitted(name, undefined);
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(differences.length).toBe(sent.length);
    for (const difference of differences) expect(Math.abs(difference)).toBeLessThan(20);
  });
}

withFfmpeg('sound and picture keep together within 40 ms at 5 % loss and 20 ms of jitter', async () => {
  const { differences } = await transmitted('a.mp4', 'loss=5% delay=30ms jitter=20ms seed=3');
  expect(differences.length).toBeGreaterThanOrEqual(3);
  for (const difference of differences) expect(Math.abs(difference)).toBeLessThan(40);
});
