import { expect, test } from 'vitest';
import { ByteAccumulator } from '../../../protocol/base/byte-accumulator.ts';

test('memory grows with the bytes received, not with the announced length', () => {
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

test('copies its input, so that the caller may reuse the buffer', () => {
  const accumulator = new ByteAccumulator(2);
  const piece = Uint8Array.of(7);
  accumulator.append(piece);
  piece[0] = 8;
  accumulator.append(piece);
  expect(accumulator.take()).toEqual(Uint8Array.of(7, 8));
});

test('asserts on excess bytes and on taking too early', () => {
  const accumulator = new ByteAccumulator(2);
  expect(() => accumulator.append(new Uint8Array(3))).toThrow('must not exceed the expected number');
  expect(() => accumulator.take()).toThrow('before they are taken');
});
