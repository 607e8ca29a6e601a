import { describe, expect, test } from 'vitest';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { sampleUnits } from '../../sample-units.ts';

const H264 = codecByName('h264');
const HEADROOM_BYTES = 24;

test('finds a codec by its RTP name only', () => {
  expect(H264.name).toBe('h264');
  for (const name of ['H264', 'h266', 'Opus', '', 'toString', '__proto__']) expect(codecByName(name)).toBeUndefined();
});

describe('H.264 as a codec', () => {
  const units = sampleUnits().slice(0, 40);
  const packetize = (parts: readonly Uint8Array[]) =>
    H264.packetize(parts, { payloadBytesMax: 1_160, headroomBytes: HEADROOM_BYTES });
  const payloadsOf = (parts: readonly Uint8Array[]) =>
    packetize(parts).map((packet) => packet.subarray(HEADROOM_BYTES));
  const isIn = (sets: readonly Uint8Array[], part: Uint8Array) => sets.some((set) => Buffer.compare(set, part) === 0);

  test('round-trips parts, and knows their size before assembling them', () => {
    for (const { parts } of units) {
      const ranges = packetize(parts).map((bytes) => ({
        bytes,
        payloadAt: HEADROOM_BYTES,
        payloadEnd: bytes.length,
      }));
      const read = H264.depacketize(ranges);
      if (!read.ok) throw new Error(read.malformed);
      expect(read.value.bytes).toBe(parts.reduce((sum, { length }) => sum + length, 0));
      expect(Buffer.concat(read.value.parts)).toEqual(Buffer.concat(parts));
    }
  });

  test('finds frame starts and importance from payloads alone', () => {
    for (const { parts, importance } of units) {
      const payloads = payloadsOf(parts);
      expect(H264.startsFrame(payloads[0]!)).toBe(true);
      // The first packet has the parameter sets; the second may be the first fragment of the slice.
      expect(payloads.slice(2).some(H264.startsFrame)).toBe(false);
      expect(H264.recognizes(payloads[0]!)).toBe(true);
      expect(H264.importanceOf(payloads)).toBe(importance);
    }
  });

  test("describes the pictures and completes a key frame from the stream's parameter sets", () => {
    const tracker = H264.trackParameterSets();
    const { parts } = units[0]!;
    for (const part of parts) tracker.add(part);
    const sets = tracker.sets();
    const bare = parts.filter((part) => !isIn(sets, part));
    expect(sets).toHaveLength(2);
    expect(H264.describe(sets)).toMatchObject({ decoder: expect.stringMatching(/^avc1\.[0-9a-f]{6}$/), width: 640 });
    expect(H264.describe(bare)).toBeUndefined();
    expect(H264.withParameterSets(bare, sets)).toEqual(expect.arrayContaining(sets));
  });

  test('carries a synthetic part like a slice', () => {
    const payloads = payloadsOf([H264.syntheticPart({ key: true, bytes: 3_000, filling: 7 })]);
    expect(payloads).toHaveLength(3);
    expect(H264.importanceOf(payloads)).not.toBe('discardable');
  });
});
