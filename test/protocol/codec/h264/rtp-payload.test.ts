import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  packPayloads,
  readPayloads,
  salvagePayloads,
  unpackPayloads,
} from '../../../../protocol/codec/h264/rtp-payload.ts';
import { hex, plain } from '../../bytes.ts';

const pack = (nalUnits: readonly Uint8Array[], payloadBytesMax: number): Uint8Array[] =>
  packPayloads(nalUnits, { payloadBytesMax, headroomBytes: 0 }).map(plain);

/** A NAL unit with this header byte and length whose other bytes count up. */
const nalUnit = (header: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index === 0 ? header : index & 0xff));

const unpacked = (...payloads: string[]) => {
  const result = unpackPayloads(payloads.map(hex));
  return result.ok ? result.value.map(plain) : result.malformed;
};

describe('packPayloads', () => {
  test('sends a NAL unit that fits as a single NAL unit packet', () => {
    expect(pack([hex('6588840021')], 16)).toEqual([hex('6588840021')]);
    expect(pack([nalUnit(0x65, 16)], 16)).toEqual([nalUnit(0x65, 16)]);
  });

  test('aggregates consecutive small NAL units into a STAP-A', () => {
    expect(pack([hex('6742c01f'), hex('68ce3c80'), hex('0605')], 100)).toEqual([
      hex(
        [
          '78', // F 0, NRI 3 (the maximum), type 24
          '0004 6742c01f',
          '0004 68ce3c80',
          '0002 0605',
        ].join(''),
      ),
    ]);
  });

  test('gives the STAP-A the forbidden bit of any of its NAL units, and the highest NRI', () => {
    expect(pack([hex('81 01'), hex('21 02'), hex('41 03')], 100)[0]?.[0]).toBe(0b1_10_11000);
    expect(pack([hex('06 01'), hex('06 02')], 100)[0]?.[0]).toBe(0b0_00_11000);
  });

  test('fragments a large NAL unit into FU-A packets, all of them full except the last', () => {
    expect(pack([nalUnit(0x65, 32)], 16)).toEqual([
      hex('7c 85 0102030405060708090a0b0c0d0e'), // FU indicator: NRI 3, type 28; FU header: start, type 5
      hex('7c 05 0f101112131415161718191a1b1c'),
      hex('7c 45 1d1e1f'), // end
    ]);
  });

  test('never sends a fragment with start and end bit', () => {
    // Type 24, 15 bytes: too long for a STAP-A of 16, short enough for one fragment.
    expect(pack([nalUnit(0x18, 15)], 16)).toEqual([hex('1c 98 01020304050607'), hex('1c 58 08090a0b0c0d0e')]);
  });

  test('never sends a NAL unit of type 0 or 24 to 31 in a packet of its own', () => {
    for (const type of [0, 24, 25, 26, 27, 28, 29, 30, 31]) {
      const [payload, ...others] = pack([Uint8Array.of(type, 7)], 100);
      expect(payload).toEqual(Uint8Array.of(24, 0, 2, type, 7));
      expect(others).toEqual([]);
    }
  });

  test('leaves headroom in front of every payload', () => {
    const packets = packPayloads([hex('6742'), hex('68ce'), nalUnit(0x65, 40)], {
      payloadBytesMax: 30,
      headroomBytes: 12,
    });
    expect(packets.map((packet) => plain(packet.subarray(12)))).toEqual(
      pack([hex('6742'), hex('68ce'), nalUnit(0x65, 40)], 30),
    );
    expect(packets.every((packet) => packet.subarray(0, 12).every((byte) => byte === 0))).toBe(true);
  });

  test('neither modifies nor retains its input', () => {
    const source = hex('6588840021');
    const [packet] = packPayloads([source], { payloadBytesMax: 16, headroomBytes: 0 });
    packet?.fill(0);
    expect(source).toEqual(hex('6588840021'));
  });

  test('packs 8,000 tiny slices into few packets', () => {
    const slices = Array.from({ length: 8000 }, (_, index) => Uint8Array.of(0x41, index >> 8, index & 0xff));
    const payloads = pack(slices, 1200);
    expect(payloads).toHaveLength(Math.ceil(8000 / Math.floor(1199 / 5)));
    expect(unpackPayloads(payloads)).toEqual({ ok: true, value: slices });
  });

  test('asserts on a payload size without room, and on an empty NAL unit', () => {
    expect(() => pack([hex('65')], 15)).toThrow('room');
    expect(() => pack([new Uint8Array(0)], 100)).toThrow('header byte');
  });

  test('returns nothing for nothing', () => {
    expect(pack([], 100)).toEqual([]);
  });
});

