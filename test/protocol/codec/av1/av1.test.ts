import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAv1FrameHeader } from '../../../../protocol/codec/av1/frame-header.ts';
import { Av1ImportanceTracker } from '../../../../protocol/codec/av1/importance.ts';
import { joinTemporalUnit, readLeb128, splitTemporalUnit, writeLeb128 } from '../../../../protocol/codec/av1/obu.ts';
import { parseAv1SequenceHeader } from '../../../../protocol/codec/av1/sequence-header.ts';
import { codecByName } from '../../../../protocol/codec/codecs.ts';
import { carried } from '../carried.ts';
import { EXISTING, HIDDEN, hex, KEY, SEQUENCE, SHOWN, UNREFERENCED } from './obus.ts';

const AV1 = codecByName('av1');
const options = (payloadBytesMax: number) => ({ payloadBytesMax, headroomBytes: 0 });
const texts = (list: readonly Uint8Array[]) => list.map((bytes) => Buffer.from(bytes).toString('hex'));

describe('open bitstream units', () => {
  test('lose their sizes and temporal delimiters, and get the sizes back', () => {
    // Temporal delimiter of size 0, sequence header of 10 bytes, frame of 3.
    const unit = hex('1200 0a0a 000000 02afff9b5f2008 3203 10aabb');
    const obus = splitTemporalUnit(unit);
    expect(texts(obus)).toEqual(['0800000002afff9b5f2008', '3010aabb']);
    expect(texts([joinTemporalUnit(obus)])).toEqual(texts([unit.subarray(2)]));
    // An extension stays; the last OBU may be without a size.
    expect(texts(splitTemporalUnit(hex('3628 01 aa 30bb')))).toEqual(['3428aa', '30bb']);
    expect(texts([joinTemporalUnit([hex('3428aa')])])).toEqual(['362801aa']);
    // A size beyond the end, and a forbidden bit.
    expect(texts(splitTemporalUnit(hex('3201 10 3205 10')))).toEqual(['3010']);
    expect(splitTemporalUnit(hex('b201 10'))).toEqual([]);
  });

  test('have sizes in leb128', () => {
    const text = (value: number) => {
      const bytes = new Uint8Array(8);
      return Buffer.from(bytes.subarray(0, writeLeb128(bytes, 0, value))).toString('hex');
    };
    expect([0, 127, 128, 16_383, 16_384, 2 ** 32 - 1].map(text)).toEqual([
      '00',
      '7f',
      '8001',
      'ff7f',
      '808001',
      'ffffffff0f',
    ]);
    expect(readLeb128(hex('e58e26'), 0)).toEqual({ value: 624_485, bytes: 3 });
    // As long as they like, up to eight bytes; 32 bits at most.
    expect(readLeb128(hex('8180808080808000'), 0)).toEqual({ value: 1, bytes: 8 });
    expect([readLeb128(hex('8080'), 0), readLeb128(hex('ffffffff1f'), 0)]).toEqual([undefined, undefined]);
  });
});

describe('AV1 frames', () => {
  const sequence = parseAv1SequenceHeader(SEQUENCE)!;

  test('are described by the sequence header', () => {
    expect(sequence).toMatchObject({ profile: 0, level: 0, tier: 0, width: 64, height: 64 });
    expect(AV1.describe([SEQUENCE])).toMatchObject({ decoder: 'av01.0.00M.08', width: 64, height: 64, signal: {} });
    expect(texts([AV1.mp4!.configuration([SEQUENCE])!])).toEqual(['81000c000a0a00000002afff9f7f3008']);
    expect(AV1.session!.formatParameters([SEQUENCE])).toEqual(['profile=0', 'level-idx=0', 'tier=0']);
    expect([AV1.describe([KEY]), AV1.mp4!.configuration([])]).toEqual([undefined, undefined]);
    for (let end = 0; end < SEQUENCE.length - 1; end++) {
      expect(parseAv1SequenceHeader(SEQUENCE.subarray(0, end))).toBeUndefined();
    }
  });

  test('of 10 bits, BT.2020 and the High tier say so', () => {
    // profile 0 | level 13, tier 1 | 3840 × 2160 | high_bitdepth, colors 9, 16, 9
    const bits = [
      ...['000', '0', '0', '0', '0', '00000', '000000000000', '01101', '1'],
      ...['1011', '1011', '111011111111', '100001101111', '0', '000', '0000', '0', '1', '1', '000', '1'],
      ...['0', '1', '00001001', '00010000', '00001001', '0', '00', '0', '0', '1'],
    ].join('');
    const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    expect(AV1.describe([Uint8Array.from([0x08, ...bytes])])).toMatchObject({
      ...{ decoder: 'av01.0.13H.10', width: 3_840, height: 2_160 },
      signal: { color: { primaries: 9, transfer: 16, matrix: 9 } },
    });
  });

  test('tell which slots they refresh', () => {
    const read = [KEY, HIDDEN, SHOWN, EXISTING, UNREFERENCED].map((obu) => parseAv1FrameHeader(obu, sequence));
    expect(read).toEqual([
      { kind: 'coded', isKey: true, isShown: true, refreshes: 0xff },
      { kind: 'coded', isKey: false, isShown: false, refreshes: 1 },
      { kind: 'coded', isKey: false, isShown: true, refreshes: 0x80 },
      { kind: 'existing', slot: 6 },
      { kind: 'coded', isKey: false, isShown: true, refreshes: 0 },
    ]);
  });

  test('are discardable when they refresh nothing, also where a hidden one is shown', () => {
    const tracker = new Av1ImportanceTracker();
    const units = [[SEQUENCE, KEY], [HIDDEN, SHOWN], [EXISTING], [UNREFERENCED], [HIDDEN, UNREFERENCED]];
    expect(units.map((unit) => tracker.importanceOf(unit))).toEqual([
      'key',
      'reference',
      'discardable',
      'discardable',
      'reference',
    ]);
    // Before the sequence header nothing is known.
    expect(new Av1ImportanceTracker().importanceOf([UNREFERENCED])).toBe('reference');
    // A hidden key frame in slot 6: showing it refreshes all slots.
    const hiddenKey = hex('30 08 00 40');
    expect(parseAv1FrameHeader(hiddenKey, sequence)).toMatchObject({ isKey: true, isShown: false, refreshes: 0x40 });
    const later = new Av1ImportanceTracker();
    expect(later.importanceOf([SEQUENCE, hiddenKey, SHOWN])).toBe('reference');
    expect(later.importanceOf([EXISTING])).toBe('reference');
  });

  test('that decoding starts with get the sequence header where they lack it', () => {
    expect(AV1.withParameterSets([KEY], [SEQUENCE])).toEqual([SEQUENCE, KEY]);
    expect(AV1.withParameterSets([SEQUENCE, KEY], [SEQUENCE])).toEqual([SEQUENCE, KEY]);
    expect(AV1.withParameterSets([SHOWN], [SEQUENCE])).toEqual([SHOWN]);
    const tracker = AV1.trackParameterSets();
    for (const part of [SEQUENCE, KEY, SHOWN]) tracker.add(part);
    expect(tracker.sets()).toEqual([SEQUENCE]);
  });
});

