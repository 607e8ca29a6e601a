/**
 * Arithmetic in GF(2^8): bytes as polynomials over GF(2) modulo x^8 + x^4 + x^3 + x^2 + 1 (RFC 8681 §3.7.1; the field
 * of RFC 5510 §8.1). Addition and subtraction are both `^`.
 */
import { assert } from '../base/assert.ts';
import { vectorArithmetic, WORDS_MAX } from './vector-arithmetic.ts';

const POLYNOMIAL = 0x11d;

/** Powers of x, stored twice, so that a sum of two logarithms needs no modulo. */
const EXPONENTIALS = new Uint8Array(510);
const LOGARITHMS = new Uint8Array(256);

/** Products, at `left << 8 | right`. 64 KiB, which fits into the second-level cache of any machine that plays video. */
const PRODUCTS = new Uint8Array(256 * 256);

let power = 1;
for (let exponent = 0; exponent < 255; exponent++) {
  EXPONENTIALS[exponent] = power;
  EXPONENTIALS[exponent + 255] = power;
  LOGARITHMS[power] = exponent;
  power <<= 1;
  if (power > 0xff) power ^= POLYNOMIAL;
}
for (let left = 1; left < 256; left++) {
  for (let right = 1; right < 256; right++) {
    PRODUCTS[(left << 8) | right] = EXPONENTIALS[LOGARITHMS[left]! + LOGARITHMS[right]!]!;
  }
}

export const multiply = (left: number, right: number): number => PRODUCTS[(left << 8) | right]!;

export function inverse(value: number): number {
  assert(value !== 0, 'the inverted element must not be zero');
  return EXPONENTIALS[255 - LOGARITHMS[value]!]!;
}

/** Symbols shorter than this are not worth the copies into the memory of the vector instructions. */
const VECTOR_WORDS_MIN = 48;
const addVectors = vectorArithmetic(multiply);

/**
 * `target += coefficient · source`, bytewise, over the length of `source` (RFC 8681 §3.7.2). Independent of the machine's
 * byte order.
 */
export function addScaled(target: Int32Array, source: Int32Array, coefficient: number): void {
  assert(source.length <= target.length, 'the source must not be longer than the target');
  if (addVectors && source.length >= VECTOR_WORDS_MIN && source.length <= WORDS_MAX) {
    addVectors(target, source, coefficient);
  } else addWords(target, source, coefficient);
}

/**
 * Bytes are loaded and stored four at a time and only the products are looked up singly, which is twice as fast as a loop
 * over bytes.
 */
function addWords(target: Int32Array, source: Int32Array, coefficient: number): void {
  const row = coefficient << 8;
  for (let index = 0; index < source.length; index++) {
    target[index] = target[index]! ^ scaledWord(row, source[index]!);
  }
}

/** `target = coefficient · target`. */
export function scale(target: Int32Array, coefficient: number): void {
  const row = coefficient << 8;
  for (let index = 0; index < target.length; index++) target[index] = scaledWord(row, target[index]!);
}

const scaledWord = (row: number, word: number): number =>
  PRODUCTS[row | (word & 0xff)]! |
  (PRODUCTS[row | ((word >>> 8) & 0xff)]! << 8) |
  (PRODUCTS[row | ((word >>> 16) & 0xff)]! << 16) |
  (PRODUCTS[row | (word >>> 24)]! << 24);
