import { expect, test } from 'vitest';
import { type Instant, instant, type Microseconds, milliseconds } from '../../../protocol/base/units.ts';
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

/** Packets from one instant to another, 10 ms apart, that all waited for so long. */
function fill(receive: ReturnType<typeof meter>['receive'], fromMs: number, toMs: number, queueingMs: number): void {
  for (let ms = fromMs; ms <= toMs; ms += 10) receive(ms, 65_000 + ms, queueingMs);
}

test('nothing is reported while packets waited for a quarter of the latency at most', () => {
  const { queue, receive } = meter();
  receive(0, 1, 0);
  fill(receive, 10, 500, 32);
  expect(queue.poll(at(500))).toBeUndefined();
});

test('the queueing delay of the newest packet is reported once the queue has lasted an interval, and again after 100 ms', () => {
  const { queue, receive } = meter();
  receive(0, 65_000, 0);
  fill(receive, 10, 190, 40);
  expect(queue.isDue(at(190))).toBe(false);
  fill(receive, 200, 210, 45);
  const notice = { kind: 'queue', queueing: milliseconds(45), records: false, latency: LATENCY };
  expect(queue.poll(at(210))).toEqual({ ...notice, sequence: 65_210 });
  fill(receive, 220, 310, 55);
  expect(queue.poll(at(309))).toBeUndefined();
  expect(queue.poll(at(310))).toEqual({ ...notice, sequence: 65_310, queueing: milliseconds(55) });
});

test('jitter, with one fast packet in each interval, is no queue', () => {
  const { queue, receive } = meter();
  for (let ms = 0; ms <= 1_000; ms += 10) receive(ms, 65_000 + ms, ms % 100 === 50 ? 0 : 60);
  expect(queue.poll(at(1_000))).toBeUndefined();
});

test('a packet that others overtook says nothing about the newest one', () => {
  const { queue, receive } = meter();
  receive(0, 65_000, 0);
  fill(receive, 10, 300, 50);
  receive(305, 65_255, 60, false);
  expect(queue.poll(at(305))).toMatchObject({ sequence: 65_300, queueing: milliseconds(50) });
});

test('a standing queue of half a minute counts as the path', () => {
  const { queue, receive } = meter();
  receive(0, 0, 0);
  for (let ms = 10; ms <= 31_000; ms += 10) receive(ms, ms, 50);
  expect(queue.isDue(at(31_000))).toBe(false);
});
