import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { h265Importance, looksLikeH265 } from '../../../../protocol/codec/h265/payload-inspection.ts';
import { packH265Payloads, readPayloadRanges, unpackPayloads } from '../../../../protocol/codec/h265/rtp-payload.ts';
import { hex, plain } from '../../bytes.ts';

const pack = (nalUnits: readonly Uint8Array[], payloadBytesMax: number): Uint8Array[] =>
  packH265Payloads(nalUnits, { payloadBytesMax, headroomBytes: 0 }).map(plain);

/** A NAL unit with these header bytes and this length whose other bytes count up. */
const nalUnit = (header: string, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index < 2 ? hex(header)[index]! : index & 0xff));

const unpacked = (...payloads: string[]) => {
  const result = unpackPayloads(payloads.map(hex));
  return result.ok ? result.value.map(plain) : result.malformed;
};

describe('packH265Payloads', () => {
  test('sends a NAL unit that fits as a single NAL unit packet (RFC 7798 §4.4.1)', () => {
    expect(pack([hex('2601af04942699')], 16)).toEqual([hex('2601af04942699')]);
  });

  test('aggregates consecutive small NAL units (§4.4.2)', () => {
    expect(pack([hex('40010c01'), hex('42010101'), hex('4401c0')], 100)).toEqual([
      hex('60 01' /* F 0, type 48, LayerId 0, TID 1 */ + '0004 40010c01' + '0004 42010101' + '0003 4401c0'),
    ]);
  });

  test('gives an aggregation packet the F of any, the lowest LayerId and the lowest TID of its NAL units', () => {
    // Layers 33 and 32, TID 3 and 2.
    expect(pack([hex('030b aa'), hex('8302 bb')], 100)[0]?.slice(0, 2)).toEqual(hex('e102'));
    expect(pack([hex('020a aa'), hex('0209 bb')], 100)[0]?.slice(0, 2)).toEqual(hex('6009'));
  });

  test('fragments a large NAL unit, all fragments full except the last (§4.4.3)', () => {
    expect(pack([nalUnit('2601', 32)], 16)).toEqual([
      hex('62 01 93 02030405060708090a0b0c0d0e'), // PayloadHdr: type 49, TID 1; FU header: start, type 19
      hex('62 01 13 0f101112131415161718191a1b'),
      hex('62 01 53 1c1d1e1f'), // end
    ]);
  });

  test('never sends a NAL unit of a type from 48 on alone, nor a fragment with start and end bit', () => {
    expect(pack([hex('6001 07')], 100)).toEqual([hex('6001 0003 600107')]);
    expect(pack([nalUnit('6001', 14)], 16)).toEqual([hex('6201b0 020304050607'), hex('620170 08090a0b0c0d')]);
  });

  test('asserts on a NAL unit without a whole header', () => {
    expect(() => pack([hex('26')], 100)).toThrow('header bytes');
  });
});

