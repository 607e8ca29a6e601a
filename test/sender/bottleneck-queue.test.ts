import { expect, test } from 'vitest';
import { milliseconds } from '../../protocol/base/units.ts';
import { asSequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { BottleneckQueue } from '../../sender/bottleneck-queue.ts';
import { at } from './desk.ts';

const LATENCY_MS = 130;
/** With its headers, a packet of this size takes 4 ms at 250 kB/s. */
const BYTES = 972;
const PACKET_MS = 4;

/** A bottleneck of 250 kB/s which packets enter four times as fast, from 0 on. */
function queueBehind(packets: number) {
  const queue = new BottleneckQueue();
  for (let packet = 0; packet < packets; packet++) {
    queue.onSent(BYTES);
    queue.onMedia(asSequence(65_500 + packet), at(packet));
  }
  /** Reports a packet as the receiver does when it arrives, 20 ms after it has left the bottleneck. */
  const report = (packet: number, records = false) => {
    const passedMs = (packet + 1) * PACKET_MS;
    const notice = {
      kind: 'queue' as const,
      sequence: wireSequence((65_500 + packet) & 0xffff),
      queueing: milliseconds(passedMs - packet),
      records,
      latency: milliseconds(LATENCY_MS),
    };
    queue.onNotice(at(passedMs + 20), notice, asSequence(65_500 + packets - 1));
  };
  return { queue, report };
}

test('needs two reports to estimate the bottleneck rate', () => {
  const { queue, report } = queueBehind(60);
  report(9);
  expect(queue.isTooLong(at(60), 10 * BYTES)).toBe(false);
});

test('predicts from two reports which frame would leave the bottleneck too late', () => {
  const { queue, report } = queueBehind(60);
  report(9);
  report(24);
  // The sixty packets have passed after 240 ms, and one more at 244 ms; it may be handed over from 114 ms on.
  expect(queue.isTooLong(at(113), BYTES)).toBe(true);
  expect(queue.isTooLong(at(114), BYTES)).toBe(false);
  expect(queue.isTooLong(at(114), BYTES + 250)).toBe(true);
});

test('a recording receiver wants late frames as well', () => {
  const { queue, report } = queueBehind(60);
  report(9, true);
  report(24, true);
  expect(queue.isTooLong(at(100), BYTES)).toBe(false);
});

test('a report of half a second ago does not count', () => {
  const { queue, report } = queueBehind(400);
  report(9);
  report(24);
  expect(queue.isTooLong(at(120 + 500), BYTES)).toBe(true);
  expect(queue.isTooLong(at(120 + 501), BYTES)).toBe(false);
});

test('a report of a packet that was never sent, or long ago, is ignored', () => {
  const { queue, report } = queueBehind(2_000);
  report(2_100);
  report(10);
  report(60);
  expect(queue.isTooLong(at(270), BYTES)).toBe(false);
});
