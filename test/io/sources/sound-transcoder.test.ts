import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { locateFfmpeg } from '../../../io/ffmpeg/ffmpeg-locator.ts';
import { SoundTranscoder } from '../../../io/sources/sound-transcoder.ts';
import { type AccessUnit, shifted } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { PATIENCE } from '../../patience.ts';
import { all, SAMPLES, withFfmpeg } from './media.ts';
import { open } from './opened-source.ts';

/** Duration of a unit of Opus, 90 kHz. */
const OPUS = 1_800;

/** Encodes the sound of a film, with its times changed, and returns the times of what comes up to the end of the last unit. */
async function encoded(change: (unit: AccessUnit) => AccessUnit | undefined): Promise<number[]> {
  const { source } = await open(join(SAMPLES, 'flash.mp4'), { sound: {} });
  const units = (await all(source.sound!.units())).flatMap((unit) => change(unit) ?? []);
  const times: number[] = [];
  const failures: string[] = [];
  const transcoder = new SoundTranscoder({
    ffmpeg: await locateFfmpeg({}),
    parameterSets: source.sound!.description.parameterSets,
    onUnit: ({ timestamp }) => times.push(timestamp),
    onFailure: (cause) => failures.push(cause),
  });
  onTestFinished(() => transcoder.close());
  for (const unit of units) transcoder.push(unit);
  // The encoder and the reader hold some back.
  const last = units.at(-1)!.timestamp - 27_000;
  await vi.waitFor(() => expect(times.at(-1) ?? 0).toBeGreaterThan(last), PATIENCE);
  expect(failures).toEqual([]);
  expect(times[0]! - units[0]!.timestamp).toBeLessThan(OPUS);
  return times;
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, before) => time - times[before]!);

withFfmpeg('encodes the sound at its times', async () => {
  const times = await encoded((unit) => shifted(unit, ticks(7_000_000)));
  expect(times[0]).toBeGreaterThan(6_980_000);
  for (const gap of gaps(times)) expect(Math.abs(gap - OPUS)).toBeLessThanOrEqual(1);
});

withFfmpeg('a hole becomes silence, and what follows keeps its time', async () => {
  const times = await encoded((unit) => (unit.timestamp < 180_000 || unit.timestamp > 270_000 ? unit : undefined));
  for (const gap of gaps(times)) expect(Math.abs(gap - OPUS)).toBeLessThanOrEqual(1);
  expect(times.filter((time) => time > 190_000 && time < 260_000).length).toBeGreaterThan(30);
});

withFfmpeg('a jump of the times is followed', async () => {
  const hour = ticks(3_600 * 90_000);
  const times = await encoded((unit) => (unit.timestamp < 180_000 ? unit : shifted(unit, hour)));
  expect(gaps(times).filter((gap) => Math.abs(gap - OPUS) > 1)).toHaveLength(1);
  expect(times.some((time) => time > 270_000 && time < hour)).toBe(false);
});