describe('unpackPayloads', () => {
  const length = fc.oneof(
    fc.integer({ min: 2, max: 60 }),
    fc.integer({ min: 2, max: 3_000 }),
    fc.integer({ min: 2, max: 70_000 }),
  );
  const anyNalUnit = fc
    .tuple(fc.nat(255), fc.nat(255), length)
    .map(([first, second, bytes]) => nalUnit(Buffer.from([first, second]).toString('hex'), bytes));
  const sizes = fc.oneof(fc.integer({ min: 16, max: 64 }), fc.integer({ min: 16, max: 65_535 }));

  test('restores any NAL units, at any packet size, and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.array(anyNalUnit, { minLength: 1, maxLength: 8 }),
        sizes,
        fc.nat(40),
        (nalUnits, max, headroom) => {
          const packets = packH265Payloads(nalUnits, { payloadBytesMax: max, headroomBytes: headroom });
          const payloads = packets.map((packet) => packet.subarray(headroom));
          expect(payloads.every((payload) => payload.length >= 2 && payload.length <= max)).toBe(true);
          const result = unpackPayloads(payloads);
          expect(result.ok && result.value.length).toBe(nalUnits.length);
          const same = result.ok && result.value.every((value, index) => Buffer.compare(value, nalUnits[index]!) === 0);
          expect(same).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('rejects a frame from which any payload with a fragment was cut', () => {
    const payloads = pack([hex('40010c'), nalUnit('2601', 90), nalUnit('0201', 90)], 20);
    for (const missing of payloads.keys()) {
      const rest = payloads.filter((_, index) => index !== missing);
      const isFragment = payloads[missing]![0] === 0x62;
      const inside = isFragment && (payloads[missing]![2]! & 0xc0) === 0;
      const read = unpackPayloads(rest);
      // A fragment in the middle carries no number: RTP's sequence numbers tell of its loss.
      if (isFragment && !inside) expect(read.ok).toBe(false);
      else
        expect(read.ok && read.value.map(plain)).not.toEqual([hex('40010c'), nalUnit('2601', 90), nalUnit('0201', 90)]);
    }
  });

  test.each([
    ['empty-payload', ['']],
    ['payload-too-short', ['26']],
    ['ap-empty', ['6001']],
    ['ap-empty-nal-unit', ['6001 0003 400107 0000']],
    ['ap-short-nal-unit', ['6001 0001 40']],
    ['ap-trailing-byte', ['6001 0003 400107 00']],
    ['ap-size-beyond-end', ['6001 0004 400107']],
    ['paci-unsupported', ['6401 0000']],
    ['payload-type-reserved', ['6601 00']],
    ['payload-type-reserved', ['7e01 00']],
    ['fu-too-short', ['6201']],
    ['fu-without-start', ['6201 13 01']],
    ['fu-without-end', ['6201 93 01']],
    ['fu-without-end', ['6201 93 01', '0201 80']],
    ['fu-type-changed', ['6201 93 01', '6201 41 02']],
  ])('names the damage: %s in %j', (cause, payloads) => {
    expect(unpacked(...payloads)).toBe(cause);
  });

  test('accepts a fragment with start and end bit, since some senders set both', () => {
    expect(unpacked('6201 d3 0102')).toEqual([hex('2601 0102')]);
  });

  test('never throws', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc
        .tuple(fc.constantFrom(0x60, 0x62, 0x64), fc.uint8Array({ maxLength: 12 }))
        .map(([type, rest]) => Uint8Array.of(type, 1, ...rest)),
    );
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 8 }), (payloads) => {
        const read = readPayloadRanges(payloads.map((bytes) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length })));
        if (read.ok) expect(read.value.parts.every(({ length }) => length >= 2)).toBe(true);
        h265Importance(payloads);
        for (const bytes of payloads) looksLikeH265(bytes);
      }),
    );
  });
});

describe('payload inspection', () => {
  test.each([
    ['key', ['2601 80']],
    ['key', ['2a01 80']], // CRA
    ['key', ['6001 0003 400107 0003 260180']],
    ['key', ['6201 93 80', '6201 53 00']],
    ['reference', ['0201 80']],
    ['discardable', ['0001 80']],
    ['reference', ['0402 80']], // TSA_N of TemporalId 1: a higher sub-layer may refer to it
    ['key', ['4e01 06 01 c0 80', '0201 80']], // recovery point
  ])('finds %s in %j', (importance, payloads) => {
    expect(h265Importance(payloads.map(hex))).toBe(importance);
  });

  test('tells H.265 from H.264 and from other payloads', () => {
    for (const payload of ['2601af', '6201 93 80', '6001 0003 400107 0003 260180'])
      expect(looksLikeH265(hex(payload))).toBe(true);
    for (const payload of ['6588840021', '7c85 01', '9001 80', '6001 0009 40', '2600 80', '26']) {
      expect(looksLikeH265(hex(payload))).toBe(false);
    }
  });
});
