import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { ReadAhead } from '../../../io/sources/read-ahead.ts';

const path = join(tmpdir(), `read-ahead-${process.pid}.bin`);
const content = Uint8Array.from({ length: 1_500_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
writeFileSync(path, content);
afterAll(() => rmSync(path));

test('any sequence of reads returns the bytes of the file', async () => {
  const place = fc.nat({ max: content.length - 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(place, fc.nat({ max: 600_000 })), { maxLength: 12 }), async (reads) => {
      const file = new ReadAhead(path, []);
      for (const [start, length] of reads) {
        const end = Math.min(content.length, start + length);
        expect(Buffer.compare(await file.read(start, end), content.subarray(start, end))).toBe(0);
      }
      file.close();
    }),
    { numRuns: 30 },
  );
});

test('reads in order are mostly answered at once', async () => {
  const file = new ReadAhead(path, []);
  let waited = 0;
  for (let start = 0; start < content.length; start += 10_000) {
    const bytes = file.read(start, start + 10_000);
    if (bytes instanceof Promise) waited++;
    expect(Buffer.compare(await bytes, content.subarray(start, start + 10_000))).toBe(0);
  }
  expect(waited).toBe(3);
  file.close();
});

test('patches apply wherever a read begins, and bytes behind the end are 0', async () => {
  const file = new ReadAhead(path, [{ offset: 100, bytes: Uint8Array.of(1, 2, 3) }]);
  expect([...(await file.read(98, 104))]).toEqual([content[98], content[99], 1, 2, 3, content[103]]);
  expect([...(await file.read(101, 102))]).toEqual([2]);
  const { length } = content;
  expect([...(await file.read(length - 1, length + 2))]).toEqual([content[length - 1], 0, 0]);
  file.close();
});
