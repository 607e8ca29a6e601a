import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../io/ffmpeg/ffmpeg-locator.ts';
import { makeTemporaryFolder } from '../../../io/os/temporary-folder.ts';
import { renditionPlans } from '../../../io/sources/rendition-plan.ts';
import { RenditionSource, type RenditionSourceOptions } from '../../../io/sources/rendition-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { milliseconds, ticks } from '../../../protocol/base/units.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { optional } from '../../optional.ts';
import { SAMPLE } from '../../sample-units.ts';
import { take } from './take-units.ts';

const found = await locateFfmpeg().catch(() => undefined);
const withFfmpeg = optional('ffmpeg with libx264', found?.libx264 === true);
const folder = await makeTemporaryFolder('rendition-source');
afterAll(() => folder.remove());

const SIZE = { width: 320, height: 180 };
const RANGE = { min: 50_000, max: 800_000 };
/** A group of pictures, frames. */
const GROUP = 15;

const options = (changes: Partial<RenditionSourceOptions> = {}, ffmpeg = found as Ffmpeg): RenditionSourceOptions => ({
  name: 'film',
  encoder: {
    ffmpeg,
    input: { ...SIZE, framesPerSecond: 30, durationSeconds: 8 },
    framesPerSecond: 30,
  },
  plans: renditionPlans(SIZE, 30, RANGE),
  bitrate: 800_000,
  durationSeconds: undefined,
  fallbacks: [],
  warn: () => {},
  ...changes,
});

const bytesOf = (units: readonly AccessUnit[]): number =>
  units.reduce((sum, { parts }) => parts.reduce((bytes, part) => bytes + part.length, sum), 0);
const keyFrames = (units: readonly AccessUnit[]): number[] =>
  units.flatMap(({ importance }, frame) => (importance === 'key' ? [frame] : []));
const widthOf = ({ parts }: AccessUnit): number | undefined => codecByName('h264').describe(parts)?.width;

/** A program that runs ffmpeg, but the first `runs` times only up to this many bytes of output. */
function failing(name: string, runs: number, bytes: number): Ffmpeg {
  const path = join(folder.path, name);
  const calls = join(folder.path, `${name}.calls`);
  writeFileSync(
    path,
    `#!/bin/sh
echo >> '${calls}'
if [ $(wc -l < '${calls}') -gt ${runs} ]; then exec '${found?.path}' "$@"; fi
'${found?.path}' "$@" | head -c ${bytes}
exit 9
`,
  );
  chmodSync(path, 0o755);
  return { ...found!, path };
}

