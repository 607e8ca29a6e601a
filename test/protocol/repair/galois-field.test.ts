import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addScaled, inverse, multiply, scale } from '../../../protocol/repair/galois-field.ts';
import { uint } from '../bytes.ts';
import { slowInverse, slowMultiply } from './slow-linear-algebra.ts';

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);

test('every product is the remainder of the polynomial product', () => {
  for (const left of BYTES) {
    expect(BYTES.map((right) => multiply(left, right))).toEqual(BYTES.map((right) => slowMultiply(left, right)));
  }
});

test('every nonzero value has an inverse', () => {
  expect(BYTES.slice(1).map(inverse)).toEqual(BYTES.slice(1).map(slowInverse));
  expect(() => inverse(0)).toThrow('the inverted element must not be zero');
});

const words = fc.array(fc.integer(), { maxLength: 20 }).map((values) => Int32Array.from(values));
const bytesOf = (words: Int32Array): number[] => [...new Uint8Array(words.buffer)];

test('addScaled adds the products bytewise and leaves bytes beyond the source alone', () => {
  fc.assert(
    fc.property(words, uint(8), words, (source, coefficient, beyond) => {
      const target = Int32Array.from([...source].reverse().concat([...beyond]));
      const scaled = bytesOf(source).map((byte) => slowMultiply(byte, coefficient));
      const expected = bytesOf(target).map((byte, index) => byte ^ (scaled[index] ?? 0));
      addScaled(target, source, coefficient);
      expect(bytesOf(target)).toEqual(expected);
    }),
  );
});

test('scale multiplies each byte', () => {
  fc.assert(
    fc.property(words, uint(8), (target, coefficient) => {
      const expected = bytesOf(target).map((byte) => slowMultiply(byte, coefficient));
      scale(target, coefficient);
      expect(bytesOf(target)).toEqual(expected);
    }),
  );
});

test('adding twice cancels out', () => {
  const target = Int32Array.of(0x01020304, -1);
  addScaled(target, Int32Array.of(0x7fffffff, -5), 0x8e);
  addScaled(target, Int32Array.of(0x7fffffff, -5), 0x8e);
  expect(target).toEqual(Int32Array.of(0x01020304, -1));
});
