import { describe, expect, test } from 'vitest';
import { serializeRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { type WireSequence, wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { RetransmissionSource } from '../../../receiver/intake/retransmission-source.ts';

const PAYLOAD_AT = 12;

interface Packet {
  readonly ssrc?: number;
  readonly payloadType?: number;
  readonly timestamp?: number;
  readonly payload?: readonly number[];
}

/** A packet that repeats number 300, 0x012c. */
const packet = ({ ssrc = 7, payloadType = 97, timestamp = 90_000, payload = [0x01, 0x2c, 0x41] }: Packet = {}) =>
  serializeRtpPacket({
    ...{ marker: false, payloadType, sequenceNumber: wireSequence(1), timestamp: wireTimestamp(timestamp), ssrc },
    ...{ csrcs: [], payload: Uint8Array.from(payload) },
  });

const REQUESTED = { payloadType: 96, isRequested: (sequence: WireSequence) => sequence === 300 };
const NOTHING = { payloadType: 96, isRequested: () => false };

function source(payloadType?: number): RetransmissionSource {
  const source = new RetransmissionSource(payloadType);
  source.onMedia(packet({ ssrc: 1, payloadType: 96 }));
  return source;
}

test('learns the SSRC from a requested packet, and knows it then for packets that nobody waits for', () => {
  const known = source();
  expect(known.recognizes(packet(), PAYLOAD_AT, NOTHING)).toBe(false);
  expect(known.ssrc).toBeUndefined();
  expect(known.recognizes(packet(), PAYLOAD_AT, REQUESTED)).toBe(true);
  expect(known.ssrc).toBe(7);
  expect(known.recognizes(packet(), PAYLOAD_AT, NOTHING)).toBe(true);
});

test('follows the retransmissions to another SSRC, and not to another payload type', () => {
  const known = source();
  known.recognizes(packet(), PAYLOAD_AT, REQUESTED);
  expect(known.recognizes(packet({ ssrc: 8, payloadType: 98 }), PAYLOAD_AT, REQUESTED)).toBe(false);
  expect(known.recognizes(packet({ ssrc: 8 }), PAYLOAD_AT, REQUESTED)).toBe(true);
  expect(known.ssrc).toBe(8);
});

describe('is not deceived by', () => {
  test.each<[string, Packet]>([
    ['a packet that was not requested', { payload: [1, 0x2d, 0x41] }],
    ['a packet of another time, such as one of sound', { timestamp: 90_000 + 2_000_000 }],
    ['a packet of another time across the wrap', { timestamp: 0x8000_0000 }],
    ['the payload type of the media', { payloadType: 96 }],
    ['a static payload type', { payloadType: 33 }],
    ['a payload without an original', { payload: [1, 0x2c] }],
  ])('%s', (_, fields) => {
    expect(source().recognizes(packet(fields), PAYLOAD_AT, REQUESTED)).toBe(false);
  });

  test('another payload type than the description gives', () => {
    expect(source(98).recognizes(packet(), PAYLOAD_AT, REQUESTED)).toBe(false);
    expect(source(97).recognizes(packet(), PAYLOAD_AT, REQUESTED)).toBe(true);
  });

  test('anything before the first packet of the media', () => {
    expect(new RetransmissionSource(97).recognizes(packet(), PAYLOAD_AT, REQUESTED)).toBe(false);
  });
});

test('takes timestamps on both sides of a wrap for near', () => {
  const known = new RetransmissionSource(undefined);
  known.onMedia(packet({ ssrc: 1, payloadType: 96, timestamp: 100 }));
  expect(known.recognizes(packet({ timestamp: 0xffff_ff00 }), PAYLOAD_AT, REQUESTED)).toBe(true);
});