describe('unpackPayloads', () => {
  const length = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 60 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 3000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 70_000 }) },
  );
  const anyNalUnit = fc.tuple(fc.nat(255), length).map(([header, bytes]) => nalUnit(header, bytes));
  const payloadBytesMax = fc.oneof(fc.integer({ min: 16, max: 64 }), fc.integer({ min: 16, max: 65_535 }));

  test('restores any NAL units, at any packet size', () => {
    fc.assert(
      fc.property(fc.array(anyNalUnit, { maxLength: 12 }), payloadBytesMax, fc.nat(40), (nalUnits, max, headroom) => {
        const packets = packPayloads(nalUnits, { payloadBytesMax: max, headroomBytes: headroom });
        const payloads = packets.map((packet) => packet.subarray(headroom));
        expect(payloads.every((payload) => payload.length > 0 && payload.length <= max)).toBe(true);
        const result = unpackPayloads(payloads);
        // toEqual would take seconds for this many bytes.
        expect(result.ok && result.value.length).toBe(nalUnits.length);
        const same = result.ok && result.value.every((value, index) => Buffer.compare(value, nalUnits[index]!) === 0);
        expect(same).toBe(true);
      }),
    );
  });

  test('accepts STAP-B and FU-B, and skips their decoding order numbers', () => {
    expect(unpacked('79 1234 0002 6742 0001 68')).toEqual([hex('6742'), hex('68')]);
    expect(unpacked('7d 85 1234 0102', '7c 45 03')).toEqual([hex('65 010203')]);
  });

  test('treats a NAL unit of type 24 to 31 inside a STAP-A as a NAL unit', () => {
    expect(unpacked('78 0002 7801 0002 7c85 0001 1f')).toEqual([hex('7801'), hex('7c85'), hex('1f')]);
  });

  test('accepts a fragment with start and end bit, and an empty one, since some senders use them', () => {
    expect(unpacked('7c c5 0102')).toEqual([hex('65 0102')]);
    expect(unpacked('7c 85 01', '7c 05', '7c 45 02')).toEqual([hex('65 0102')]);
  });

  test('returns views where nothing was fragmented', () => {
    const payload = hex('78 0002 6742');
    const result = unpackPayloads([payload]);
    expect(result.ok && result.value[0]?.buffer).toBe(payload.buffer);
  });

  test.each([
    ['empty-payload', ['']],
    ['stap-empty', ['78']],
    ['stap-empty', ['79 1234']],
    ['stap-empty-nal-unit', ['78 0001 67 0000']],
    ['stap-trailing-byte', ['78 0001 67 00']],
    ['stap-size-beyond-end', ['78 0003 6742']],
    ['mtap-unsupported', ['7a 0000 0003 00 0000 65']],
    ['mtap-unsupported', ['7b 0000']],
    ['payload-type-reserved', ['60 00']],
    ['payload-type-reserved', ['7e 00']],
    ['payload-type-reserved', ['7f 00']],
    ['fu-too-short', ['7c']],
    ['fu-too-short', ['7d 85 00']],
    ['fu-without-start', ['7c 05 01']],
    ['fu-without-start', ['7c 45 01']],
    ['fu-without-end', ['7c 85 01']],
    ['fu-without-end', ['7c 85 01', '41 00']],
    ['fu-without-end', ['7c 85 01', '7c 85 02', '7c 45 03']],
    ['fu-type-changed', ['7c 85 01', '7c 41 02']],
  ])('names the damage: %s in %j', (cause, payloads) => {
    expect(unpacked(...payloads)).toBe(cause);
  });

  test('never throws', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc
        .tuple(fc.constantFrom(0x78, 0x79, 0x7c, 0x7d), fc.uint8Array({ maxLength: 12 }))
        .map(([type, rest]) => Uint8Array.of(type, ...rest)),
    );
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 8 }), (payloads) => {
        const result = unpackPayloads(payloads);
        const salvaged = salvagePayloads(payloads);
        if (result.ok) expect(salvaged).toEqual({ nalUnits: result.value, damages: 0 });
        else expect(salvaged.damages).toBeGreaterThan(0);
        for (const { length } of salvaged.nalUnits) expect(length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('salvagePayloads', () => {
  const salvaged = (...payloads: (string | undefined)[]) => {
    const { nalUnits, damages } = salvagePayloads(payloads.map((text) => (text === undefined ? undefined : hex(text))));
    return { nalUnits: nalUnits.map(plain), damages };
  };

  test('loses the fragmented NAL unit with a gap, but not its neighbours', () => {
    expect(salvaged('41 01', '7c 81 02', undefined, '7c 41 04', '41 05')).toEqual({
      nalUnits: [hex('41 01'), hex('41 05')],
      damages: 2,
    });
  });

  test('keeps NAL units before and after a gap', () => {
    expect(salvaged('41 01', undefined, '41 03')).toEqual({ nalUnits: [hex('41 01'), hex('41 03')], damages: 1 });
  });

  test('keeps the NAL units of an aggregation packet before damage in it', () => {
    expect(salvaged('78 0002 6742 0009 68', '41 01')).toEqual({ nalUnits: [hex('6742'), hex('41 01')], damages: 1 });
  });
});

describe('readPayloads', () => {
  test('knows the size before assembly, and assembles once', () => {
    const nalUnits = [nalUnit(0x67, 10), nalUnit(0x65, 400), nalUnit(0x41, 60)];
    const read = readPayloads(pack(nalUnits, 100));
    if (!read.ok) throw new Error(read.malformed);
    expect(read.value.count).toBe(3);
    expect(read.value.bytes).toBe(470);
    expect(read.value.parts.map(plain)).toEqual(nalUnits);
    expect(read.value.parts).toBe(read.value.parts);
  });

  test('validates without assembling NAL units', () => {
    expect(readPayloads(pack([nalUnit(0x65, 400)], 100).slice(1))).toEqual({
      ok: false,
      malformed: 'fu-without-start',
    });
  });
});
