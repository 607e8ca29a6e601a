import { expect, test } from 'vitest';
import { instant, ticks } from '../../protocol/base/units.ts';
import { H264 } from '../../protocol/codec/h264/h264.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import type { Sender } from '../../sender/sender.ts';
import { SharedPackets } from '../../sender/shared-packets.ts';
import { at, deliverRtcp, frame, nack, newSender } from './desk.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Streams of six receivers: numbers at the wrap, another length of datagrams, no or few frame marks, and repair packets of either kind. */
const STREAMS = [
  { recovery: 'nack' },
  { recovery: 'nack', initialSequence: wireSequence(0xfffe), timestampBase: wireTimestamp(0xffff_f000) },
  { recovery: 'fec', initialSequence: wireSequence(77), initialFrameNumber: 0xfffe, redundancy: 0.5 },
  { recovery: 'hybrid', initialSequence: wireSequence(31), datagramBytesMax: 900 },
  { recovery: 'none', frameMarks: false },
  { recovery: 'hybrid', frameMarks: 'edges' },
] as const;

/** Returns what is polled, as text, since its memory is used again. */
function polled(sender: Sender, ms: number): string[] {
  const texts: string[] = [];
  for (let each = sender.pollTransmit(at(ms)); each; each = sender.pollTransmit(at(ms))) texts.push(hex(each));
  return texts;
}

test('a sender with shared payloads sends the datagrams of one that packetizes for itself', () => {
  const shared = new SharedPackets();
  const apart = STREAMS.map((options) => newSender(options));
  const together = STREAMS.map((options) => newSender({ ...options, sharedPackets: shared }));
  let retransmissions = 0;
  let repairs = 0;
  for (let number = 0; number < 60; number++) {
    const whole = frame(number, number % 10 === 0 ? 30_000 : 2_500);
    const unit = number % 7 === 3 ? { ...whole, decodeOnly: true as const } : whole;
    for (const [index, sender] of together.entries()) {
      const other = apart[index]!;
      for (let ms = number * 33; ms < (number + 1) * 33; ms += 3) {
        for (const each of [sender, other]) {
          if (ms === number * 33) expect(each.send(at(ms), unit)).toBe('queued');
          const due = each.pollTimeout();
          if (due !== undefined && due <= at(ms)) each.handleTimeout(instant(at(ms)));
          const last = each.lastSequence;
          if (last !== undefined && ms % 5 === 0)
            deliverRtcp(each, at(ms), nack((last - 3) & 0xffff, (last - 40) & 0xffff));
        }
        expect(polled(sender, ms)).toEqual(polled(other, ms));
        shared.release();
      }
    }
  }
  for (const [index, sender] of together.entries()) {
    expect(sender.statistics).toEqual(apart[index]!.statistics);
    retransmissions += sender.statistics.retransmissions;
    repairs += sender.statistics.repairs;
  }
  expect(retransmissions).toBeGreaterThan(50);
  expect(repairs).toBeGreaterThan(50);
});

test('packetizes an access unit once for all receivers whose packets have its lengths', () => {
  const shared = new SharedPackets();
  const unit = frame(0, 5_000);
  const lengths = { payloadBytesMax: 1_100, marked: 'every', decodeLead: ticks(0) } as const;
  const templates = shared.packetize(unit, H264, lengths);
  expect(shared.packetize(unit, H264, lengths)).toBe(templates);
  expect(shared.packetize(unit, H264, { ...lengths, payloadBytesMax: 500 })).not.toBe(templates);
  expect(shared.packetize(frame(1, 5_000), H264, lengths)).not.toBe(templates);
  expect(hex(templates[0]!.subarray(0, 24))).toBe('00'.repeat(24));
});

test('a copy is not overwritten before the release, however many there are', () => {
  const shared = new SharedPackets();
  const copies = Array.from({ length: 500 }, (_, index) => shared.copy(new Uint8Array(1_200).fill(index)));
  expect(copies.map((copy) => [copy.length, copy[0], copy[1_199]])).toEqual(
    copies.map((_, index) => [1_200, index & 0xff, index & 0xff]),
  );
});

test('refused requests copy nothing', () => {
  const shared = new SharedPackets();
  const sender = newSender({ recovery: 'nack', sharedPackets: shared });
  sender.send(at(0), frame(0, 10_000));
  polled(sender, 0);
  const last = sender.lastSequence!;
  deliverRtcp(sender, at(1), nack((last - 1) & 0xffff, (last - 3) & 0xffff));
  polled(sender, 1);
  expect(sender.statistics.retransmissions).toBe(2);
  const before = shared.copy(new Uint8Array(1));
  // Within a round trip of the answer.
  for (let round = 0; round < 20; round++) {
    deliverRtcp(sender, at(2), nack((last - 1) & 0xffff, (last - 3) & 0xffff));
    expect(polled(sender, 2)).toEqual([]);
  }
  const after = shared.copy(new Uint8Array(1));
  expect(sender.statistics.requestsRefused).toBe(40);
  expect([after.buffer === before.buffer, after.byteOffset]).toEqual([true, before.byteOffset + 1]);
});

test('memory is used again after the release, and given back when it is large', () => {
  const shared = new SharedPackets();
  const first = shared.copy(new Uint8Array(1_200));
  shared.release();
  expect(shared.copy(new Uint8Array(1_200)).buffer).toBe(first.buffer);
  for (let index = 0; index < 2_000; index++) shared.copy(new Uint8Array(1_200));
  expect(shared.copy(new Uint8Array(1)).buffer.byteLength).toBeGreaterThan(1_048_576);
  shared.release();
  expect(shared.copy(new Uint8Array(1)).buffer.byteLength).toBe(65_536);
});
