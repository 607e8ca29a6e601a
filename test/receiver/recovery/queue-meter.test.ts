import { expect, test } from 'vitest';
import { type Instant, instant, type Microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { QueueMeter } from '../../../receiver/recovery/queue-meter.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const LATENCY: Microseconds = milliseconds(130);

/** Transit on an empty path, on clocks that have nothing to do with one another. */
const TRANSIT_MS = -1_000_000;

function meter() {
  const queue = new QueueMeter({ latency: LATENCY, records: false });
  const receive = (ms: number, sequence: number, queueingMs: number, ahead = true) =>
    queue.onPacket(at(ms), {
      sequence: asSequence(sequence),
      origin: 'sent',
      ahead,
      expectedAt: at(ms),
      transit: milliseconds(TRANSIT_MS + queueingMs),
    });
  return { queue, receive };
}

test('nothing is reported while the newest packet waited for 20 ms at most', () => {
  const { queue, receive } = meter();
  receive(0, 1, 0);
  receive(30, 2, 20);
  expect(queue.poll(at(30))).toBeUndefined();
});

test('the queueing delay of the newest packet is reported, and again after 100 ms', () => {
  const { queue, receive } = meter();
  receive(0, 65_535, 0);
  receive(40, 65_536 + 1, 40);
  const notice = { kind: 'queue', sequence: 1, queueing: milliseconds(40), records: false, latency: LATENCY };
  expect(queue.poll(at(40))).toEqual(notice);
  receive(60, 65_536 + 2, 55);
  expect(queue.poll(at(139))).toBeUndefined();
  expect(queue.poll(at(140))).toEqual({ ...notice, sequence: 2, queueing: milliseconds(55) });
});

test('a packet that others overtook says nothing about the newest one', () => {
  const { queue, receive } = meter();
  receive(0, 1, 0);
  receive(40, 3, 30);
  receive(50, 2, 60, false);
  expect(queue.poll(at(50))).toMatchObject({ sequence: 3, queueing: milliseconds(30) });
});

test('a queue that stands for half a minute counts as the path', () => {
  const { queue, receive } = meter();
  receive(0, 0, 0);
  for (let second = 1; second <= 31; second++) receive(1_000 * second, second, 50);
  expect(queue.isDue(at(31_000))).toBe(false);
  receive(32_000, 32, 90);
  expect(queue.poll(instant(seconds(32)))).toMatchObject({ queueing: milliseconds(40) });
});