describe('payloads of AV1', () => {
  test('have up to three elements, of which the last has no length', () => {
    expect(texts(AV1.packetize([hex('0801'), hex('3010aa'), hex('28bb')], options(100)))).toEqual([
      /* W 3, N | length 2 | sequence header | length 3 | key frame | metadata */ '38 02 0801 03 3010aa 28bb'.replaceAll(
        ' ',
        '',
      ),
    ]);
    const four = [hex('3030'), hex('3031'), hex('3032'), hex('3033')];
    expect(texts(AV1.packetize(four, options(100)))).toEqual(['30023030023031' + '3032', '103033']);
  });

  test('split an OBU that does not fit, marked on both sides', () => {
    const frame = Uint8Array.from([0x30, 0x30, ...Array.from({ length: 30 }, (_, index) => index)]);
    const payloads = AV1.packetize([frame], options(16));
    expect(payloads.map((payload) => [payload[0], payload.length])).toEqual([
      ...[
        [0x50, 16],
        [0xd0, 16],
        [0x90, 3],
      ],
    ]);
    expect(payloads.map(AV1.startsFrame)).toEqual([true, false, false]);
    expect(payloads.every(AV1.recognizes)).toBe(true);
  });

  test('carry any OBUs in order', () => {
    const obu = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((body) => Uint8Array.from([0x30, ...body]));
    fc.assert(
      fc.property(fc.array(obu, { minLength: 1, maxLength: 9 }), fc.integer({ min: 16, max: 1_200 }), (parts, max) => {
        expect(carried(AV1, parts, max)).toEqual(parts.map((part) => new Uint8Array(part)));
        for (const payload of AV1.packetize(parts, options(max))) expect(payload.length).toBeLessThanOrEqual(max);
      }),
    );
  });

  test('of other senders may have a length before each element, sizes and temporal delimiters', () => {
    const read = (...payloads: string[]) => {
      const ranges = payloads.map(hex).map((bytes) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length }));
      const result = AV1.depacketize(ranges);
      return result.ok ? texts(result.value.parts) : result.malformed;
    };
    // W 0: four elements, each with its length.
    expect(read('00 02 3030 02 3031 02 3032 02 3033')).toEqual(['3030', '3031', '3032', '3033']);
    expect(read('28 02 1200 320210aa')).toEqual(['3010aa']);
    // An OBU in three packets, the first with another before it.
    expect(read('60 02 2801 3030', 'd0 aabb', '90 cc')).toEqual(['2801', '3030aabbcc']);
    expect([read('50 3030'), read('90 3030'), read('50 3030', '10 3030'), read('00 05 3030'), read('10 1000')]).toEqual(
      [...['av1-incomplete', 'av1-fragments', 'av1-fragments', 'av1-elements', 'av1-empty']],
    );
  });

  test('of any bytes are read or refused', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(payloads, (list) => {
        const result = AV1.depacketize(list.map((bytes) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length })));
        if (result.ok) expect(result.value.parts).toHaveLength(result.value.count);
        for (const payload of list) {
          AV1.recognizes(payload);
          AV1.startsFrame(payload);
        }
        expect(['key', 'reference']).toContain(AV1.importanceOf(list));
      }),
    );
  });

  test('carry a synthetic part like a frame', () => {
    for (const key of [true, false]) {
      const payloads = AV1.packetize([AV1.syntheticPart({ key, bytes: 2_000, filling: 0xc1 })], options(1_000));
      expect(AV1.importanceOf(payloads)).toBe(key ? 'key' : 'reference');
      expect(AV1.recognizes(payloads[0]!)).toBe(true);
    }
  });
});
