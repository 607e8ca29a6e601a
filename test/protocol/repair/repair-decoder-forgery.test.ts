import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRepairPayload, type RepairPayload } from '../../../protocol/repair/repair-payload.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { uint } from '../bytes.ts';
import { decoderOf, encoderOver, PACKET_BYTES_MAX, packetOf, rangeOf, recovered, repairOf } from './repair-stream.ts';

const encoder = encoderOver(asSequence(0), 12);

const repair = (firstSequence: number, lastSequence: number, repairKey: number): RepairPayload =>
  repairOf(encoder, { firstSequence: asSequence(firstSequence), lastSequence: asSequence(lastSequence), repairKey })
    .payload;

const flipped = (payload: RepairPayload, place: number): RepairPayload => ({
  ...payload,
  symbol: payload.symbol.map((byte, index) => (index === place ? byte ^ 0x10 : byte)),
});

/** A decoder that got packets 0…11 except `lost`. */
function decoderWithout(lost: readonly number[]) {
  const decoder = decoderOf();
  for (const sequence of rangeOf(asSequence(0), 12))
    if (!lost.includes(sequence)) decoder.handleSource(sequence, packetOf(sequence));
  return decoder;
}

test('a repair packet before the first media packet is unusable', () => {
  const decoder = decoderOf();
  expect(decoder.handleRepair(asSequence(0), repair(0, 11, 1))).toEqual([]);
  expect(decoder.counts.unusable).toBe(1);
});

// Place 1 is the low byte of the length, 2 the version, 4 and 5 the sequence number, 10 to 13 the SSRC. Packet 5 has 47
// bytes and packet 6 has 54, so places 49 to 55 of the window's symbol are padding of packet 5.
test.each([0, 1, 2, 4, 5, 10, 11, 12, 13, 49, 55])('does not return a result that is false at place %i', (place) => {
  const decoder = decoderWithout([5]);
  expect(decoder.handleRepair(asSequence(0), flipped(repair(0, 11, 1), place))).toEqual([]);
  expect(decoder.counts).toMatchObject({ recovered: 0, inconsistent: 1 });
  expect(decoder.waiting).toBe(0);
  // A valid repair packet still works afterwards.
  expect(decoder.handleRepair(asSequence(0), repair(0, 11, 2))).toEqual([recovered(asSequence(5))]);
});

test('does not return a packet from a symbol with a false key or window', () => {
  const honest = repair(0, 8, 1);
  for (const [firstSequence, lie] of [
    [0, { ...honest, repairKey: 2 }],
    [0, { ...honest, density: 14 }],
    [1, honest],
    [0, { ...honest, windowPackets: 10 }],
  ] as const) {
    const decoder = decoderWithout([6]);
    expect(decoder.handleRepair(asSequence(firstSequence), lie)).toEqual([]);
    expect(decoder.counts).toMatchObject({ recovered: 0, inconsistent: 1 });
    expect(decoder.handleRepair(asSequence(0), repair(0, 11, 2))).toEqual([recovered(asSequence(6))]);
  }
});

test('rejects a symbol shorter than a packet that it covers, and keeps the other equations', () => {
  const decoder = decoderWithout([4, 5]);
  decoder.handleRepair(asSequence(0), repair(0, 11, 1));
  const honest = repair(0, 11, 2);
  // Packet 6, which has arrived, is the longest of the window.
  decoder.handleRepair(asSequence(0), {
    ...honest,
    symbol: honest.symbol.subarray(0, 2 + packetOf(asSequence(6)).length - 1),
  });
  expect(decoder.counts.inconsistent).toBe(1);
  expect(decoder.handleRepair(asSequence(0), honest)).toEqual([recovered(asSequence(4)), recovered(asSequence(5))]);
});

test('repair packets that contradict each other are all dropped', () => {
  const decoder = decoderWithout([5, 6]);
  decoder.handleRepair(asSequence(0), repair(0, 11, 1));
  expect(decoder.handleRepair(asSequence(0), flipped(repair(0, 11, 1), 20))).toEqual([]);
  expect(decoder.counts).toMatchObject({ redundant: 0, inconsistent: 1 });
  expect(decoder.waiting).toBe(0);
  const afterwards = [2, 3].flatMap((key) => decoder.handleRepair(asSequence(0), repair(0, 11, key)));
  expect(afterwards).toEqual([recovered(asSequence(5)), recovered(asSequence(6))]);
});

