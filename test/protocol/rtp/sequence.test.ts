import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ticks } from '../../../protocol/base/units.ts';
import {
  asSequence,
  distance,
  extend,
  extendTimestamp,
  timestampDistance,
  wireSequence,
  wireTimestamp,
} from '../../../protocol/rtp/sequence.ts';
import { uint } from '../bytes.ts';

const RING = 65_536;

/** Reference: counts steps in both directions and takes the shorter; a tie counts as older. */
function distanceByCounting(from: number, to: number): number {
  for (let steps = 0; steps < RING / 2; steps++) {
    if ((from + steps) % RING === to) return steps;
    if ((from - steps + RING) % RING === to) return -steps;
  }
  return -RING / 2;
}

/** Reference: tries every cycle near the reference. */
function extendBySearch(wire: number, reference: number, ring: number): number {
  const turn = Math.floor(reference / ring);
  const candidates = [turn - 1, turn, turn + 1].map((turns) => turns * ring + wire);
  return candidates.reduce((best, candidate) =>
    Math.abs(candidate - reference) < Math.abs(best - reference) ? candidate : best,
  );
}

describe.each([0, 1, 32_767, 32_768, 65_535])('from sequence number %i', (start) => {
  test('the distance to every other number is the shorter way around', () => {
    for (const step of [0, 1, 2, 127, 128, 255, 256, 16_384, 32_766, 32_767, 32_768, 32_769, 65_534, 65_535]) {
      const to = (start + step) % RING;
      expect(distance(wireSequence(start), wireSequence(to))).toBe(distanceByCounting(start, to));
    }
  });

  test('extends a stream of three cycles without a jump', () => {
    let reference = start;
    for (let sequence = start; sequence < start + 3 * RING; sequence += 1_111) {
      reference = extend(wireSequence(sequence % RING), asSequence(reference));
      expect(reference).toBe(sequence);
    }
  });

  test('numbers older than the reference extend to smaller ones, below zero as well', () => {
    for (const back of [1, 2, 100, 32_767]) {
      expect(extend(wireSequence(start - back), asSequence(start))).toBe(start - back);
      expect(extend(wireSequence(start - back), asSequence(start + 5 * RING))).toBe(start + 5 * RING - back);
    }
  });

  test('a distance of exactly half the range counts as older', () => {
    expect(distance(wireSequence(start), wireSequence((start + 32_768) % RING))).toBe(-32_768);
  });
});

test('extends a sequence number to the nearest candidate', () => {
  fc.assert(
    fc.property(uint(16), fc.integer({ min: -200_000, max: 2 ** 45 }), (wire, reference) => {
      const extended = extend(wireSequence(wire), asSequence(reference));
      const far = Math.abs(extended - reference);
      expect(wireSequence(extended)).toBe(wire);
      expect(far).toBe(Math.abs(extendBySearch(wire, reference, RING) - reference));
    }),
  );
});

test('extends a timestamp to the nearest candidate', () => {
  fc.assert(
    fc.property(uint(32), fc.integer({ min: -(2 ** 33), max: 2 ** 45 }), (wire, reference) => {
      const extended = extendTimestamp(wireTimestamp(wire), ticks(reference));
      expect(wireTimestamp(extended)).toBe(wire);
      expect(Math.abs(extended - reference)).toBe(Math.abs(extendBySearch(wire, reference, 2 ** 32) - reference));
    }),
  );
});

test('extends a timestamp past its wrap after thirteen hours', () => {
  expect(extendTimestamp(wireTimestamp(2_999), ticks(2 ** 32 - 1))).toBe(2 ** 32 + 2_999);
  expect(extendTimestamp(wireTimestamp(2 ** 32 - 1), ticks(2 ** 32 + 2_999))).toBe(2 ** 32 - 1);
  expect(timestampDistance(wireTimestamp(2 ** 32 - 1), wireTimestamp(0))).toBe(1);
  expect(timestampDistance(wireTimestamp(0), wireTimestamp(2 ** 31))).toBe(-(2 ** 31));
});
