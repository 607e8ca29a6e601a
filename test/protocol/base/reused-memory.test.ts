import { describe, expect, test } from 'vitest';
import { ReusedMemory } from '../../../protocol/base/reused-memory.ts';

describe('reused memory', () => {
  test('gives pieces that share nothing until it is released, of any length and number', () => {
    const memory = new ReusedMemory();
    for (let round = 0; round < 3; round++) {
      const lengths = Array.from({ length: 100 }, (_, index) =>
        (index + round) % 7 === 0 ? 5_000 : 1_000 + index * round,
      );
      const pieces = lengths.map((length) => memory.take(length));
      expect(pieces.map(({ length }) => length)).toEqual(lengths);
      for (const [index, piece] of pieces.entries()) piece.fill(index);
      for (const [index, piece] of pieces.entries()) expect(piece.every((byte) => byte === index)).toBe(true);
      memory.release();
    }
  });

  test('gives the same piece again for the same length', () => {
    const memory = new ReusedMemory();
    const piece = memory.take(1_200);
    memory.release();
    expect(memory.take(1_200)).toBe(piece);
    memory.release();
    const shorter = memory.take(40);
    expect(shorter.buffer).toBe(piece.buffer);
    expect(shorter.length).toBe(40);
  });
});
