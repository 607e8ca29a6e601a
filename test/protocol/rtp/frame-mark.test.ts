import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ticks } from '../../../protocol/base/units.ts';
import { type FrameMark, frameMarkBytes, parseFrameMark, writeFrameMark } from '../../../protocol/rtp/frame-mark.ts';
import { parseElements, serializeElements } from '../../../protocol/rtp/header-extension.ts';
import type { HeaderExtension } from '../../../protocol/rtp/rtp-packet.ts';
import { hex, uint, wordsOf } from '../bytes.ts';

const MARK: FrameMark = {
  frameNumber: 0x1234,
  packetIndex: 2,
  packetCount: 0x0105,
  importance: 'key',
  decodeLead: ticks(0),
};

function written(mark: FrameMark): Uint8Array {
  const target = new Uint8Array(frameMarkBytes(mark));
  writeFrameMark(target, 0, mark);
  return target;
}

/** The extension as `parseRtpPacket` returns it: profile, and the data after the length. */
const asExtension = (block: Uint8Array): HeaderExtension => ({
  profile: (block[0]! << 8) | block[1]!,
  data: block.subarray(4),
});

// biome-ignore format: one field per line
const WITHOUT_LEAD = new Uint8Array([
  0xbe, 0xde, // RFC 8285, one-byte form
  0x00, 0x02, // two words follow
  0x16, // ID 1, seven bytes
  0x80, // K: a key frame
  0x12, 0x34, // frame number
  0x00, 0x02, // packet index
  0x01, 0x05, // packet count
]);

// biome-ignore format: one field per line
const WITH_LEAD = new Uint8Array([
  0xbe, 0xde, // RFC 8285, one-byte form
  0x00, 0x03, // three words follow
  0x16, // ID 1, seven bytes
  0x20, // D: discardable
  0x12, 0x34, // frame number
  0x00, 0x02, // packet index
  0x01, 0x05, // packet count
  0x22, // ID 2, three bytes
  0x00, 0x0b, 0xb8, // decode lead: 3000 ticks, 33 ms
]);

test('a mark without a decode lead takes twelve bytes', () => {
  expect(written(MARK)).toEqual(WITHOUT_LEAD);
  expect(parseFrameMark(asExtension(WITHOUT_LEAD))).toEqual({ ok: true, value: MARK });
});

test('a decode lead adds a second element: sixteen bytes in all', () => {
  const mark: FrameMark = { ...MARK, importance: 'discardable', decodeLead: ticks(3_000) };
  expect(written(mark)).toEqual(WITH_LEAD);
  expect(parseFrameMark(asExtension(WITH_LEAD))).toEqual({ ok: true, value: mark });
});

test('reserved flags are ignored', () => {
  const block = WITHOUT_LEAD.slice();
  block[5] = 0x8f;
  expect(parseFrameMark(asExtension(block))).toEqual({ ok: true, value: MARK });
});

test('a decode-only frame has a flag besides its importance', () => {
  const block = WITHOUT_LEAD.slice();
  block[5] = 0x90;
  expect(parseFrameMark(asExtension(block))).toEqual({ ok: true, value: { ...MARK, decodeOnly: true } });
});

test.each([
  ['no importance', 5, 0x00, 'frame-mark-importance'],
  ['two importances', 5, 0xc0, 'frame-mark-importance'],
  ['three importances', 5, 0xe0, 'frame-mark-importance'],
  ['an index beyond the count', 8, 0x02, 'frame-mark-index'],
])('a mark of %s is malformed', (_, offset, byte, cause) => {
  const block = WITHOUT_LEAD.slice();
  block[offset] = byte;
  expect(parseFrameMark(asExtension(block))).toEqual({ ok: false, malformed: cause });
});

test('rejects a mark with a packet count of 0', () => {
  const block = WITHOUT_LEAD.slice();
  block.fill(0, 8);
  expect(parseFrameMark(asExtension(block))).toEqual({ ok: false, malformed: 'frame-mark-index' });
});

test.each([
  ['of another profile', { profile: 0xabac, data: WITHOUT_LEAD.subarray(4) }],
  ['that holds other elements', serializeElements([{ id: 3, data: hex('010203') }])],
  ['whose element 1 has another length', serializeElements([{ id: 1, data: hex('85') }])],
  ['that is empty', { profile: 0xbede, data: hex('') }],
])('an extension %s is not ours', (_, extension) => {
  expect(parseFrameMark(extension)).toEqual({ ok: true, value: undefined });
});

test('rejects a malformed extension', () => {
  expect(parseFrameMark({ profile: 0xbede, data: hex('16800000') })).toEqual({
    ok: false,
    malformed: 'element-truncated',
  });
});

const mark: fc.Arbitrary<FrameMark> = fc
  .record({
    frameNumber: uint(16),
    packetCount: fc.integer({ min: 1, max: 65_535 }),
    packetIndex: uint(16),
    importance: fc.constantFrom('key', 'reference', 'discardable'),
    decodeLead: fc.oneof(fc.constant(0), uint(24)).map((n) => ticks(n)),
  })
  .map((mark) => ({ ...mark, packetIndex: mark.packetIndex % mark.packetCount }));

test('serialize and parse round-trip', () => {
  fc.assert(
    fc.property(mark, (mark) => {
      expect(parseFrameMark(asExtension(written(mark)))).toEqual({ ok: true, value: mark });
    }),
  );
});

