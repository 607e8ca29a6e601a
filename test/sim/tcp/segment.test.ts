import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACK, PSH, parseSegment, SYN, serializeSegment, type TcpSegment } from '../../../sim/tcp/segment.ts';

const SYN_SEGMENT: TcpSegment = {
  sourcePort: 5_000,
  destinationPort: 6_000,
  sequence: 0x0102_0304,
  acknowledgment: 0,
  flags: SYN,
  window: 0xffff,
  options: { maximumSegmentSize: 1_460, sackPermitted: true, timestamps: { value: 7, echo: 0 }, windowScale: 7 },
  payload: new Uint8Array(0),
};

test('a SYN has the bytes of RFC 9293 and RFC 7323, with padded options', () => {
  const bytes = serializeSegment(SYN_SEGMENT);
  expect([...bytes.subarray(0, 16)]).toEqual([
    0x13,
    0x88,
    0x17,
    0x70, // ports
    1,
    2,
    3,
    4, // sequence number
    0,
    0,
    0,
    0, // acknowledgment number
    0xb0,
    0x02, // eleven words of header; SYN
    0xff,
    0xff, // window
  ]);
  expect([...bytes.subarray(18)]).toEqual([
    0,
    0, // urgent pointer
    2,
    4,
    0x05,
    0xb4, // maximum segment size 1460
    1,
    3,
    3,
    7, // window scale, padded
    1,
    1,
    4,
    2, // SACK permitted, padded
    1,
    1,
    8,
    10,
    0,
    0,
    0,
    7,
    0,
    0,
    0,
    0, // timestamps, padded
  ]);
  expect(bytes).toHaveLength(44);
});

test('the checksum equals a plain sum over the pseudo-header and the segment', () => {
  const bytes = serializeSegment({ ...SYN_SEGMENT, payload: Uint8Array.of(1, 2, 3) });
  const pseudo = [192, 0, 2, 1, 192, 0, 2, 2, 0, 6, 0, bytes.length];
  const all = [...pseudo, ...bytes, 0];
  let sum = 0;
  for (let index = 0; index < all.length - 1; index += 2) {
    sum += all[index]! * 256 + all[index + 1]!;
    if (sum > 0xffff) sum -= 0xffff;
  }
  expect(sum).toBe(0xffff);
});

const segments = fc.record({
  sourcePort: fc.nat(0xffff),
  destinationPort: fc.nat(0xffff),
  sequence: fc.nat(0xffff_ffff),
  acknowledgment: fc.nat(0xffff_ffff),
  flags: fc.constantFrom(ACK, ACK | PSH),
  window: fc.nat(0xffff),
  options: fc.record(
    {
      timestamps: fc.record({ value: fc.nat(0xffff_ffff), echo: fc.nat(0xffff_ffff) }),
      sackBlocks: fc.array(fc.record({ start: fc.nat(0xffff_ffff), end: fc.nat(0xffff_ffff) }), {
        minLength: 1,
        maxLength: 3,
      }),
    },
    { requiredKeys: [] },
  ),
  payload: fc.uint8Array({ maxLength: 40 }),
});

test('parses what it serialized', () => {
  fc.assert(
    fc.property(segments, (segment) => {
      expect(parseSegment(serializeSegment(segment))).toEqual({ ok: true, value: segment });
    }),
  );
});

test('rejects a segment with any single flipped bit', () => {
  fc.assert(
    fc.property(segments, fc.nat(), (segment, draw) => {
      const bytes = serializeSegment(segment);
      const bit = draw % (bytes.length * 8);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(parseSegment(bytes).ok).toBe(false);
    }),
  );
});

test('the parser never throws, with a valid checksum or without', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      parseSegment(bytes);
      if (bytes.length < 40) return;
      // As options, behind a valid header.
      const words = Math.min(Math.floor(bytes.length / 4), 10);
      const segment = serializeSegment({ ...SYN_SEGMENT, options: {}, payload: bytes });
      segment[12] = (5 + words) << 4;
      segment[17] = 0;
      parseSegment(segment);
    }),
  );
});
