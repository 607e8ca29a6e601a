import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BitReader } from '../../../../protocol/codec/nal/bit-reader.ts';
import { hex } from '../../bytes.ts';
import { BitWriter } from './bit-writer.ts';

test('reads the codes of H.264 Table 9-2', () => {
  // 1 010 011 00100 00101 00110 00111 0001000: code numbers 0 to 7
  const reader = new BitReader(hex('67 a6 42 98 e2 08'));
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(() => reader.unsigned())).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('skips emulation prevention bytes only', () => {
  const reader = new BitReader(hex('67 000003 01 000003 03 0003'));
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(() => reader.bits(8))).toEqual([0, 0, 1, 0, 0, 3, 0, 3]);
  expect(reader.overrun).toBe(false);
});

test('reads 32 bits as an unsigned number', () => {
  expect(new BitReader(hex('67 ffffffff')).bits(32)).toBe(4_294_967_295);
});

test('reads zeros past the end and reports the overrun', () => {
  const reader = new BitReader(hex('67 ff'));
  expect(reader.bits(8)).toBe(255);
  expect(reader.overrun).toBe(false);
  expect(reader.unsigned()).toBe(0);
  expect(reader.overrun).toBe(true);
});

test('treats an overlong code as an overrun', () => {
  const tooLong = new BitReader(hex('67 000003 000003 000003 80'));
  expect(tooLong.unsigned()).toBe(0);
  expect(tooLong.overrun).toBe(true);
});

test('reads what was written', () => {
  const element = fc.oneof(
    fc.record({ kind: fc.constant('unsigned' as const), value: fc.nat(2 ** 31 - 2) }),
    fc.record({ kind: fc.constant('signed' as const), value: fc.integer({ min: -(2 ** 30), max: 2 ** 30 }) }),
    fc.record({ kind: fc.constant('byte' as const), value: fc.constantFrom(0, 0, 0, 1, 3, 255) }),
  );
  fc.assert(
    fc.property(fc.array(element, { maxLength: 40 }), (elements) => {
      const writer = new BitWriter();
      for (const { kind, value } of elements) kind === 'byte' ? writer.bits(value, 8) : writer[kind](value);
      const reader = new BitReader(writer.nalUnit(0x67));
      const read = elements.map(({ kind }) => (kind === 'byte' ? reader.bits(8) : reader[kind]()));
      expect(read).toEqual(elements.map(({ value }) => value));
      expect(reader.overrun).toBe(false);
    }),
  );
});
