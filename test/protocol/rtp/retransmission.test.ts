import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unwrapRetransmission, wrapRetransmission } from '../../../protocol/rtp/retransmission.ts';
import { parseRtpPacket, type RtpPacket, serializeRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { hex, uint, wordsOf } from '../bytes.ts';

const HEADER = { ssrc: 0x0000_00bb, payloadType: 97, sequenceNumber: wireSequence(5) };

function packetOf(datagram: Uint8Array): RtpPacket {
  const packet = parseRtpPacket(datagram);
  if (!packet.ok) throw new Error(packet.malformed);
  return packet.value;
}

// V=2 and X; marker and type 96; sequence 0xffff; timestamp; SSRC; an extension of one word; payload.
const ORIGINAL = hex('90e0ffff 11223344 000000aa bede0001 10850000 658884');

test('inserts the original sequence number between headers and payload (RFC 4588 §4)', () => {
  // Marker and timestamp stay; type, sequence number and SSRC are those of the retransmission; then OSN ffff.
  expect(wrapRetransmission(ORIGINAL, HEADER)).toEqual(hex('90e10005 11223344 000000bb bede0001 10850000 ffff 658884'));
});

test('removes the padding of the original', () => {
  const padded = hex('a0600001 11223344 000000aa 6588 0002');
  expect(wrapRetransmission(padded, HEADER)).toEqual(hex('80610005 11223344 000000bb 0001 6588'));
});

test('unwrapping restores the original packet', () => {
  const original = fc
    .record({
      marker: fc.boolean(),
      payloadType: uint(7),
      sequenceNumber: uint(16).map((n) => wireSequence(n)),
      timestamp: uint(32).map((n) => wireTimestamp(n)),
      ssrc: uint(32),
      csrcs: fc.array(uint(32), { maxLength: 15 }),
      payload: fc.uint8Array({ maxLength: 100 }),
      extension: fc.option(fc.record({ profile: uint(16), data: wordsOf(6) }), { nil: undefined }),
    })
    .map(({ extension, ...packet }) => (extension === undefined ? packet : { ...packet, extension }));
  fc.assert(
    fc.property(original, (original) => {
      const again = packetOf(wrapRetransmission(serializeRtpPacket(original), HEADER));
      expect(again).toMatchObject(HEADER);
      expect(unwrapRetransmission(again, original)).toEqual({ ok: true, value: original });
    }),
  );
});

test('rejects a retransmission too short for an original sequence number', () => {
  for (const payload of ['', '00']) {
    const packet = { ...packetOf(ORIGINAL), payload: hex(payload) };
    expect(unwrapRetransmission(packet, packet)).toEqual({ ok: false, malformed: 'retransmission-too-short' });
  }
});
