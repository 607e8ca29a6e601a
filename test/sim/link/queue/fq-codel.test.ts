import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../../protocol/base/units.ts';
import { Link } from '../../../../sim/link/link.ts';
import { link } from '../../../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

interface Flow {
  readonly payloadBytes: number;
  readonly everyMs: number;
}

/** Bytes delivered and longest wait of each flow over ten seconds, on the line. */
function shares(words: string, flows: readonly Flow[], untilMs = 10_000) {
  const path = new Link(link(words), 'forward', { reports: 'all' });
  const bytes = flows.map(() => 0);
  const longestMs = flows.map(() => 0);
  const next = flows.map(() => 0);
  for (;;) {
    const ms = Math.min(...next);
    if (ms >= untilMs) break;
    const flow = next.indexOf(ms);
    path.send(at(ms), new Uint8Array(flows[flow]!.payloadBytes), { flow });
    next[flow] = ms + flows[flow]!.everyMs;
    while (path.pollDelivery(at(ms)));
    for (let outcome = path.pollOutcome(); outcome; outcome = path.pollOutcome()) {
      if (outcome.fate === 'overflowed') continue;
      bytes[outcome.flow]! += outcome.bytes;
      longestMs[outcome.flow] = Math.max(longestMs[outcome.flow]!, outcome.waited / 1_000);
    }
  }
  return { bytes, longestMs, path };
}

const GREEDY: readonly Flow[] = [
  { payloadBytes: 1_200, everyMs: 0.6 },
  { payloadBytes: 1_200, everyMs: 2.4 },
  { payloadBytes: 300, everyMs: 0.35 },
];

test('gives flows that ask for more than their share equal bytes, whatever their packet size and rate', () => {
  const { bytes } = shares('rate=8mbit queue=200ms qdisc=fq-codel', GREEDY);
  const mean = bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
  for (const each of bytes) expect(Math.abs(each / mean - 1)).toBeLessThan(0.02);
  expect(mean * 3 * 8).toBeGreaterThan(0.98 * 8e6 * 10);
});

test('gives the leftover of a small flow to the others', () => {
  const { bytes } = shares('rate=8mbit queue=200ms qdisc=fq-codel', [
    { payloadBytes: 172, everyMs: 20 },
    { payloadBytes: 1_200, everyMs: 0.5 },
    { payloadBytes: 1_200, everyMs: 1 },
  ]);
  expect(bytes[0]).toBe(500 * 200);
  expect(Math.abs(bytes[1]! / bytes[2]! - 1)).toBeLessThan(0.02);
});

test('sends a sparse flow before the queues of the others', () => {
  const { longestMs } = shares('rate=8mbit queue=200ms qdisc=fq-codel', [
    { payloadBytes: 172, everyMs: 20 },
    ...GREEDY,
  ]);
  // At most the datagram in transmission: 1,228 bytes at 8 Mb/s.
  expect(longestMs[0]).toBeLessThanOrEqual(1.228);
  expect(longestMs[1]).toBeGreaterThan(5);
});

test('a larger quantum lets a flow send that much at once', () => {
  const path = new Link(link('rate=8mbit queue=1s qdisc=fq-codel(quantum=3684b)'), 'forward');
  for (const flow of [0, 1]) for (let k = 0; k < 6; k++) path.send(at(0), new Uint8Array(1_200), { flow });
  const order: number[] = [];
  while (path.pollDelivery(at(20))) order.push(path.deliveredFlow);
  // Three datagrams are 3,684 bytes. The first datagram was sent before the other flow was there.
  expect(order).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]);
});

test('a full queue drops from the head of the longest, and never from a small one', () => {
  const { path, bytes } = shares('rate=8mbit queue=50p qdisc=fq-codel(interval=60s)', [
    { payloadBytes: 172, everyMs: 20 },
    { payloadBytes: 1_200, everyMs: 0.5 },
  ]);
  expect(bytes[0]).toBe(500 * 200);
  expect(path.counters.overflowed).toBeGreaterThan(1_000);
});

test('one flow alone is a queue under CoDel', () => {
  const one = shares('rate=8mbit queue=10s qdisc=codel', [{ payloadBytes: 972, everyMs: 0.8 }], 2_000);
  const other = shares('rate=8mbit queue=10s qdisc=fq-codel', [{ payloadBytes: 972, everyMs: 0.8 }], 2_000);
  expect(other.bytes).toEqual(one.bytes);
  expect(other.longestMs).toEqual(one.longestMs);
});