test('finds the mark among other elements, in any order', () => {
  const stranger = fc.record({
    id: fc.integer({ min: 3, max: 14 }),
    data: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  });
  fc.assert(
    fc.property(mark, fc.array(stranger, { minLength: 1, maxLength: 4 }), fc.nat(), (mark, strangers, place) => {
      const ours = parseElements(asExtension(written(mark)));
      if (!ours.ok) throw new Error(ours.malformed);
      const at = place % (strangers.length + 1);
      const elements = [...strangers.slice(0, at), ...ours.value, ...strangers.slice(at)];
      expect(parseFrameMark(serializeElements(elements))).toEqual({ ok: true, value: mark });
    }),
  );
});

test('does not read another three-byte element after the mark as a decode lead', () => {
  const ours = { id: 1, data: WITHOUT_LEAD.subarray(5) };
  const extension = serializeElements([ours, { id: 3, data: hex('000bb8') }]);
  expect(extension.data).toHaveLength(12);
  expect(parseFrameMark(extension)).toEqual({ ok: true, value: MARK });
});

test('writes a mark at its offset and touches no other byte', () => {
  const target = new Uint8Array(20).fill(0xaa);
  writeFrameMark(target, 3, MARK);
  expect(target).toEqual(Uint8Array.of(0xaa, 0xaa, 0xaa, ...WITHOUT_LEAD, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa));
});

test('never throws on arbitrary bytes, and a parsed mark keeps its invariants', () => {
  const profile = fc.oneof(fc.constant(0xbede), fc.constant(0x1000), uint(16));
  const nearlyOurs = fc.uint8Array({ minLength: 7, maxLength: 7 }).map((bytes) => Uint8Array.of(0x16, ...bytes));
  fc.assert(
    fc.property(profile, fc.oneof(wordsOf(6), nearlyOurs), (profile, data) => {
      const result = parseFrameMark({ profile, data });
      if (result.ok && result.value !== undefined)
        expect(result.value.packetIndex).toBeLessThan(result.value.packetCount);
    }),
  );
});

describe('marks at the edges of a frame', () => {
  const edge = (bytes: string, marker: boolean, near = 0x1234) =>
    parseFrameMark(asExtension(hex(bytes)), { marker, near });
  const FIRST: FrameMark = { ...MARK, packetIndex: 0, packetCount: 9 };

  test('the first and the last packet have the short form', () => {
    for (const packetIndex of [0, 8]) {
      const mark = { ...FIRST, packetIndex };
      expect(frameMarkBytes(mark, 'edges')).toBe(8);
      const target = new Uint8Array(8);
      writeFrameMark(target, 0, mark, 'edges');
      // 0xBEDE; one word; id 3, three bytes; key frame; low 13 bits of the frame number; packet count.
      expect(target).toEqual(hex('bede0001 32 123409'));
      expect(parseFrameMark(asExtension(target), { marker: packetIndex === 8, near: 0x1230 })).toEqual({
        ok: true,
        value: mark,
      });
    }
  });

  test('every 32nd packet and the edges of frames of more than 255 packets have the long form, the others none', () => {
    const long = { packetCount: 300, decodeLead: ticks(0) };
    const bytes = [0, 1, 31, 32, 33, 64, 298, 299].map((packetIndex) =>
      frameMarkBytes({ ...long, packetIndex }, 'edges'),
    );
    expect(bytes).toEqual([12, 0, 0, 12, 0, 12, 0, 12]);
  });

  test('the middle packet of frames of eight packets and more has the long form', () => {
    const bytesOf = (packetCount: number) =>
      Array.from({ length: packetCount }, (_, packetIndex) =>
        frameMarkBytes({ packetCount, decodeLead: ticks(0), packetIndex }, 'edges'),
      );
    expect(bytesOf(7)).toEqual([8, 0, 0, 0, 0, 0, 8]);
    expect(bytesOf(9)).toEqual([8, 0, 0, 0, 12, 0, 0, 0, 8]);
  });

  test.each([
    [0, 0xffff],
    [0xffff, 1],
    [0x1fff, 0x2000],
    [0x8000, 0x8fff],
    [0x8000, 0x7001],
  ])('near frame %i, reads frame %i', (near, frameNumber) => {
    const target = new Uint8Array(8);
    writeFrameMark(target, 0, { ...FIRST, frameNumber }, 'edges');
    const read = parseFrameMark(asExtension(target), { marker: false, near });
    expect(read).toMatchObject({ ok: true, value: { frameNumber } });
  });

  test('a short form without importance or packets is malformed, and without context it is no mark', () => {
    expect(edge('bede0001 32 d23409', false)).toEqual({ ok: false, malformed: 'frame-mark-importance' });
    expect(edge('bede0001 32 123400', false)).toEqual({ ok: false, malformed: 'frame-mark-index' });
    expect(parseFrameMark(asExtension(hex('bede0001 32 123409')))).toEqual({ ok: true, value: undefined });
  });

  test('what is written is read, at every edge and with every lead', () => {
    fc.assert(
      fc.property(mark, fc.boolean(), fc.integer({ min: -4_095, max: 4_095 }), (drawn, isShort, away) => {
        const any = isShort ? { ...drawn, packetCount: 1 + (drawn.packetCount & 0x7f) } : drawn;
        const near = (any.frameNumber + away) & 0xffff;
        for (const packetIndex of [0, any.packetCount - 1]) {
          const sent = { ...any, packetIndex };
          const target = new Uint8Array(frameMarkBytes(sent, 'edges'));
          writeFrameMark(target, 0, sent, 'edges');
          const marker = packetIndex === any.packetCount - 1;
          expect(parseFrameMark(asExtension(target), { marker, near })).toEqual({ ok: true, value: sent });
        }
      }),
    );
  });
});