test('a contradicting media packet drops a repair packet', () => {
  const decoder = decoderWithout([2, 6]);
  const lie = flipped(repair(0, 11, 1), 2);
  expect(decoder.handleRepair(asSequence(0), lie)).toEqual([]);
  // Once packet 2 has arrived, the symbol yields a false packet 6.
  expect(decoder.handleSource(asSequence(2), packetOf(asSequence(2)))).toEqual([]);
  expect(decoder.counts).toMatchObject({ recovered: 0, inconsistent: 1 });
  expect(decoder.waiting).toBe(0);
});

test('a media packet longer than a waiting repair symbol drops it', () => {
  const decoder = decoderOf();
  decoder.handleSource(asSequence(0), packetOf(asSequence(0)));
  // 1 to 4: payloads of 7, 14, 21 and 28 bytes; the fourth is the longest of the window.
  const honest = repair(1, 4, 1);
  decoder.handleRepair(asSequence(1), {
    ...honest,
    symbol: honest.symbol.subarray(0, 2 + packetOf(asSequence(4)).length - 1),
  });
  expect(decoder.waiting).toBe(1);
  decoder.handleSource(asSequence(4), packetOf(asSequence(4)));
  expect(decoder.waiting).toBe(0);
  expect(decoder.counts.inconsistent).toBe(1);
});

test('counts a late original that differs from its recovered packet', () => {
  const decoder = decoderWithout([6]);
  // In the payload, where nothing is known in advance, a false byte is not detected at once.
  const [lie] = decoder.handleRepair(asSequence(0), flipped(repair(0, 11, 1), 20));
  expect(lie?.sequence).toBe(6);
  expect(lie?.packet).not.toEqual(packetOf(asSequence(6)));
  expect(decoder.counts.inconsistent).toBe(0);
  decoder.handleSource(asSequence(6), packetOf(asSequence(6)));
  expect(decoder.counts.inconsistent).toBe(1);
});

test('a symbol or a window above the agreed limits is unusable', () => {
  const decoder = decoderWithout([6]);
  const honest = repair(0, 11, 1);
  decoder.handleRepair(asSequence(0), { ...honest, symbol: new Uint8Array(2 + PACKET_BYTES_MAX + 1) });
  decoder.handleRepair(asSequence(0), { ...honest, windowPackets: 17 });
  expect(decoder.counts).toMatchObject({ unusable: 2, inconsistent: 0 });
  expect(decoder.handleRepair(asSequence(0), honest)).toEqual([recovered(asSequence(6))]);
});

test('a media packet above the agreed length is no part of a sum and does not move the window', () => {
  const decoder = decoderWithout([6]);
  decoder.handleSource(asSequence(1_000), new Uint8Array(PACKET_BYTES_MAX + 1));
  expect(decoder.handleRepair(asSequence(0), repair(0, 11, 1))).toEqual([recovered(asSequence(6))]);
});

test('random bytes among valid packets never throw and never yield a packet outside the stream', () => {
  const noise = fc.record({
    kind: fc.constant('noise' as const),
    bytes: fc.uint8Array({ minLength: 20, maxLength: 80 }),
    windowPackets: fc.option(fc.integer({ min: 1, max: 16 }), { nil: undefined }),
    firstSequence: fc.integer({ min: -20, max: 30 }),
  });
  const source = fc.record({ kind: fc.constant('source' as const), sequence: fc.nat({ max: 11 }) });
  const honest = fc.record({ kind: fc.constant('repair' as const), repairKey: uint(16) });
  fc.assert(
    fc.property(fc.array(fc.oneof(noise, source, honest), { maxLength: 40 }), (events) => {
      const decoder = decoderOf({ equationsMax: 4 });
      for (const event of events) {
        const handedOut = (() => {
          if (event.kind === 'source')
            return decoder.handleSource(asSequence(event.sequence), packetOf(asSequence(event.sequence)));
          if (event.kind === 'repair') return decoder.handleRepair(asSequence(0), repair(0, 11, event.repairKey));
          const payload = parseRepairPayload(event.bytes);
          if (!payload.ok) return [];
          const { windowPackets = payload.value.windowPackets, firstSequence } = event;
          return decoder.handleRepair(asSequence(firstSequence), { ...payload.value, windowPackets });
        })();
        expect(handedOut).toEqual(handedOut.map(({ sequence }) => recovered(sequence)));
        expect(decoder.waiting).toBeLessThanOrEqual(4);
      }
    }),
    { numRuns: 500 },
  );
});
