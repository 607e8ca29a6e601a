import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinLengthPrefixed, splitLengthPrefixed } from '../../../../protocol/codec/nal/length-prefixed.ts';
import { hex, plain } from '../../bytes.ts';

describe('a sample', () => {
  const split = (bytes: Uint8Array, lengthSize: number) => {
    const { nalUnits, malformed } = splitLengthPrefixed(bytes, lengthSize);
    return { nalUnits: nalUnits.map(plain), malformed };
  };

  test.each([
    [1, '02 0910 03 658884'],
    [2, '0002 0910 0003 658884'],
    [4, '00000002 0910 00000003 658884'],
  ])('is split by lengths of %i bytes', (lengthSize, bytes) => {
    expect(split(hex(bytes), lengthSize)).toEqual({ nalUnits: [hex('0910'), hex('658884')], malformed: undefined });
  });

  test('yields the NAL units before a bad length, and the reason', () => {
    expect(split(hex('00000002 0910 00000009 6588'), 4)).toEqual({
      nalUnits: [hex('0910')],
      malformed: 'nal-length-beyond-end',
    });
    expect(split(hex('00000002 0910 fffffff0 6588'), 4).malformed).toBe('nal-length-beyond-end');
    expect(split(hex('0002 0910 00'), 2)).toEqual({ nalUnits: [hex('0910')], malformed: 'nal-length-truncated' });
  });

  test('may contain empty NAL units, which are omitted', () => {
    expect(split(hex('00000000 00000002 0910'), 4)).toEqual({ nalUnits: [hex('0910')], malformed: undefined });
  });

  test('restores what was joined', () => {
    const nalUnits = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 10 });
    fc.assert(
      fc.property(nalUnits, (given) => {
        expect(split(joinLengthPrefixed(given), 4)).toEqual({ nalUnits: given, malformed: undefined });
      }),
    );
  });
});
