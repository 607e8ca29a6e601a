import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base64Bytes, base64Text, hexBytes, hexText, utf8Bytes, utf8Text } from '../../../protocol/base/text-codec.ts';
import { hex, plain } from '../bytes.ts';

/** Characters of all planes, and halves of surrogate pairs. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
);

test('encodes UTF-8 as the platform does', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(utf8Bytes(text)).toEqual(new TextEncoder().encode(text));
    }),
  );
});

test('UTF-8 round-trips, and an unpaired surrogate becomes U+FFFD', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(utf8Text(utf8Bytes(text))).toBe(Buffer.from(text).toString());
    }),
  );
  expect(utf8Text(utf8Bytes('a\ud800b'))).toBe('a\ufffdb');
});

test('decodes arbitrary bytes, and valid UTF-8 as the platform does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = utf8Text(bytes);
      const valid = Buffer.compare(Buffer.from(text), bytes) === 0;
      if (valid) expect(text).toBe(Buffer.from(bytes).toString());
      else expect(text).toContain('\ufffd');
    }),
  );
});

test.each([
  ['a slash in two bytes', 'c0af'],
  ['a slash in three bytes', 'e080af'],
  ['a surrogate', 'eda080'],
  ['beyond the last code point', 'f4908080'],
  ['a continuation alone', '80'],
  ['a character that is cut', 'e282'],
])('rejects UTF-8 with %s', (_, bytes) => {
  expect(utf8Text(hex(bytes))).toMatch(/^\ufffd+$/);
});

test('encodes base64 as the platform does, and decodes it with or without padding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = base64Text(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect(base64Bytes(text)).toEqual(plain(bytes));
      expect(base64Bytes(text.replaceAll('=', ''))).toEqual(plain(bytes));
    }),
  );
});

test.each(['a', 'aaaaa', 'a===', 'aa=', '=', 'aa aa', 'aa-_', 'aaä=', 'a=aa'])('%j is not base64', (text) => {
  expect(base64Bytes(text)).toBeUndefined();
});

test('encodes hexadecimal as the platform does, and decodes either case', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(hexText(bytes)).toBe(Buffer.from(bytes).toString('hex'));
      expect(hexBytes(hexText(bytes).toUpperCase())).toEqual(plain(bytes));
    }),
  );
  expect(['a', 'zz', '0x', ' 1'].map(hexBytes)).toEqual([undefined, undefined, undefined, undefined]);
});
