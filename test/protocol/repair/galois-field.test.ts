import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { addScaled, inverse, multiply, scale } from '../../../protocol/repair/galois-field.ts';
import { vectorArithmetic, WORDS_MAX } from '../../../protocol/repair/vector-arithmetic.ts';
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

test('addScaled adds symbols of any length alike, with vectors and without', () => {
  const long = fc.integer({ min: 0, max: WORDS_MAX + 40 });
  fc.assert(
    fc.property(long, fc.nat({ max: 40 }), uint(8), fc.integer(), (length, beyond, coefficient, seed) => {
      const noise = (index: number) => Math.imul(index + seed, 0x9e3779b1) ^ (index << 7);
      const source = Int32Array.from({ length }, (_, index) => noise(index));
      const target = Int32Array.from({ length: length + beyond }, (_, index) => noise(~index));
      const expected = bytesOf(target);
      for (const [index, byte] of bytesOf(source).entries()) expected[index]! ^= multiply(byte, coefficient);
      addScaled(target, source, coefficient);
      expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected))).toBe(0);
    }),
  );
});

test('vectors are used where WebAssembly has them, and are absent without it', () => {
  const addVectors = vectorArithmetic(multiply);
  const target = Int32Array.of(1, 2, 3, 4, 5);
  addVectors!(target, Int32Array.of(7, 0x1234_5678, -1), 0x8e);
  const expected = Int32Array.of(1, 2, 3, 4, 5);
  addScaled(expected, Int32Array.of(7, 0x1234_5678, -1), 0x8e);
  expect(target).toEqual(expected);
  vi.stubGlobal('WebAssembly', undefined);
  onTestFinished(() => void vi.unstubAllGlobals());
  expect(vectorArithmetic(multiply)).toBeUndefined();
});
