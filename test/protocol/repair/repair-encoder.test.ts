import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillCodingCoefficients } from '../../../protocol/repair/coding-coefficients.ts';
import { RepairEncoder } from '../../../protocol/repair/repair-encoder.ts';
import { asSequence, wireSequence } from '../../../protocol/rtp/sequence.ts';
import { uint } from '../bytes.ts';
import { encoderOver, PACKET_BYTES_MAX, packetOf, rangeOf, repairOf } from './repair-stream.ts';
import { slowMultiply } from './slow-linear-algebra.ts';

/** Reference: sum of length and packet of each, times its coefficient, zero-padded. */
function slowSymbol(sequences: readonly number[], coefficients: Uint8Array): number[] {
  const symbols = sequences
    .map((sequence) => packetOf(asSequence(sequence)))
    .map((packet) => [packet.length >> 8, packet.length & 0xff, ...packet]);
  const sum = new Array<number>(Math.max(...symbols.map((symbol) => symbol.length))).fill(0);
  for (const [index, symbol] of symbols.entries()) {
    for (const [place, byte] of symbol.entries()) sum[place]! ^= slowMultiply(byte, coefficients[index]!);
  }
  return sum;
}

describe.each([0, 1, 32_767, 32_768, 65_535])('around sequence number %i', (start) => {
  test('a repair symbol is the sum of the packets of its window, each with length and coefficient', () => {
    const first = start - 6;
    const encoder = encoderOver(asSequence(first), 13);
    const window = fc.tuple(uint(4), uint(4)).map(([one, other]) => [one % 13, other % 13].sort((a, b) => a - b));
    fc.assert(
      fc.property(window, uint(16), uint(4), ([from, to], repairKey, density) => {
        const sequences = rangeOf(asSequence(first + from!), to! - from! + 1);
        const coefficients = new Uint8Array(sequences.length);
        fillCodingCoefficients(coefficients, { repairKey, density });
        const [firstSequence, lastSequence] = [sequences[0]!, sequences.at(-1)!];
        expect(repairOf(encoder, { firstSequence, lastSequence, repairKey, density })).toEqual({
          firstSequence,
          payload: {
            repairKey,
            density,
            windowPackets: sequences.length,
            firstSequence: wireSequence(firstSequence),
            symbol: Uint8Array.from(slowSymbol(sequences, coefficients)),
          },
        });
      }),
    );
  });
});

test('a short packet leaves no bytes of a longer one in the same slot', () => {
  const encoder = new RepairEncoder({ windowPackets: 1, packetBytesMax: 40 });
  encoder.add(asSequence(7), new Uint8Array(40).fill(0xff));
  encoder.add(asSequence(8), new Uint8Array(13).fill(0x55));
  const { payload } = repairOf(encoder, { firstSequence: asSequence(8), lastSequence: asSequence(8), repairKey: 1 });
  // Key 1 begins with the coefficient 37. Length 13, then thirteen bytes.
  const byte = slowMultiply(0x55, 37);
  expect(payload.symbol).toEqual(Uint8Array.of(0, slowMultiply(13, 37), ...new Array<number>(13).fill(byte)));
});

test('the oldest packet that can be covered is one window width back', () => {
  const encoder = new RepairEncoder({ windowPackets: 5, packetBytesMax: PACKET_BYTES_MAX });
  expect(encoder.oldestSequence).toBeUndefined();
  const oldest = rangeOf(asSequence(65_530), 8).map((sequence) => {
    encoder.add(sequence, packetOf(sequence));
    return encoder.oldestSequence;
  });
  expect(oldest).toEqual([65_530, 65_530, 65_530, 65_530, 65_530, 65_531, 65_532, 65_533]);
});

test('asserts on a window that is not kept', () => {
  const encoder = encoderOver(asSequence(100), 4);
  encoder.add(asSequence(104), packetOf(asSequence(104)));
  const ask = (firstSequence: number, lastSequence: number) => () =>
    encoder.repair({ firstSequence: asSequence(firstSequence), lastSequence: asSequence(lastSequence), repairKey: 0 });
  expect(ask(100, 104)).toThrow('the window must start at a packet that is still kept');
  expect(ask(101, 105)).toThrow('the window must end at a packet that has been sent');
  expect(ask(103, 102)).toThrow('the window must not be empty');
  expect(() => encoder.add(asSequence(106), packetOf(asSequence(106)))).toThrow(
    'packets must be added in consecutive order',
  );
  expect(ask(101, 104)).not.toThrow();
});
