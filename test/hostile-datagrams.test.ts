import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds } from '../protocol/base/units.ts';
import { RECOVERIES } from '../protocol/control/recovery.ts';
import { recoveryNoticePacket } from '../protocol/rtcp/recovery-notice.ts';
import { type RtcpPacket, serializeRtcp } from '../protocol/rtcp/rtcp.ts';
import { Receiver, type ReceiverEvent } from '../receiver/receiver.ts';
import { Sender } from '../sender/sender.ts';
import { SyntheticStream } from '../sim/synthetic-stream.ts';
import {
  checkRelease,
  MEDIA_SSRC,
  RECEIVER_OPTIONS,
  REPAIR_SSRC,
  REPORT_SSRC,
  RETRANSMISSION_SSRC,
  SENDER_OPTIONS,
  sameUnit,
} from './simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const FRAMES = 20;

/** Records a short stream as sent, repair packets included, with its access units. */
function record() {
  const sender = new Sender({ ...SENDER_OPTIONS, recovery: 'fec' });
  const source = new SyntheticStream({
    framesPerSecond: 30,
    frameBytes: 3_000,
    keyFrameBytes: 9_000,
    keyInterval: 10,
    frames: FRAMES,
    seed: 3,
  });
  const units = Array.from({ length: FRAMES }, () => source.next()!);
  const datagrams: { at: Instant; datagram: Uint8Array }[] = [];
  for (const [frame, unit] of units.entries()) {
    const now = at((frame * 100) / 3);
    sender.send(now, unit);
    for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
      datagrams.push({ at: now, datagram });
    }
  }
  return { units, datagrams, lastSequence: sender.lastSequence, packets: sender.statistics.packets };
}

const RECORDED = record();

/** Arbitrary bytes, or a header that is valid as far as it goes. */
const rtpLike = fc
  .record({
    head: fc.constantFrom(0x80, 0x90, 0xa0, 0xb0, 0x8f, 0x9f),
    payloadType: fc.constantFrom(96, 97, 98, 96 + 128, 97 + 128, 5),
    sequence: fc.integer({ min: 0, max: 65_535 }),
    timestamp: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    ssrc: fc.constantFrom(MEDIA_SSRC, RETRANSMISSION_SSRC, REPAIR_SSRC, 1),
    rest: fc.uint8Array({ maxLength: 60 }),
    mark: fc.boolean(),
  })
  .map(({ head, payloadType, sequence, timestamp, ssrc, rest, mark }) => {
    const bytes = Buffer.alloc(12 + (mark ? 12 : 0) + rest.length);
    bytes[0] = mark ? 0x90 : head;
    bytes[1] = payloadType;
    bytes.writeUInt16BE(sequence, 2);
    bytes.writeUInt32BE(timestamp, 4);
    bytes.writeUInt32BE(ssrc, 8);
    if (mark) bytes.set([0xbe, 0xde, 0, 2, 0x16, 0x40, ...rest.subarray(0, 6)], 12);
    bytes.set(rest, bytes.length - rest.length);
    return Uint8Array.from(bytes);
  });

