import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillCodingCoefficients } from '../../../protocol/repair/coding-coefficients.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { RandomStream } from '../../../sim/random.ts';
import { uint } from '../bytes.ts';
import { decoderOf, encoderOver, packetOf, rangeOf, recovered, repairOf } from './repair-stream.ts';
import { type SlowEquation, slowSolve } from './slow-linear-algebra.ts';

test('ignores and does not recover packets behind the window', () => {
  const encoder = encoderOver(asSequence(0), 30);
  const decoder = decoderOf({ windowPackets: 8 });
  decoder.handleSource(asSequence(0), packetOf(asSequence(0)));
  decoder.handleSource(asSequence(20), packetOf(asSequence(20)));
  // The window is 13…20.
  const straddling = repairOf(encoder, { firstSequence: asSequence(12), lastSequence: asSequence(19), repairKey: 1 });
  expect(decoder.handleRepair(straddling.firstSequence, straddling.payload)).toEqual([]);
  expect(decoder.counts.unusable).toBe(1);
  const within = repairOf(encoder, { firstSequence: asSequence(13), lastSequence: asSequence(20), repairKey: 1 });
  expect(decoder.handleRepair(within.firstSequence, within.payload)).toEqual([]);
  expect(decoder.waiting).toBe(1);
  expect(rangeOf(asSequence(10), 9).flatMap((sequence) => decoder.handleSource(sequence, packetOf(sequence)))).toEqual([
    recovered(asSequence(19)),
  ]);
});

test('a packet far too late does not displace another', () => {
  const encoder = encoderOver(asSequence(0), 30);
  const decoder = decoderOf({ windowPackets: 8 });
  for (const sequence of [0, 13, 14, 15, 17, 18, 19, 20])
    decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
  // The ring has sixteen slots: 4 would take the slot of 20, and 0, which was received, that of 16.
  for (const sequence of [4, 0])
    expect(decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)))).toEqual([]);
  const { firstSequence, payload } = repairOf(encoder, {
    firstSequence: asSequence(13),
    lastSequence: asSequence(20),
    repairKey: 1,
  });
  expect(decoder.handleRepair(firstSequence, payload)).toEqual([recovered(asSequence(16))]);
});

test('an equation is dropped when one of its packets is forgotten', () => {
  const encoder = encoderOver(asSequence(0), 8);
  const decoder = decoderOf();
  for (const sequence of [0, 1, 3, 5, 7]) decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
  const { firstSequence, payload } = repairOf(encoder, {
    firstSequence: asSequence(1),
    lastSequence: asSequence(7),
    repairKey: 1,
  });
  decoder.handleRepair(firstSequence, payload);
  decoder.forgetThrough(asSequence(1));
  expect(decoder.waiting).toBe(1);
  decoder.forgetThrough(asSequence(2));
  expect(decoder.waiting).toBe(0);
  expect(
    [2, 4].flatMap((sequence) => decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)))),
  ).toEqual([]);
});

test('recovers again after a burst longer than the window', () => {
  const encoder = encoderOver(asSequence(0), 4_003);
  const decoder = decoderOf({ windowPackets: 8 });
  for (const sequence of [0, 2]) decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
  const before = repairOf(encoder, { firstSequence: asSequence(0), lastSequence: asSequence(4), repairKey: 1 });
  decoder.handleRepair(before.firstSequence, before.payload);
  expect(decoder.waiting).toBe(1);
  decoder.handleSource(asSequence(4_000), packetOf(asSequence(4_000)));
  expect(decoder.waiting).toBe(0);
  decoder.handleSource(asSequence(4_002), packetOf(asSequence(4_002)));
  const after = repairOf(encoder, { firstSequence: asSequence(4_000), lastSequence: asSequence(4_002), repairKey: 1 });
  expect(decoder.handleRepair(after.firstSequence, after.payload)).toEqual([recovered(asSequence(4_001))]);
});

test('starts without a media packet once the oldest packet is set', () => {
  const encoder = encoderOver(asSequence(100), 1);
  const decoder = decoderOf();
  const { firstSequence, payload } = repairOf(encoder, {
    firstSequence: asSequence(100),
    lastSequence: asSequence(100),
    repairKey: 1,
  });
  expect(decoder.handleRepair(firstSequence, payload)).toEqual([]);
  decoder.forgetThrough(asSequence(99));
  expect(decoder.handleRepair(firstSequence, payload)).toEqual([recovered(asSequence(100))]);
  expect(decoder.counts).toMatchObject({ unusable: 1, recovered: 1 });
});

test('a repair packet may cover a whole window that has not arrived, but nothing beyond it', () => {
  const encoder = encoderOver(asSequence(0), 40);
  const decoder = decoderOf({ windowPackets: 8 });
  decoder.handleSource(asSequence(0), packetOf(asSequence(0)));
  const ahead = repairOf(encoder, { firstSequence: asSequence(1), lastSequence: asSequence(8), repairKey: 1 });
  const beyond = repairOf(encoder, { firstSequence: asSequence(2), lastSequence: asSequence(9), repairKey: 1 });
  decoder.handleRepair(beyond.firstSequence, beyond.payload);
  expect(decoder.counts.unusable).toBe(1);
  decoder.handleRepair(ahead.firstSequence, ahead.payload);
  expect(decoder.counts.unusable).toBe(1);
  expect(rangeOf(asSequence(1), 7).flatMap((sequence) => decoder.handleSource(sequence, packetOf(sequence)))).toEqual([
    recovered(asSequence(8)),
  ]);
});

