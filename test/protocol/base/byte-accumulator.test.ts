import { expect, test } from 'vitest';
import { ByteAccumulator } from '../../../protocol/base/byte-accumulator.ts';

test('memory grows with what has arrived, not with what was promised', () => {
  const accumulator = new ByteAccumulator(65_536);
  accumulator.append(new Uint8Array(1));
  expect(accumulator.capacity).toBeLessThanOrEqual(256);
  let mostForOne = 0;
  for (let length = 1; length < 65_536; length++) {
    accumulator.append(Uint8Array.of(length));
    if (length > 256) mostForOne = Math.max(mostForOne, accumulator.capacity / accumulator.length);
  }
  expect(mostForOne).toBeLessThanOrEqual(2);
  expect(accumulator.take()).toEqual(Uint8Array.from({ length: 65_536 }, (_, index) => index));
});

test('pieces are copied: the giver may use its buffer again', () => {
  const accumulator = new ByteAccumulator(2);
  const piece = Uint8Array.of(7);
  accumulator.append(piece);
  piece[0] = 8;
  accumulator.append(piece);
  expect(accumulator.take()).toEqual(Uint8Array.of(7, 8));
});

test('more than is wanted, and taking too early, are our own mistakes', () => {
  const accumulator = new ByteAccumulator(2);
  expect(() => accumulator.append(new Uint8Array(3))).toThrow('no more is collected');
  expect(() => accumulator.take()).toThrow('whole');
});