const ssrc = fc.constantFrom(MEDIA_SSRC, RETRANSMISSION_SSRC, REPORT_SSRC, 0);
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const rtcpLike: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.record({
        kind: fc.constant('nack' as const),
        senderSsrc: ssrc,
        mediaSsrc: ssrc,
        sequenceNumbers: fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 80 }),
      }),
      fc
        .record({
          loss: fc.double({ min: 0, max: 1, noNaN: true }),
          burst: fc.integer({ min: 0, max: 300 }),
          span: uint32,
        })
        .map(({ loss, burst, span }) =>
          recoveryNoticePacket(REPORT_SSRC, {
            kind: 'path',
            latency: microseconds(span),
            answerTime: microseconds(span >>> 3),
            loss,
            burst,
            recentLoss: loss,
            queueing: microseconds(span >>> 5),
            showsDamaged: (span & 1) === 1,
            spacing: microseconds(0),
          }),
        ),
      fc
        .record({
          number: fc.nat(0xffff),
          last: fc.boolean(),
          late: fc.boolean(),
          usefulFor: uint32.map((span) => microseconds(span)),
        })
        .map((request) => recoveryNoticePacket(REPORT_SSRC, { kind: 'request', ...request })),
      fc.record({ kind: fc.constant('picture-loss-indication' as const), senderSsrc: ssrc, mediaSsrc: ssrc }),
      fc.record({
        kind: fc.constant('goodbye' as const),
        ssrcs: fc.array(ssrc, { maxLength: 3 }),
        reason: fc.constant(''),
      }),
      fc.record({
        kind: fc.constant('extended-report' as const),
        ssrc,
        blocks: fc.array(
          fc.record({
            kind: fc.constant('receiver-reference-time' as const),
            ntp: fc.record({ seconds: uint32, fraction: uint32 }),
          }),
          { maxLength: 3 },
        ),
      }),
      fc.record({
        kind: fc.constant('extended-report' as const),
        ssrc,
        blocks: fc.constant([
          {
            kind: 'delay-since-last-receiver-report' as const,
            reports: [{ ssrc: REPORT_SSRC, lastReceiverReport: 5, delay: 7 }],
          },
        ]),
      }),
      fc.record({
        kind: fc.constant('sender-report' as const),
        ssrc,
        ntp: fc.record({ seconds: uint32, fraction: uint32 }),
        rtpTimestamp: uint32,
        packetCount: uint32,
        octetCount: uint32,
        reports: fc.constant([]),
      }),
      fc.record({
        kind: fc.constant('receiver-report' as const),
        ssrc,
        reports: fc.array(
          fc.record({
            ssrc,
            fractionLost: fc.integer({ min: 0, max: 255 }),
            cumulativeLost: fc.integer({ min: -5, max: 5 }),
            highestSequence: uint32,
            jitter: uint32,
            lastSenderReport: uint32,
            delaySinceLastSenderReport: uint32,
          }),
          { maxLength: 3 },
        ),
      }),
    ) as fc.Arbitrary<RtcpPacket>,
    { minLength: 1, maxLength: 4 },
  )
  .map(serializeRtcp);

const cut = (bytes: fc.Arbitrary<Uint8Array>) =>
  fc.tuple(bytes, fc.nat()).map(([whole, length]) => whole.subarray(0, length % (whole.length + 1)));
const garbage = fc.oneof(fc.uint8Array({ maxLength: 80 }), rtpLike, rtcpLike, cut(rtpLike), cut(rtcpLike));

/** Runs a receiver up to an instant and drains it; its datagrams go to `onDatagram`. */
function serve(
  receiver: Receiver,
  now: Instant,
  events: ReceiverEvent[],
  onDatagram: (datagram: Uint8Array) => void,
): void {
  for (let turns = 0; turns < 10_000; turns++) {
    for (let datagram = receiver.pollTransmit(now); datagram; datagram = receiver.pollTransmit(now))
      onDatagram(datagram);
    for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) events.push(event);
    const due = receiver.pollTimeout();
    if (due === undefined || due > now) return;
    receiver.handleTimeout(instant(Math.max(0, due)));
  }
  throw new Error('a receiver that is called moves its timeout on');
}

