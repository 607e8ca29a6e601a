import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BufferSlab } from '../../../protocol/base/buffer-slab.ts';

test('every piece has the requested length, is zeroed and overlaps no other', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(lengths, (wanted) => {
      const slab = new BufferSlab();
      const pieces = wanted.map((bytes, index) => {
        const piece = slab.take(bytes);
        expect(piece.length).toBe(bytes);
        expect(piece.every((byte) => byte === 0)).toBe(true);
        return piece.fill(index + 1);
      });
      for (const [index, piece] of pieces.entries()) expect(piece.every((byte) => byte === index + 1)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('small pieces share a buffer, and a large one has its own', () => {
  const slab = new BufferSlab();
  const [one, large, other] = [slab.take(1_000), slab.take(100_000), slab.take(1_000)];
  expect(other.buffer).toBe(one.buffer);
  expect(large.buffer.byteLength).toBe(100_000);
});
