import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../../protocol/base/units.ts';
import { CE, ECT_0, ECT_1, type Ecn, NOT_ECT } from '../../../../protocol/ecn.ts';
import { DualPi2 } from '../../../../sim/link/queue/dual-pi2.ts';
import type { QueuedDatagram } from '../../../../sim/link/queue/queue-discipline.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const OPTIONS = { kind: 'dualpi2', target: milliseconds(15), step: milliseconds(1), coupling: 2 } as const;

const packet = (arrivedMs: number, ecn: Ecn, bytes = 1_000): QueuedDatagram => ({
  datagram: new Uint8Array(bytes - 28),
  index: 0,
  bytes,
  flow: 0,
  ecn,
  arrivedAt: at(arrivedMs),
  frame: undefined,
});

/** A queue whose classic part has held `waitMs` of delay until p' has settled near a positive value. */
function congested(waitMs: number, untilMs: number, ecn: Ecn = NOT_ECT): DualPi2 {
  const queue = new DualPi2(OPTIONS);
  for (let ms = 0; ms < untilMs; ms++) {
    queue.enqueue(at(ms), packet(ms, ecn), false);
    if (ms >= waitMs) queue.dequeue(at(ms));
  }
  return queue;
}

test('keeps its probability at zero while the classic delay is below the target', () => {
  expect(congested(8, 3_000).baseProbability).toBe(0);
});

test('raises its probability by alpha and beta while the classic delay exceeds the target', () => {
  // Once the delay is constant, 24 or 25 ms, 0.15 Hz · (delay − 15 ms) each 15 ms: 40 times in 600 ms.
  const risen = congested(25, 1_015, ECT_0).baseProbability - congested(25, 415, ECT_0).baseProbability;
  expect(risen).toBeGreaterThanOrEqual(0.15 * 0.009 * 40 - 1e-9);
  expect(risen).toBeLessThanOrEqual(0.15 * 0.01 * 40 + 1e-9);
});

test('couples: L4S is marked with k·p and classic dropped with p²', () => {
  const queue = congested(25, 1_000);
  const p = queue.baseProbability;
  let [marked, sent] = [0, 0];
  // L4S datagrams that never wait: only the coupling marks them.
  for (let k = 0; k < 4_000; k++) {
    const now = 999 + k / 1_000;
    queue.enqueue(at(now), packet(now, ECT_1), false);
    const out = queue.dequeue(at(now))!;
    if (out.ecn === NOT_ECT) continue;
    sent++;
    if (out.ecn === CE) marked++;
  }
  expect(queue.baseProbability).toBe(p);
  expect(Math.abs(marked / sent - 2 * p)).toBeLessThan(2 / sent);
  queue.dropped.length = 0;
  let [dropped, offered] = [0, 0];
  for (let k = 0; k < 4_000; k++) {
    queue.enqueue(at(1_003), packet(1_003, NOT_ECT), false);
    queue.dequeue(at(1_003));
    dropped += queue.dropped.length;
    offered += 1 + queue.dropped.length;
    queue.dropped.length = 0;
  }
  expect(Math.abs(dropped / offered - p ** 2)).toBeLessThan(0.003);
});

test('marks by the step: below 800 µs never, above 1,200 µs always, in between by the ramp', () => {
  const shareAt = (waitMs: number): number => {
    const queue = new DualPi2(OPTIONS);
    let marked = 0;
    for (let k = 0; k < 1_000; k++) {
      for (const _ of [1, 2]) queue.enqueue(at(k * 10), packet(k * 10, ECT_1), false);
      if (queue.dequeue(at(k * 10 + waitMs))!.ecn === CE) marked++;
      queue.takeAll();
    }
    return marked / 1_000;
  };
  expect(shareAt(0.8)).toBe(0);
  expect(shareAt(1.3)).toBeGreaterThanOrEqual(0.999);
  expect(Math.abs(shareAt(1) - 0.5)).toBeLessThan(0.01);
});

test('does not mark the only datagram in the L4S queue, however long it waited', () => {
  const queue = new DualPi2(OPTIONS);
  queue.enqueue(at(0), packet(0, ECT_1), false);
  expect(queue.dequeue(at(5))!.ecn).toBe(ECT_1);
});

test('serves L4S first, and classic with at least a tenth', () => {
  const queue = new DualPi2(OPTIONS);
  for (let k = 0; k < 400; k++) {
    queue.enqueue(at(0), packet(0, ECT_1), false);
    queue.enqueue(at(0), packet(0, ECT_0), false);
  }
  const first = Array.from({ length: 300 }, () => queue.dequeue(at(0))!.ecn);
  expect(first.slice(0, 8).every((ecn) => ecn === ECT_1)).toBe(true);
  const classic = first.filter((ecn) => ecn === ECT_0).length;
  expect(classic / first.length).toBeGreaterThan(0.08);
  expect(classic / first.length).toBeLessThan(0.12);
});

test('marks classic ECN-capable datagrams, and drops the others', () => {
  const queue = congested(25, 1_000);
  queue.dropped.length = 0;
  let marked = 0;
  for (let k = 0; k < 500; k++) {
    queue.enqueue(at(1_000), packet(1_000, ECT_0), false);
    if (queue.dequeue(at(1_000))!.ecn === CE) marked++;
  }
  expect(marked).toBeGreaterThan(0);
});
