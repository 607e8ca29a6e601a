import { describe, expect, test } from 'vitest';
import { type Instant, instant, type Microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { QueueLosses } from '../../../sender/rate/queue-losses.ts';
import { RandomStream } from '../../../sim/random.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const PACKETS = 3_000;
const REPORT = 10;

/** Reports of ten packets each, 4 ms apart; `wait` returns undefined for a lost packet. */
function shareOfPath(wait: (packet: number) => number | undefined): number {
  const losses = new QueueLosses();
  for (let packet = 0; packet < PACKETS; packet += REPORT) {
    const waits = Array.from({ length: REPORT }, (_, index): Microseconds | undefined => {
      const waited = wait(packet + index);
      return waited === undefined ? undefined : milliseconds(waited);
    });
    losses.onReport(at(4 * packet), waits);
  }
  return losses.shareOfPath;
}

/** A queue that grows to 200 ms over a hundred packets and drains at once. */
const queue = (packet: number): number => 2 * (packet % 100);

describe('the share of the path in the losses', () => {
  test('is 1 before any report and without losses', () => {
    expect(new QueueLosses().shareOfPath).toBe(1);
    expect(shareOfPath(() => 0)).toBe(1);
  });

  test('is near 1 for losses at random, with a queue, with jitter and with neither', () => {
    const loss = new RandomStream(1, 'loss');
    const jitter = new RandomStream(1, 'jitter');
    const lossy = (wait: (packet: number) => number) =>
      shareOfPath((packet) => (loss.chance(packet, 0.05) ? undefined : wait(packet)));
    expect(lossy(() => 0)).toBe(1);
    expect(lossy(queue)).toBeGreaterThan(0.7);
    expect(lossy((packet) => jitter.below(packet, 40))).toBeGreaterThan(0.7);
  });

  test('is near 0 when only a full queue loses packets', () => {
    expect(shareOfPath((packet) => (packet % 100 > 95 ? undefined : queue(packet)))).toBeLessThan(0.3);
  });

  test('is not decided by the first few losses', () => {
    expect(shareOfPath((packet) => (packet === 99 ? undefined : queue(packet)))).toBeGreaterThan(0.75);
  });
});
