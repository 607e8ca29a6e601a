import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { uint, wordsOf } from '../bytes.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => Buffer.byteLength(text) <= 255);
const ntp = fc.record({ seconds: uint(32), fraction: uint(32) });
const reports = fc.array(
  fc.record({
    ssrc: uint(32),
    fractionLost: uint(8),
    cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
    highestSequence: uint(32),
    jitter: uint(32),
    lastSenderReport: uint(32),
    delaySinceLastSenderReport: uint(32),
  }),
  { maxLength: 31 },
);
const rtcpPacket: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({
    kind: fc.constant('sender-report' as const),
    ssrc: uint(32),
    ntp,
    rtpTimestamp: uint(32).map((n) => wireTimestamp(n)),
    packetCount: uint(32),
    octetCount: uint(32),
    reports,
  }),
  fc.record({ kind: fc.constant('receiver-report' as const), ssrc: uint(32), reports }),
  fc.record({
    kind: fc.constant('source-description' as const),
    chunks: fc.array(fc.record({ ssrc: uint(32), cname: text }), { maxLength: 31 }),
  }),
  fc.record({ kind: fc.constant('goodbye' as const), ssrcs: fc.array(uint(32), { maxLength: 31 }), reason: text }),
  fc.record({
    kind: fc.constant('application' as const),
    ssrc: uint(32),
    subtype: uint(5),
    name: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => String.fromCharCode(...bytes)),
    data: wordsOf(20),
  }),
  fc.record({
    kind: fc.constant('nack' as const),
    senderSsrc: uint(32),
    mediaSsrc: uint(32),
    sequenceNumbers: fc.array(
      uint(16).map((n) => wireSequence(n)),
      { minLength: 1, maxLength: 60 },
    ),
  }),
  fc.record({ kind: fc.constant('picture-loss-indication' as const), senderSsrc: uint(32), mediaSsrc: uint(32) }),
  fc.record({
    kind: fc.constant('full-intra-request' as const),
    senderSsrc: uint(32),
    commands: fc.array(fc.record({ ssrc: uint(32), number: uint(8) }), { minLength: 1, maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constant('extended-report' as const),
    ssrc: uint(32),
    blocks: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('receiver-reference-time' as const), ntp }),
        fc.record({
          kind: fc.constant('delay-since-last-receiver-report' as const),
          reports: fc.array(fc.record({ ssrc: uint(32), lastReceiverReport: uint(32), delay: uint(32) }), {
            maxLength: 5,
          }),
        }),
      ),
      { maxLength: 4 },
    ),
  }),
);

test('serialize and parse round-trip', () => {
  fc.assert(
    fc.property(fc.array(rtcpPacket, { minLength: 1, maxLength: 6 }), (packets) => {
      expect(parseRtcp(serializeRtcp(packets))).toEqual({ ok: true, value: packets });
    }),
  );
});

test('never throws on arbitrary bytes', () => {
  const header = fc
    .record({
      count: uint(5),
      type: fc.integer({ min: 199, max: 208 }),
      body: wordsOf(12),
      padded: fc.boolean(),
      lie: fc.integer({ min: -1, max: 1 }),
    })
    .map(({ count, type, body, padded, lie }) =>
      Uint8Array.of((padded ? 0xa0 : 0x80) | count, type, 0, Math.max(body.length / 4 + lie, 0), ...body),
    );
  const compound = fc
    .array(header, { maxLength: 3 })
    .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), compound), (bytes) => {
      expect(parseRtcp(bytes)).toHaveProperty('ok');
    }),
    { numRuns: 1_000 },
  );
});
