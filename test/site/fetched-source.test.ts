import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRawFile } from '../../site/fetched-source.ts';
import { SAMPLES } from '../io/sources/media.ts';

const BYTES = readFileSync(join(SAMPLES, 'counter.h264'));
const CHUNK_BYTES = 10_000;

/** A file whose reads are counted. */
function countedFile() {
  const reads: number[] = [];
  let canceled = 0;
  const stream = () => {
    const round = reads.push(0) - 1;
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull(controller) {
          const begin = reads[round]! * CHUNK_BYTES;
          reads[round]!++;
          if (begin < BYTES.length) controller.enqueue(new Uint8Array(BYTES.subarray(begin, begin + CHUNK_BYTES)));
          else controller.close();
        },
        cancel: () => void canceled++,
      },
      { highWaterMark: 0 },
    );
  };
  return { stream, reads, canceled: () => canceled };
}

test('reads a raw file as far as it is played, anew in each round', async () => {
  const file = countedFile();
  const source = await openRawFile('own.h264', file);
  const counts: number[] = [];
  for (const round of [0, 1]) {
    let count = 0;
    for await (const { importance } of source.units()) {
      if (count++ === 0) expect([importance, file.reads[round]! < 20]).toEqual(['key', true]);
    }
    counts.push(count);
  }
  expect(counts[0]).toBeGreaterThan(100);
  expect(counts[1]).toBe(counts[0]);
  expect(file.reads).toHaveLength(2);
  await source.close();
});

test('stops reading the file when it is closed', async () => {
  const file = countedFile();
  const source = await openRawFile('own.h264', file);
  await source.units().next();
  await source.close();
  expect(file.canceled()).toBe(1);
  expect(file.reads[0]).toBeLessThan(20);
});