test('forgetting drops nothing that could still be recovered, in any sequence of events', () => {
  const PACKETS = 14;
  const WINDOW = 8;
  const encoder = encoderOver(asSequence(0), PACKETS);
  const event = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('source' as const), sequence: fc.nat({ max: PACKETS - 1 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('repair' as const),
        firstSequence: fc.nat({ max: PACKETS - 1 }),
        width: fc.integer({ min: 1, max: WINDOW + 1 }),
        repairKey: uint(16),
        density: fc.constantFrom(4, 15),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('forget' as const), sequence: fc.nat({ max: PACKETS - 1 }) }),
    },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const decoder = decoderOf({ windowPackets: WINDOW, equationsMax: PACKETS });
      // The oracle keeps every packet; it uses the window only to decide what may be accepted and returned.
      const equations: SlowEquation[] = [];
      const known = new Set<number>();
      let newest = Number.NEGATIVE_INFINITY;
      let oldest = Number.NEGATIVE_INFINITY;
      for (const event of events) {
        let handedOut: readonly { sequence: number; packet: Uint8Array }[] = [];
        if (event.kind === 'forget') {
          decoder.forgetThrough(asSequence(event.sequence));
          oldest = Math.max(oldest, event.sequence + 1);
        } else if (event.kind === 'source') {
          const { sequence } = event;
          handedOut = decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
          newest = Math.max(newest, sequence);
          oldest = Math.max(oldest, newest - WINDOW + 1);
          if (sequence >= oldest && !known.has(sequence)) {
            known.add(sequence);
            equations.push({
              coefficients: rangeOf(asSequence(0), PACKETS).map((other) => +(other === sequence)),
              bytes: [],
            });
          }
        } else {
          const { firstSequence, repairKey, density } = event;
          const lastSequence = Math.min(firstSequence + event.width, PACKETS) - 1;
          const windowPackets = lastSequence - firstSequence + 1;
          const { payload } = repairOf(encoder, {
            firstSequence: asSequence(firstSequence),
            lastSequence: asSequence(lastSequence),
            repairKey,
            density,
          });
          handedOut = decoder.handleRepair(asSequence(firstSequence), payload);
          if (windowPackets <= WINDOW && firstSequence >= oldest && lastSequence < oldest + 2 * WINDOW) {
            const coefficients = new Uint8Array(windowPackets);
            fillCodingCoefficients(coefficients, payload);
            const row = rangeOf(asSequence(0), PACKETS).map((sequence) => coefficients[sequence - firstSequence] ?? 0);
            equations.push({ coefficients: row, bytes: [] });
          }
        }
        const determined = [...slowSolve(equations, PACKETS).keys()];
        const expected = determined
          .filter((sequence) => sequence >= oldest && !known.has(sequence))
          .sort((a, b) => a - b);
        expect(handedOut).toEqual(expected.map((sequence) => recovered(asSequence(sequence))));
        for (const sequence of expected) known.add(sequence);
      }
      expect(decoder.counts.inconsistent).toBe(0);
    }),
  );
});

test('the number of waiting equations is bounded, and a flooded decoder still recovers', () => {
  const encoder = encoderOver(asSequence(0), 2_400);
  const decoder = decoderOf({ windowPackets: 64, equationsMax: 6 });
  const random = new RandomStream(5, 'flood');
  for (let sequence = 0; sequence < 2_000; sequence++) {
    if (sequence === 0 || random.chance(sequence, 0.2))
      decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
    // Media packets and equations together are fewer than the unknowns.
    if (sequence % 2 === 0) continue;
    const repair = repairOf(encoder, {
      firstSequence: asSequence(Math.max(0, sequence - 20)),
      lastSequence: asSequence(sequence),
      repairKey: sequence,
    });
    decoder.handleRepair(repair.firstSequence, repair.payload);
    expect(decoder.waiting).toBeLessThanOrEqual(6);
  }
  expect(decoder.counts.evicted).toBeGreaterThan(100);
  const mended = rangeOf(asSequence(2_100), 200).flatMap((sequence) => {
    if (sequence % 10 !== 5) return decoder.handleSource(sequence, packetOf(sequence));
    const repair = repairOf(encoder, { firstSequence: asSequence(sequence - 5), lastSequence: sequence, repairKey: 1 });
    return decoder.handleRepair(repair.firstSequence, repair.payload);
  });
  expect(mended).toEqual(rangeOf(asSequence(210), 20).map((ten) => recovered(asSequence(ten * 10 + 5))));
});

test('with room for one equation, evicts the one with the oldest unknown', () => {
  const encoder = encoderOver(asSequence(0), 10);
  const decoder = decoderOf({ equationsMax: 1 });
  for (const sequence of [0, 3, 6, 9]) decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
  const early = repairOf(encoder, { firstSequence: asSequence(0), lastSequence: asSequence(2), repairKey: 1 });
  const late = repairOf(encoder, { firstSequence: asSequence(3), lastSequence: asSequence(5), repairKey: 1 });
  for (const { firstSequence, payload } of [early, late, early]) decoder.handleRepair(firstSequence, payload);
  expect(decoder.waiting).toBe(1);
  expect(decoder.counts.evicted).toBe(2);
  expect(decoder.handleSource(asSequence(1), packetOf(asSequence(1)))).toEqual([]);
  expect(decoder.handleSource(asSequence(4), packetOf(asSequence(4)))).toEqual([recovered(asSequence(5))]);
});
