import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseVp9FrameHeader, splitSuperframe } from '../../../../protocol/codec/vp9/frame-header.ts';
import { importanceOfVp9, VP9 } from '../../../../protocol/codec/vp9/vp9.ts';
import { carried } from '../carried.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Key frame of profile 0, BT.709, 352 × 288: marker, sync code, color_config, sizes less one. */
const KEY = hex(
  '82' /* marker 10, profile 00, no repeat, key, shown, not resilient */ +
    '498342' +
    '40 15f0 11f0' /* color_space 010, range 0, width 351 (16 bits), height 287 (16 bits), render size 0 */,
);
/** Shown frame that refreshes nothing, and one that refreshes slot 0. */
const DISCARDABLE = hex('86 00 00 00');
const REFERENCE = hex('86 00 40 00');
/** Hidden frame: an alternate reference, which is not intra. */
const HIDDEN = hex('84 01 00 00');

/** A superframe (Annex B) of a hidden and a shown frame. */
const SUPERFRAME = Uint8Array.from([...HIDDEN, ...DISCARDABLE, 0xc1, HIDDEN.length, DISCARDABLE.length, 0xc1]);

const options = (payloadBytesMax: number) => ({ payloadBytesMax, headroomBytes: 0 });

describe('VP9 frames', () => {
  test('tell their format and what refers to them', () => {
    expect(parseVp9FrameHeader(KEY)).toEqual({
      profile: 0,
      isKey: true,
      isHidden: false,
      isReference: true,
      format: {
        profile: 0,
        bitDepth: 8,
        subsampling: 1,
        isFullRange: false,
        color: { primaries: 1, transfer: 1, matrix: 1 },
        width: 352,
        height: 288,
      },
    });
    expect([KEY, DISCARDABLE, REFERENCE, SUPERFRAME].map(importanceOfVp9)).toEqual([
      'key',
      'discardable',
      'reference',
      'reference',
    ]);
    // show_existing_frame: nothing is decoded, nothing refers to it.
    expect(importanceOfVp9(hex('88'))).toBe('discardable');
  });

  test('are found in a superframe, and bytes that only look like an index are a frame', () => {
    expect(splitSuperframe(SUPERFRAME).map((frame) => [...frame])).toEqual([[...HIDDEN], [...DISCARDABLE]]);
    expect(splitSuperframe(REFERENCE)).toEqual([REFERENCE]);
    const broken = Uint8Array.from([...HIDDEN, 0xc1, 200, 200, 0xc1]);
    expect(splitSuperframe(broken)).toEqual([broken]);
  });

  test('give the parameter set, from which description and boxes are made', () => {
    const sets = VP9.parameterSetsOf([KEY]);
    expect(sets.map((set) => [...set])).toEqual([[0, 20, 0x82, 1, 1, 1, 0, 0, 0x01, 0x5f, 0x01, 0x1f]]);
    expect(VP9.describe(sets)).toMatchObject({
      decoder: 'vp09.00.20.08',
      width: 352,
      height: 288,
      signal: { color: { primaries: 1, transfer: 1, matrix: 1 } },
    });
    expect([...VP9.mp4!.configuration(sets)!]).toEqual([1, 0, 0, 0, 0, 20, 0x82, 1, 1, 1, 0, 0]);
    expect(VP9.session!.formatParameters(sets)).toEqual(['profile-id=0']);
    expect(VP9.parameterSetsOf([REFERENCE])).toEqual([]);
    const tracker = VP9.trackParameterSets();
    for (const part of [KEY, SUPERFRAME]) tracker.add(part);
    // The superframe has the length of a parameter set.
    expect([SUPERFRAME.length, tracker.sets()]).toEqual([12, sets]);
  });
});

describe('payloads of RFC 9628', () => {
  test('have the shortest descriptor, with start and end of the frame', () => {
    const [first, second, last] = VP9.packetize([KEY], options(5));
    expect([first, second, last].map((payload) => [...payload!])).toEqual([
      [0x08, ...KEY.subarray(0, 4)],
      [0x00, ...KEY.subarray(4, 8)],
      [0x04, ...KEY.subarray(8)],
    ]);
    expect([...VP9.packetize([REFERENCE], options(100))[0]!]).toEqual([0x4c, ...REFERENCE]);
  });

  test('carry any frame', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
        fc.integer({ min: 16, max: 1_500 }),
        (part, max) => {
          expect(carried(VP9, [part], max)).toEqual(
            [[...part].length === 0 ? [] : part].map((each) => new Uint8Array(each)),
          );
        },
      ),
    );
  });

  test('of other senders may have picture IDs, layers, references and a structure', () => {
    const read = (...payloads: string[]) => {
      const ranges = payloads.map(hex).map((bytes) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length }));
      const result = VP9.depacketize(ranges);
      return result.ok ? result.value.parts.map((part) => Buffer.from(part).toString('hex')) : result.malformed;
    };
    // I, B, E: a picture ID of 7 bits, and one of 15 (M).
    expect(read('8c 11 aabb')).toEqual(['aabb']);
    expect(read('8c 8123 aabb')).toEqual(['aabb']);
    // L: layer indices and TL0PICIDX; with F only the indices.
    expect(read('ac 11 00 07 aabb')).toEqual(['aabb']);
    expect(read('bc 11 00 aabb')).toEqual(['aabb']);
    // F and P: reference indices, as long as N is set.
    expect(read('dc 11 03 02 aabb')).toEqual(['aabb']);
    // V: one layer with its size; G: two pictures, one with a reference.
    expect(read('0e 18 0160 0120 02 00 04 01 aabb')).toEqual(['aabb']);
    // Two layer frames of one picture.
    expect(read('08 aa', '04 bb', '0c cc')).toEqual(['aabb', 'cc']);
    expect([read('08 aa'), read('04 aa'), read('0c'), read('08 aa', '08 bb')]).toEqual([
      'vp9-incomplete',
      'vp9-fragments',
      'vp9-descriptor',
      'vp9-fragments',
    ]);
  });

  test('of any bytes are read or refused', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(payloads, (list) => {
        const result = VP9.depacketize(list.map((bytes) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length })));
        if (result.ok) expect(result.value.parts).toHaveLength(result.value.count);
        for (const payload of list) {
          VP9.recognizes(payload);
          VP9.startsFrame(payload);
        }
        expect(['key', 'reference', 'discardable']).toContain(VP9.importanceOf(list));
      }),
    );
  });

  test('carry a synthetic part like a frame', () => {
    for (const key of [true, false]) {
      const part = VP9.syntheticPart({ key, bytes: 2_000, filling: 0xc1 });
      const payloads = VP9.packetize([part], options(1_000));
      expect(VP9.importanceOf(payloads)).toBe(key ? 'key' : 'reference');
      expect(VP9.recognizes(payloads[0]!)).toBe(true);
    }
  });
});