describe('a source of renditions', () => {
  withFfmpeg('follows its target at key frames, which are half a second apart', async () => {
    const source = await RenditionSource.open(options());
    expect(source.description).toMatchObject({ ...SIZE, framesPerSecond: 30, mode: 'x264' });
    const units = await take(source, 90, (frame) => {
      if (frame === 35) source.adaptive.setTarget(60_000);
    });
    expect(source.adaptive.state).toMatchObject({ bitrate: 50_000, renditions: 3 });
    await source.close();
    expect(keyFrames(units)).toEqual([0, 15, 30, 45, 60, 75]);
    expect(units.map(({ timestamp }) => timestamp)).toEqual(units.map((_, frame) => frame * 3_000));
    const before = bytesOf(units.slice(15, 45));
    const after = bytesOf(units.slice(45, 75));
    expect(after).toBeLessThan(before / 4);
    // Each key frame can be decoded by itself, whatever the size before it.
    expect(units.filter(({ importance }) => importance === 'key').every((unit) => widthOf(unit) !== undefined)).toBe(
      true,
    );
  });

  withFfmpeg('leaves pictures out where it is late, up to a key frame', async () => {
    const source = await RenditionSource.open(options());
    const units = await take(source, 30, (frame) => {
      if (frame === 10) source.adaptive.skip!(milliseconds(400));
    });
    await source.close();
    // Picture 9 is the last one before; 12 pictures are 400 ms, and the next group begins with picture 30.
    expect(units.map(({ timestamp }) => timestamp / 3_000)).toEqual(units.map((_, i) => (i < 10 ? i : i + 20)));
    expect(units[10]!.importance).toBe('key');
  });

  withFfmpeg('begins again where the input is repeated', async () => {
    const short = { ...options().encoder, input: { ...SIZE, framesPerSecond: 30, durationSeconds: 1 } };
    const source = await RenditionSource.open(options({ encoder: short }));
    const first = await take(source, 100);
    const again = await take(source, 100);
    await source.close();
    expect(first).toHaveLength(30);
    expect(again.map(({ timestamp }) => timestamp)).toEqual(first.map(({ timestamp }) => timestamp));
  });

  withFfmpeg('starts at a place, and at the beginning where it is repeated', async () => {
    const film = { ...options().encoder, input: `file:${SAMPLE}`, evenTimes: true };
    const source = await RenditionSource.open(options({ encoder: film, startSeconds: 1 }));
    const first = await take(source, 1_000);
    const again: AccessUnit[] = [];
    for await (const unit of source.units({ isRepeat: true })) again.push(unit);
    await source.close();
    expect(first[0]).toMatchObject({ timestamp: 0, importance: 'key' });
    expect(again[0]).toMatchObject({ timestamp: 0, importance: 'key' });
    expect(again.length - first.length).toBeGreaterThan(20);
  });

  withFfmpeg('goes on at the same place with another run when ffmpeg is lost', async () => {
    const warnings: string[] = [];
    const changes = { warn: (warning: string) => void warnings.push(warning) };
    const source = await RenditionSource.open(options(changes, failing('once', 1, 80_000)));
    const units = await take(source, 90);
    await source.close();
    expect(warnings).toEqual([expect.stringMatching(/^film: ffmpeg failed: .*: restarted$/)]);
    expect(units.map(({ timestamp }) => timestamp)).toEqual(units.map((_, frame) => frame * 3_000));
  });

  withFfmpeg('continues with the next best source when ffmpeg fails again', async () => {
    const warnings: string[] = [];
    const copied: AccessUnit[] = Array.from({ length: 400 }, (_, frame) => ({
      parts: [new Uint8Array([frame % GROUP === 0 ? 0x65 : 0x41, frame])],
      timestamp: ticks(frame * 3_000),
      decodeTimestamp: ticks(frame * 3_000),
      importance: frame % GROUP === 0 ? 'key' : 'reference',
    }));
    const source = await RenditionSource.open(
      options(
        {
          warn: (warning) => warnings.push(warning),
          fallbacks: [
            async () => ({
              startSeconds: 0,
              source: {
                description: { ...source.description, mode: 'copy' },
                units: async function* () {
                  yield* copied;
                },
                close: async () => {},
              },
            }),
          ],
        },
        failing('ever', 1_000, 80_000),
      ),
    );
    const units = await take(source, 240);
    await source.close();
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toMatch(/^film: ffmpeg failed: .*, again: it is copied from its next key frame on/);
    const times = units.map(({ timestamp }) => timestamp / 3_000);
    const begin = units.findIndex(({ parts }) => parts.length === 1);
    expect(times.slice(0, begin)).toEqual(times.slice(0, begin).map((_, frame) => frame));
    expect(times[begin]! % GROUP).toBe(0);
    expect(times[begin]! - begin).toBeLessThan(GROUP);
  });

  withFfmpeg('fails in one line when the input cannot be read', async () => {
    const encoder = { ...options().encoder, input: 'file:/nowhere.mp4' };
    await expect(RenditionSource.open(options({ encoder }))).rejects.toThrow(
      /^film: ffmpeg failed: .*No such file or directory$/,
    );
  });
});

describe('the plans of renditions', () => {
  withFfmpeg('have fewer and smaller encodes for a slow processor', () => {
    const plans = renditionPlans({ width: 1280, height: 720 }, 30, { min: 100_000, max: 3_000_000 });
    expect(plans.map(({ rates, preset, encodings }) => [rates.length, preset, encodings.at(-1)!.size.width])).toEqual([
      [5, 'superfast', 1280],
      [5, 'ultrafast', 1280],
      [3, 'ultrafast', 1280],
      [3, 'ultrafast', 640],
    ]);
  });
});
