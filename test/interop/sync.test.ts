import { join } from 'node:path';
import { expect } from 'vitest';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { Recorder } from '../../session/run/recorder.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import { flashesAndBeeps, type Sync, syncOf } from '../flash-and-beep.ts';
import { SAMPLES, temporaryFolder, withFfmpeg } from '../io/sources/media.ts';
import { receive, serve } from '../loopback-session.ts';

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
  const [sent, received] = paths.map((path) => syncOf(flashesAndBeeps(path))) as [Sync[], Sync[]];
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
  const sync = syncOf(flashesAndBeeps(join(SAMPLES, 'flash.mp4')));
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
