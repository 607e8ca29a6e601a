import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
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

test('patches apply to what is read in order', async () => {
  const at = 524_287;
  const file = new ReadAhead(path, [{ offset: at, bytes: Uint8Array.of(1, 2) }]);
  for (let start = 0; start < at - 10; start += 10_000) await file.read(start, start + 10_000);
  const start = 520_000;
  const bytes = await file.read(start, start + 10_000);
  expect([...bytes.subarray(at - 1 - start, at + 3 - start)]).toEqual([content[at - 1], 1, 2, content[at + 2]]);
  file.close();
});

test('readers of one file share what one of them has read, and a reader of the file that replaces it does not', async () => {
  const shared = `${path}.shared`;
  writeFileSync(shared, content);
  const [first, second] = [new ReadAhead(shared, []), new ReadAhead(shared, [])];
  expect(await first.size()).toBe(content.length);
  expect(await second.size()).toBe(content.length);
  await first.read(0, 10);
  const handle = await open(shared, 'r+');
  await handle.write(Uint8Array.of(0xaa), 0, 1, 5);
  await handle.close();
  expect((await second.read(0, 10))[5]).toBe(content[5]);
  writeFileSync(
    `${shared}.new`,
    Uint8Array.from(content, (byte) => byte ^ 0xff),
  );
  renameSync(`${shared}.new`, shared);
  const third = new ReadAhead(shared, []);
  expect((await third.read(0, 10))[5]).toBe(content[5]! ^ 0xff);
  for (const file of [first, second, third]) file.close();
  rmSync(shared);
});