describe('paths at their worst', () => {
  const fate = fc.record({
    copies: fc.constantFrom(0, 1, 1, 1, 1, 2),
    delayMs: fc.oneof({ weight: 4, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.nat(400) }),
  });

  test('under any reordering, duplication, loss and delay, each frame is released unchanged or dropped, once and in order', () => {
    fc.assert(
      fc.property(
        fc.array(fate, { minLength: RECORDED.datagrams.length, maxLength: RECORDED.datagrams.length }),
        fc.constantFrom(...RECOVERIES),
        fc.constantFrom('freeze', 'smear'),
        fc.constantFrom('drop', 'wait'),
        (fates, recovery, onLoss, overdue) => {
          const receiver = new Receiver({ ...RECEIVER_OPTIONS, recovery, onLoss, overdue });
          const arrivals = RECORDED.datagrams.flatMap(({ at: sentAt, datagram }, index) =>
            Array.from({ length: fates[index]!.copies }, (_, copy) => ({
              at: sentAt + at(fates[index]!.delayMs + copy * 7),
              datagram,
            })),
          );
          arrivals.sort((a, b) => a.at - b.at);
          const events: ReceiverEvent[] = [];
          for (const { at: now, datagram } of arrivals) {
            serve(receiver, instant(now), events, () => {});
            receiver.handleDatagram(instant(now), datagram);
            receiver.assertBalanced();
          }
          receiver.endOfStream(at(1_200), { frames: FRAMES, lastSequence: RECORDED.lastSequence });
          serve(receiver, at(5_000), events, () => {});
          receiver.finish(at(5_000));
          serve(receiver, at(5_000), events, () => {});
          receiver.assertBalanced();
          checkRelease(events);
          for (const event of events) {
            if (event.kind !== 'access-unit') continue;
            expect(sameUnit(event.unit, RECORDED.units[event.frame])).toBe(true);
          }
          const { frames, packets } = receiver.statistics;
          expect(frames.decided).toBe(FRAMES);
          expect(packets.decided).toBe(RECORDED.packets);
          expect(receiver.ended).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('a receiver', () => {
  test('never throws on arbitrary datagrams, and its counts balance', () => {
    fc.assert(
      fc.property(fc.array(garbage, { maxLength: 60 }), fc.constantFrom(...RECOVERIES), (datagrams, recovery) => {
        const receiver = new Receiver({ ...RECEIVER_OPTIONS, recovery });
        const events: ReceiverEvent[] = [];
        const { datagrams: sent } = RECORDED;
        for (let index = 0; index < Math.max(sent.length, datagrams.length); index++) {
          const now = sent[index]?.at ?? at(700 + index);
          serve(receiver, now, events, (datagram) => expect(datagram.length).toBeLessThanOrEqual(1_200));
          const genuine = sent[index]?.datagram;
          if (genuine) receiver.handleDatagram(now, genuine);
          const forged = datagrams[index];
          if (forged) receiver.handleDatagram(now, forged);
          receiver.assertBalanced();
        }
        serve(receiver, at(30_000), events, () => {});
        receiver.finish(at(30_000));
        receiver.assertBalanced();
        checkRelease(events);
      }),
      { numRuns: 150 },
    );
  });

  test('plays a stream to its end unchanged amid datagrams of other sources', () => {
    const foreign = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      rtpLike.map((datagram) => {
        const copy = datagram.slice();
        copy.set([0, 0, 0, 1], 8);
        return copy;
      }),
    );
    fc.assert(
      fc.property(fc.array(foreign, { maxLength: 80 }), (datagrams) => {
        const receiver = new Receiver(RECEIVER_OPTIONS);
        const events: ReceiverEvent[] = [];
        for (const [index, { at: now, datagram }] of RECORDED.datagrams.entries()) {
          serve(receiver, now, events, () => {});
          for (const forged of datagrams.slice(index * 2, index * 2 + 2)) receiver.handleDatagram(now, forged);
          receiver.handleDatagram(now, datagram);
        }
        serve(receiver, at(5_000), events, () => {});
        const units = events.flatMap((event) => (event.kind === 'access-unit' ? [event.unit] : []));
        expect(units.length).toBe(FRAMES);
        expect(units.every((unit, index) => sameUnit(unit, RECORDED.units[index]))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('holds a bounded number of packets, whatever is announced', () => {
    const receiver = new Receiver(RECEIVER_OPTIONS);
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 30_000; count++) {
      const datagram = RECORDED.datagrams[0]!.datagram.slice();
      datagram[2] = count >> 8;
      datagram[3] = count & 0xff;
      // A different frame each time, of 65,535 packets.
      datagram.set([count >> 8, count & 0xff, 0, 0, 0xff, 0xff], 18);
      receiver.handleDatagram(at(count / 100), datagram);
      while (receiver.pollEvent()) {
        // drained, as a driver does
      }
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
  });
});

test('a sender never throws on arbitrary datagrams, and its answers stay within the budget', () => {
  fc.assert(
    fc.property(fc.array(garbage, { maxLength: 60 }), fc.constantFrom(...RECOVERIES), (datagrams, recovery) => {
      const sender = new Sender({ ...SENDER_OPTIONS, recovery });
      let sentBytes = 0;
      for (const [index, unit] of RECORDED.units.entries()) {
        const now = at((index * 100) / 3);
        sender.send(now, unit);
        for (const forged of datagrams.slice(index * 3, index * 3 + 3)) sender.handleDatagram(now, forged);
        for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
          expect(datagram.length).toBeLessThanOrEqual(SENDER_OPTIONS.datagramBytesMax);
          sentBytes += datagram.length;
        }
        while (sender.pollEvent()) {
          // drained, as a driver does
        }
      }
      const { bytes, retransmissionBytes, repairBytes } = sender.statistics;
      const beside = retransmissionBytes + repairBytes;
      // `hybrid` starts with an advance of some packets; `fec` has a ratio, in whole packets per frame.
      const savedUp = recovery === 'hybrid' ? 8_000 : 256_000;
      expect(beside).toBeLessThanOrEqual(savedUp + bytes * SENDER_OPTIONS.redundancy);
      expect(sentBytes).toBeLessThanOrEqual(bytes + beside + 20_000);
    }),
    { numRuns: 150 },
  );
});
