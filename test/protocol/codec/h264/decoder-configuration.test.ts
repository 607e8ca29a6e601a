import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseDecoderConfiguration,
  serializeDecoderConfiguration,
} from '../../../../protocol/codec/h264/decoder-configuration.ts';
import { hex, plain } from '../../bytes.ts';

const SPS = '6764001eacd940a02ff970110000030001000003003c0f162d96';
const PPS = '68ebe3cb22c0';

describe('the decoder configuration record (avcC)', () => {
  const record = hex(
    [
      '01 64 00 1e', // version, profile, constraints, level
      'ff e1', // lengths of 4 bytes, one SPS
      `001a ${SPS}`,
      `01 0006 ${PPS}`, // one PPS
      'fd f8 f8 00', // 4:2:0, 8 bits luma, 8 bits chroma, no SPS extension
    ].join(''),
  );

  test('is written for High profile with its extension', () => {
    expect(serializeDecoderConfiguration([hex(SPS), hex(PPS)])).toEqual(record);
  });

  test('is parsed', () => {
    const result = parseDecoderConfiguration(record);
    expect(result).toMatchObject({ ok: true, value: { profile: 100, constraints: 0, level: 30, lengthSize: 4 } });
    if (!result.ok) return;
    expect(result.value.sequenceParameterSets.map(plain)).toEqual([hex(SPS)]);
    expect(result.value.pictureParameterSets.map(plain)).toEqual([hex(PPS)]);
  });

  test('has no extension in Baseline', () => {
    const sps = hex('6742c00bd902c4ec0440000003004000000c83c50a92');
    const bytes = serializeDecoderConfiguration([sps, hex(PPS)]);
    expect(bytes).toHaveLength(6 + 2 + sps.length + 1 + 2 + 6);
    expect(parseDecoderConfiguration(bytes)).toMatchObject({ ok: true, value: { profile: 0x42, constraints: 0xc0 } });
  });

  test('truncated before its extension is malformed', () => {
    for (let length = 0; length < record.length - 4; length += 1) {
      expect(parseDecoderConfiguration(record.slice(0, length)).ok, `${length} bytes`).toBe(false);
    }
  });

  test.each([
    ['avcc-version', '00 64001e ff e1 00'],
    ['avcc-length-size', '01 64001e fe e1 00'],
    ['avcc-sps', '01 64001e ff e1 00ff 67'],
    ['avcc-pps', '01 64001e ff e0 01 00ff 68'],
  ])('says what is wrong: %s', (cause, bytes) => {
    expect(parseDecoderConfiguration(hex(bytes))).toEqual({ ok: false, malformed: cause });
  });

  test('cannot be written without a sequence parameter set', () => {
    expect(() => serializeDecoderConfiguration([hex(PPS)])).toThrow('sequence parameter set');
  });

  test('never throws on arbitrary bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((rest) => Uint8Array.of(1, 100, 0, 30, ...rest));
    fc.assert(
      fc.property(bytes, (any) => {
        expect(typeof parseDecoderConfiguration(any).ok).toBe('boolean');
      }),
    );
  });
});
