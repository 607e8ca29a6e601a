import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hasImpossibleCounts } from '../../../io/mp4/sample-counts.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';

const SAMPLE = 'samples/counter.mp4';

/** A sample with one field of a table changed. @param at offset of the field in the body of the box. */
function withField(type: string, at: number, value: number): string {
  const file = readFileSync(SAMPLE);
  file.writeUInt32BE(value, file.indexOf(type) + 4 + at);
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-counts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'film.mp4');
  writeFileSync(path, file);
  return path;
}

test.each([
  ['a run of four billion durations', 'stts', 8],
  ['four billion samples in a chunk', 'stsc', 12],
] as const)('%s is refused in one line', async (_, type, at) => {
  const path = withField(type, at, 0xffff_ffff);
  await expect(openMediaSource(path, { encode: 'auto', warn: () => {} } as never)).rejects.toThrow(
    'it counts more samples than there are',
  );
});

test('sound files and counts that are a little too high are read', async () => {
  expect(await hasImpossibleCounts(SAMPLE)).toBe(false);
  expect(await hasImpossibleCounts('samples/flash.mp4')).toBe(false);
  expect(await hasImpossibleCounts(withField('stts', 8, 361))).toBe(false);
  expect(await hasImpossibleCounts('samples/counter.h264')).toBe(false);
});
