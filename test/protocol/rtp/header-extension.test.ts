import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseElements, serializeElements } from '../../../protocol/rtp/header-extension.ts';
import { hex, uint, wordsOf } from '../bytes.ts';

test('parses the one-byte form of RFC 8285 §4.2, with padding between elements', () => {
  // ID 1, one byte (L=0): aa; two bytes of padding; ID 2, four bytes (L=3); ID 3, one byte; one byte of padding.
  const data = hex('10 aa 00 00  23 01 02 03  04 30 bb 00');
  expect(parseElements({ profile: 0xbede, data })).toEqual({
    ok: true,
    value: [
      { id: 1, data: hex('aa') },
      { id: 2, data: hex('01020304') },
      { id: 3, data: hex('bb') },
    ],
  });
});

test('parses the two-byte form of RFC 8285 §4.3, with empty elements and application bits', () => {
  // ID 1, no bytes; ID 0xf0, one byte: cc; padding; ID 3, four bytes.
  const data = hex('01 00 f0 01  cc 00 03 04  01 02 03 04');
  for (const profile of [0x1000, 0x1005, 0x100f]) {
    expect(parseElements({ profile, data })).toEqual({
      ok: true,
      value: [
        { id: 1, data: hex('') },
        { id: 0xf0, data: hex('cc') },
        { id: 3, data: hex('01020304') },
      ],
    });
  }
});

test.each([
  ['the id that is kept for the future', '10 aa f0 bb'],
  ['padding that claims a length', '10 aa 03 bb'],
])('%s ends the elements, and those before it count', (_, data) => {
  expect(parseElements({ profile: 0xbede, data: hex(data) })).toEqual({
    ok: true,
    value: [{ id: 1, data: hex('aa') }],
  });
});

test.each([
  ['of the one-byte form', 0xbede, '10 aa 23 01'],
  ['of the two-byte form', 0x1000, '01 00 02 02'],
  ['of the two-byte form, in front of its length', 0x1000, '01 00 00 02'],
])('an element %s that is cut is malformed', (_, profile, data) => {
  expect(parseElements({ profile, data: hex(data) })).toEqual({ ok: false, malformed: 'element-truncated' });
});

test('an extension of another profile has no elements', () => {
  expect(parseElements({ profile: 0xabac, data: hex('10aa0000') })).toEqual({ ok: true, value: [] });
});

test('serialize and parse round-trip', () => {
  const element = fc.record({
    id: fc.integer({ min: 1, max: 14 }),
    data: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  });
  fc.assert(
    fc.property(fc.array(element, { maxLength: 20 }), (elements) => {
      const extension = serializeElements(elements);
      expect(extension.data.length % 4).toBe(0);
      expect(parseElements(extension)).toEqual({ ok: true, value: elements });
    }),
  );
});

test('never throws on arbitrary bytes, and elements stay within them', () => {
  const profile = fc.oneof(fc.constant(0xbede), fc.constant(0x1000), uint(16));
  fc.assert(
    fc.property(profile, wordsOf(20), (profile, data) => {
      const elements = parseElements({ profile, data });
      if (!elements.ok) return;
      const bytes = elements.value.reduce((sum, element) => sum + 1 + element.data.length, 0);
      expect(bytes).toBeLessThanOrEqual(data.length);
    }),
  );
});
