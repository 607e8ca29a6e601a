import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnnexBSplitter, joinAnnexB, splitAnnexB } from '../../../../protocol/codec/nal/annex-b.ts';
import { cutAt, hex, plain } from '../../bytes.ts';

/** Oracle: Annex B as a regular expression over hexadecimal text, byte by byte. */
function splitSlowly(bytes: Uint8Array): string[] {
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const [, ...parts] = ` ${text}`.split(' 00 00 01');
  return parts.map((part) => part.replace(/( 00)+$/, '').trim()).filter((part) => part !== '');
}

const asText = (nalUnits: readonly Uint8Array[]): string[] =>
  nalUnits.map((nalUnit) => [...nalUnit].map((byte) => byte.toString(16).padStart(2, '0')).join(' '));

/** Bytes that are mostly 0, 1 and 3: start codes and near misses are frequent. */
const zeroish = fc
  .array(fc.constantFrom(0, 0, 0, 1, 1, 3, 9), { maxLength: 200 })
  .map((bytes) => Uint8Array.from(bytes));

/** A NAL unit as an encoder writes it: without start codes, and without a zero at the end. */
const nalUnit = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => bytes.map((byte, index) => (byte === 0 && index % 2 === 0 ? 2 : byte)))
  .map((bytes) => Uint8Array.of(...bytes, 0x80));

function pushAll(splitter: AnnexBSplitter, chunks: readonly Uint8Array[]): Uint8Array[] {
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.flush()];
}

describe('splitAnnexB', () => {
  test('accepts start codes of three and four bytes', () => {
    const bytes = hex('00000001 0910 000001 6742 00000001 6588');
    expect(splitAnnexB(bytes).map(plain)).toEqual([hex('0910'), hex('6742'), hex('6588')]);
  });

  test('omits zeros around a NAL unit, and bytes before the first start code', () => {
    const bytes = hex('ff 0000000000 000001 6588 000000 00000001 4188 0000');
    expect(splitAnnexB(bytes).map(plain)).toEqual([hex('6588'), hex('4188')]);
  });

  test('omits empty NAL units', () => {
    expect(splitAnnexB(hex('000001 000001 000001 6588 00000001')).map(plain)).toEqual([hex('6588')]);
  });

  test('keeps the cabac_zero_words at the end of a NAL unit', () => {
    expect(splitAnnexB(hex('000001 6588 000003 000003 00 000001 41')).map(plain)).toEqual([
      hex('6588 000003 000003'),
      hex('41'),
    ]);
  });

  test('finds nothing in text, in zeros and in empty input', () => {
    for (const bytes of ['', '00', '0000', '000000000000', '48656c6c6f']) expect(splitAnnexB(hex(bytes))).toEqual([]);
  });

  test('returns views', () => {
    const bytes = hex('000001 6588');
    expect(splitAnnexB(bytes)[0]?.buffer).toBe(bytes.buffer);
  });

  test('equals the reference splitter on arbitrary bytes', () => {
    fc.assert(
      fc.property(zeroish, (bytes) => {
        expect(asText(splitAnnexB(bytes))).toEqual(splitSlowly(bytes));
      }),
    );
  });

  test('restores what was joined', () => {
    const many = fc.array(nalUnit, { maxLength: 20 });
    fc.assert(
      fc.property(many, (nalUnits) => {
        expect(splitAnnexB(joinAnnexB(nalUnits)).map(plain)).toEqual(nalUnits);
      }),
    );
  });
});

describe('joinAnnexB', () => {
  test('writes four-byte start codes', () => {
    expect(joinAnnexB([hex('0910'), hex('6588')])).toEqual(hex('00000001 0910 00000001 6588'));
  });
});

describe('AnnexBSplitter', () => {
  test('equals the whole-stream splitter wherever the chunks are cut', () => {
    fc.assert(
      fc.property(zeroish, fc.array(fc.nat(), { maxLength: 20 }), (bytes, places) => {
        const nalUnits = pushAll(new AnnexBSplitter(), cutAt(bytes, places));
        expect(asText(nalUnits)).toEqual(splitSlowly(bytes));
      }),
    );
  });

  test('returns a NAL unit as soon as the start code after it arrives', () => {
    const splitter = new AnnexBSplitter();
    expect(splitter.push(hex('000001 6588 0000'))).toEqual([]);
    expect(splitter.push(hex('01')).map(plain)).toEqual([hex('6588')]);
    expect(splitter.push(hex('4188'))).toEqual([]);
    expect(splitter.flush().map(plain)).toEqual([hex('4188')]);
    expect(splitter.flush()).toEqual([]);
  });

  test('does not modify returned NAL units while it reads on', () => {
    const splitter = new AnnexBSplitter();
    const long = new Uint8Array(400_000).fill(7);
    const [first] = splitter.push(joinAnnexB([hex('6588'), long, long]));
    for (let round = 0; round < 5; round += 1) splitter.push(joinAnnexB([long, long]));
    expect(first).toEqual(hex('6588'));
  });

  test('counts empty NAL units and bytes outside NAL units', () => {
    const splitter = new AnnexBSplitter();
    pushAll(splitter, [hex('ffffff 000001'), hex('000001 000001 65'), hex('000001')]);
    expect(splitter.emptyNalUnits).toBe(3);
    expect(splitter.skippedBytes).toBe(3);
  });

  test('drops a NAL unit above its limit, and continues after it', () => {
    const splitter = new AnnexBSplitter({ nalUnitBytesMax: 10 });
    const bytes = joinAnnexB([hex('6588'), new Uint8Array(10).fill(3), new Uint8Array(50).fill(5), hex('4188')]);
    const chunks = Array.from({ length: bytes.length }, (_, index) => bytes.subarray(index, index + 1));
    expect(pushAll(splitter, chunks).map(plain)).toEqual([hex('6588'), new Uint8Array(10).fill(3), hex('4188')]);
    expect(splitter.oversizedNalUnits).toBe(1);
    const atOnce = new AnnexBSplitter({ nalUnitBytesMax: 10 });
    expect(pushAll(atOnce, [bytes])).toHaveLength(3);
    expect(atOnce.oversizedNalUnits).toBe(1);
  });
});
