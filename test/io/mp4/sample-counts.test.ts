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
  return written(file);
}

function written(file: Uint8Array): string {
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

test('a fragment with four billion samples without entries is refused', async () => {
  const box = (type: string, ...parts: Uint8Array[]): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + parts.reduce((sum, { length }) => sum + length, 0));
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, ...parts]);
  };
  const run = (flags: number, count: number): Buffer => {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(flags, 0);
    body.writeUInt32BE(count, 4);
    return box('trun', body);
  };
  const file = (...runs: Buffer[]): Buffer =>
    Buffer.concat([
      box('moov', box('mvex')),
      box('moof', box('traf', run(0, 48_000))),
      box('moof', box('traf', ...runs)),
    ]);
  expect(await hasImpossibleCounts(written(file(run(0, 0xffff_ffff))))).toBe(true);
  expect(await hasImpossibleCounts(written(file(run(0, 600_000), run(0, 600_000))))).toBe(true);
  // Entries that are not there end the reading.
  expect(await hasImpossibleCounts(written(file(run(0x100, 0xffff_ffff), run(0, 480_000))))).toBe(false);
});

test('sound files and counts that are a little too high are read', async () => {
  expect(await hasImpossibleCounts(SAMPLE)).toBe(false);
  expect(await hasImpossibleCounts('samples/flash.mp4')).toBe(false);
  expect(await hasImpossibleCounts(withField('stts', 8, 361))).toBe(false);
  expect(await hasImpossibleCounts('samples/counter.h264')).toBe(false);
});
