import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { distance, wireSequence } from '../../../protocol/rtp/sequence.ts';
import { hex, uint } from '../bytes.ts';

test.each([0, 1, 32_767, 32_768, 65_535])('packs seventeen lost packets into an entry, from number %i on', (start) => {
  const sequenceNumbers = Array.from({ length: 40 }, (_, index) => wireSequence((start + index) % 65_536));
  const packet: RtcpPacket = { kind: 'nack', senderSsrc: 1, mediaSsrc: 2, sequenceNumbers };
  const datagram = serializeRtcp([packet]);
  expect(datagram.length).toBe(12 + 3 * 4);
  expect(parseRtcp(datagram)).toEqual({ ok: true, value: [packet] });
});

/** Reference: extends each entry as far as possible, which is optimal for a sorted list. */
function entriesGreedily(sequenceNumbers: readonly number[]): number {
  let left = [...sequenceNumbers];
  let entries = 0;
  while (left.length > 0) {
    const first = left[0]!;
    left = left.filter((sequenceNumber) => distance(wireSequence(first), wireSequence(sequenceNumber)) > 16);
    entries++;
  }
  return entries;
}

test('losses in stream order take the minimum number of entries', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(uint(16), gaps, (start, gaps) => {
      let last = start;
      const sequenceNumbers = gaps.map((gap) => {
        last = (last + gap) % 65_536;
        return wireSequence(last);
      });
      const datagram = serializeRtcp([{ kind: 'nack', senderSsrc: 1, mediaSsrc: 2, sequenceNumbers }]);
      expect((datagram.length - 12) / 4).toBe(entriesGreedily(sequenceNumbers));
    }),
  );
});

test('the cost of a forged NACK is bounded by its size', () => {
  const forged = new Uint8Array(1_200).fill(0xff);
  forged.set(hex('81cd012b'));
  const result = parseRtcp(forged);
  expect(result.ok && result.value[0]?.kind === 'nack' && result.value[0].sequenceNumbers.length).toBe(
    17 * (1_188 / 4),
  );
});
