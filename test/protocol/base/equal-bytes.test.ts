import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalBytes } from '../../../protocol/base/equal-bytes.ts';

test('equals itself copied, and nothing that has another byte or length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(), (bytes, place) => {
      const other = bytes.slice();
      expect(equalBytes(bytes, other)).toBe(true);
      expect(equalBytes(bytes, bytes.subarray(1))).toBe(false);
      other[place % bytes.length]! ^= 1;
      expect(equalBytes(bytes, other)).toBe(false);
    }),
  );
});
