import fc from 'fast-check';

/** Bytes from hexadecimal text; blanks and line ends are for the reader. */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

/** A copy as a plain Uint8Array, so that `toEqual` compares bytes and not classes. */
export const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);

export const uint = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });

export const wordsOf = (wordsMax: number): fc.Arbitrary<Uint8Array> =>
  fc.integer({ min: 0, max: wordsMax }).chain((words) => fc.uint8Array({ minLength: words * 4, maxLength: words * 4 }));

/** The pieces of `bytes` when it is cut at these places, in any order and with repetitions (empty pieces). */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((left, right) => left - right);
  return [0, ...sorted].map((start, index) => bytes.slice(start, sorted[index] ?? bytes.length));
}
