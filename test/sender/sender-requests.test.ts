import { expect, test } from 'vitest';
import type { RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import { unwrapRetransmission } from '../../protocol/rtp/retransmission.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { MEDIA_SSRC, REPORT_SSRC, RETRANSMISSION_SSRC, SENDER_OPTIONS } from '../simulated-session.ts';
import { at, deliverRtcp, drain, events, frame, nack, newSender, sentFrames } from './desk.ts';

test('a requested packet is sent again in the retransmission stream', () => {
  const sender = newSender();
  sender.send(at(0), frame(0));
  sender.send(at(0), frame(1));
  const { rtp: originals } = drain(sender, at(0));
  deliverRtcp(sender, at(20), nack(101));
  const { rtp } = drain(sender, at(20));
  expect(rtp).toHaveLength(1);
  expect(rtp[0]).toMatchObject({ ssrc: RETRANSMISSION_SSRC, payloadType: 97 });
  expect(unwrapRetransmission(rtp[0]!, SENDER_OPTIONS)).toEqual({ ok: true, value: originals[1] });
});

test('retransmissions are numbered consecutively', () => {
  const sender = sentFrames(3);
  deliverRtcp(sender, at(20), nack(100, 101, 102));
  const numbers = drain(sender, at(20)).rtp.map(({ sequenceNumber }) => sequenceNumber);
  expect(numbers.map((number) => number - numbers[0]!)).toEqual([0, 1, 2]);
});

test('a request is answered once per round trip: the second crossed the first answer', () => {
  const sender = sentFrames(1);
  // Before a round trip is known, 10 ms are assumed.
  const answered = [0, 5, 8, 10, 12, 18].filter((ms) => {
    deliverRtcp(sender, at(ms), nack(100));
    return drain(sender, at(ms)).rtp.length > 0;
  });
  expect(answered).toEqual([0, 10]);
  expect(sender.statistics).toMatchObject({ retransmissions: 2, requestsRefused: 4 });
});

test('refuses requests for unsent packets, for old ones and for another stream', () => {
  const sender = sentFrames(20, { historyPackets: 16 });
  deliverRtcp(sender, at(1), nack(99, 100, 103, 120, 40_000));
  deliverRtcp(sender, at(1), { ...nack(119), mediaSsrc: 7 } as RtcpPacket);
  expect(drain(sender, at(1)).rtp).toEqual([]);
  expect(sender.statistics.requestsRefused).toBe(5);
  deliverRtcp(sender, at(1), nack(104));
  expect(drain(sender, at(1)).rtp).toHaveLength(1);
});

test('a request across the wrap of sequence numbers finds its packets', () => {
  const sender = sentFrames(4, { initialSequence: wireSequence(65_534) });
  deliverRtcp(sender, at(1), nack(65_534, 65_535, 0, 1));
  const found = drain(sender, at(1)).rtp.map((packet) => unwrapRetransmission(packet, SENDER_OPTIONS));
  expect(found.map((original) => original.ok && original.value.sequenceNumber)).toEqual([65_534, 65_535, 0, 1]);
});

test('after a full cycle, an old packet is not mistaken for the new one', () => {
  const sender = sentFrames(1, { historyPackets: 32_768 });
  for (let number = 1; number <= 65_536; number++) {
    sender.send(at(0), frame(number, 2));
    drain(sender, at(0));
  }
  deliverRtcp(sender, at(50), nack(100));
  const [packet] = drain(sender, at(50)).rtp;
  const original = unwrapRetransmission(packet!, SENDER_OPTIONS);
  expect(original.ok && original.value.payload.length).toBe(2);
});

test('endless requests for everything get no more than the share of the media', () => {
  const sender = sentFrames(1_000, { redundancy: 0.25 });
  const { bytes: mediaBytes } = sender.statistics;
  let bytes = 0;
  for (let ms = 1; ms < 2_000; ms += 11) {
    deliverRtcp(sender, at(ms), nack(...Array.from({ length: 1_000 }, (_, index) => 100 + index)));
    bytes += drain(sender, at(ms)).bytes;
  }
  // At most a quarter of the media is saved up, and the bucket holds 256 kB.
  expect(bytes).toBeLessThanOrEqual(256_000 + mediaBytes / 4);
  expect(sender.statistics.requestsRefused).toBeGreaterThan(150_000);
});

test('without redundancy nothing is retransmitted', () => {
  const sender = sentFrames(3, { redundancy: 0 });
  deliverRtcp(sender, at(5), nack(100, 101));
  expect(drain(sender, at(5)).rtp).toEqual([]);
});

test('a key-frame request is an event', () => {
  const sender = sentFrames(1);
  const request = { kind: 'picture-loss-indication', senderSsrc: REPORT_SSRC, mediaSsrc: MEDIA_SSRC } as const;
  deliverRtcp(sender, at(1), request);
  deliverRtcp(sender, at(1), { ...request, mediaSsrc: 5 });
  expect(events(sender)).toEqual([{ kind: 'keyframe-requested' }]);
  expect(sender.statistics.keyFrameRequests).toBe(1);
});

test('a full intra request is one request, whatever it repeats, and each receiver numbers its own', () => {
  const sender = newSender();
  const command = (senderSsrc: number, ...numbers: number[]): RtcpPacket => ({
    kind: 'full-intra-request',
    senderSsrc,
    commands: numbers.map((number) => ({ ssrc: MEDIA_SSRC, number })),
  });
  const counted = [command(1, 5, 6, 5, 6), command(1, 5), command(1, 6), command(2, 6)].map((packet) => {
    deliverRtcp(sender, at(0), packet);
    return sender.statistics.keyFrameRequests;
  });
  expect(counted).toEqual([1, 1, 2, 3]);
});
