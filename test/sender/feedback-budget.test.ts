import { expect, test } from 'vitest';
import { instant } from '../../protocol/base/units.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { Sender } from '../../sender/sender.ts';
import { SyntheticStream } from '../../sim/synthetic-stream.ts';
import { MEDIA_SSRC, REPORT_SSRC, runSession, SENDER_OPTIONS } from '../simulated-session.ts';

/** Each entry and all sixteen bits of its mask. */
const allOnes = (numbers: number) =>
  serializeRtcp([
    {
      kind: 'nack',
      senderSsrc: REPORT_SSRC,
      mediaSsrc: MEDIA_SSRC,
      sequenceNumbers: Array.from({ length: numbers }, (_, index) => wireSequence(100 + index)),
    },
  ]);

function sending(): Sender {
  const sender = new Sender(SENDER_OPTIONS);
  const source = new SyntheticStream({
    framesPerSecond: 30,
    frameBytes: 6_000,
    keyFrameBytes: 9_000,
    keyInterval: 30,
    frames: 30,
    seed: 1,
  });
  for (let frame = 0; frame < 30; frame++) {
    sender.send(instant(frame * 33_333), source.next()!);
    while (sender.pollTransmit(instant(frame * 33_333 + 30_000))) {
      // drained, as a driver does
    }
  }
  return sender;
}

test('a NACK of 60 kB is discarded unread', () => {
  const sender = sending();
  const datagram = allOnes(255_000);
  expect(datagram.length).toBe(60_012);
  sender.handleDatagram(instant(1e6), datagram);
  expect(sender.statistics).toMatchObject({ feedbackRefused: 1, requestsRefused: 0, retransmissions: 0, malformed: 0 });
});

test('requests at 20 Mb/s are read within the budget: 400 kB per second', () => {
  const sender = sending();
  const datagram = allOnes(6_000);
  const seconds = 4;
  const count = Math.round((20e6 / 8 / datagram.length) * seconds);
  for (let index = 0; index < count; index++)
    sender.handleDatagram(instant(1e6 + (index * seconds * 1e6) / count), datagram);
  const looked = (count - sender.statistics.feedbackRefused) * (datagram.length + 28);
  expect(looked).toBeLessThan(800_000 + seconds * 400_000);
  // No more packets are looked for than a history's eight copies, however many each datagram names.
  expect(sender.statistics.retransmissions + sender.statistics.requestsRefused).toBeGreaterThan(60_000);
  expect(sender.statistics.retransmissionBytes).toBeLessThan(256_000);
});

test('datagrams with a forged source address are not charged to the receiver', () => {
  const sender = sending();
  sender.expectReportsFrom(0x5ca1ab1e);
  for (let index = 0; index < 1_000; index++) sender.handleDatagram(instant(1e6), allOnes(1_000));
  expect(sender.statistics).toMatchObject({ foreign: 1_000, feedbackRefused: 0, retransmissions: 0 });
});

test.each(['nack', 'hybrid'] as const)('a receiver on a bad path stays within the budget, %s', (recovery) => {
  const stream = { framesPerSecond: 60, frameBytes: 40_000, keyFrameBytes: 200_000, keyInterval: 60, frames: 300 };
  const { sender } = runSession({
    forward: 'loss=20%,burst=3,delay=15ms',
    latencyMs: 150,
    parameters: { recovery },
    stream,
  });
  expect(sender.statistics.retransmissions).toBeGreaterThan(500);
  expect(sender.statistics.feedbackRefused).toBe(0);
});
