import { describe, expect, test } from 'vitest';
import { type Instant, instant, later, milliseconds } from '../../protocol/base/units.ts';
import { Pacer } from '../../sender/pacer.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const GROUP = 16;
const INTERVAL = milliseconds(40);

const newPacer = (queueBytesMax = 1_000_000) => new Pacer<Uint8Array>({ burstDatagrams: GROUP, queueBytesMax });
const datagrams = (count: number, bytes = 100): Uint8Array[] =>
  Array.from({ length: count }, () => new Uint8Array(bytes));

/** Number of datagrams by departure time, when woken at the requested times. */
function departures(pacer: Pacer<Uint8Array>, from: number): [number, number][] {
  const groups: [number, number][] = [];
  for (let now = from, turns = 0; turns < 1_000; turns++, now = Math.max(now, pacer.pollTimeout()!)) {
    let count = 0;
    while (pacer.poll(instant(now))) count++;
    if (count > 0) groups.push([now, count]);
    if (pacer.pollTimeout() === undefined) return groups;
  }
  throw new Error('a pacer empties its queue');
}

test('a small frame leaves at once', () => {
  const pacer = newPacer();
  pacer.enqueue(at(5), datagrams(GROUP), INTERVAL);
  expect(departures(pacer, at(5))).toEqual([[at(5), GROUP]]);
});

test('a frame slightly longer than a group leaves at once as well', () => {
  const pacer = newPacer();
  pacer.enqueue(at(5), datagrams(GROUP * 1.5 - 1), INTERVAL);
  expect(departures(pacer, at(5))).toEqual([[at(5), GROUP * 1.5 - 1]]);
});

test('a fast stream has larger groups with time between them, up to 40 datagrams', () => {
  const fast = newPacer();
  fast.enqueue(at(0), datagrams(180), INTERVAL);
  const groups = departures(fast, at(0));
  expect(groups.map(([, count]) => count)).toEqual([30, 30, 30, 30, 30, 30]);
  expect(groups[1]![0] - groups[0]![0]).toBeGreaterThanOrEqual(at(5));
  const faster = newPacer();
  faster.enqueue(at(0), datagrams(4_000), INTERVAL);
  expect(Math.max(...departures(faster, at(0)).map(([, count]) => count))).toBe(40);
});

test('a key frame leaves in even groups within four fifths of its frame interval', () => {
  const pacer = newPacer();
  pacer.enqueue(at(5), datagrams(60), INTERVAL);
  const groups = departures(pacer, at(5));
  expect(groups[0]).toEqual([at(5), GROUP]);
  expect(groups.reduce((sum, [, count]) => sum + count, 0)).toBe(60);
  expect(groups.at(-1)![0]).toBeLessThanOrEqual(at(5) + INTERVAL * 0.8);
  const gaps = groups.slice(1).map(([now], index) => now - groups[index]![0]);
  expect(groups.length).toBeGreaterThanOrEqual(3);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
});

test('nothing leaves early', () => {
  const pacer = newPacer();
  pacer.enqueue(at(0), datagrams(32), INTERVAL);
  for (let sent = 0; sent < GROUP; sent++) expect(pacer.poll(at(0))).toBeDefined();
  expect(pacer.pollTimeout()).toBe(milliseconds(16));
  expect(pacer.poll(instant(at(16) - 1))).toBeUndefined();
  expect(pacer.poll(at(16))).toBeDefined();
});

describe('a backlog', () => {
  test('is sent within the interval of the frame that joins it', () => {
    const pacer = newPacer();
    pacer.enqueue(at(0), datagrams(160), INTERVAL);
    for (let sent = 0; sent < GROUP; sent++) pacer.poll(at(0));
    pacer.enqueue(at(1), datagrams(16), INTERVAL);
    const left = departures(pacer, at(1));
    expect(left.reduce((sum, [, count]) => sum + count, 0)).toBe(160);
    expect(left.at(-1)?.[0]).toBeLessThanOrEqual(at(1) + INTERVAL);
  });

  test('keeps the order of its frames', () => {
    const pacer = newPacer();
    const all = Array.from({ length: 50 }, (_, index) => Uint8Array.of(index));
    pacer.enqueue(at(0), all.slice(0, 30), INTERVAL);
    pacer.poll(at(0));
    pacer.enqueue(at(2), all.slice(30), INTERVAL);
    const order: number[] = [];
    for (let now = at(2); pacer.queuedDatagrams > 0; now = later(now, milliseconds(1))) {
      for (let next = pacer.poll(now); next; next = pacer.poll(now)) order.push(next[0]!);
    }
    expect(order).toEqual(Array.from({ length: 49 }, (_, index) => index + 1));
  });
});

describe('a timer that fires late', () => {
  const sentBy = (pacer: Pacer<Uint8Array>, now: number): number => {
    let count = 0;
    while (pacer.poll(instant(now))) count++;
    return count;
  };

  test('by a little sends what is due at once', () => {
    const punctual = newPacer();
    punctual.enqueue(at(0), datagrams(80), INTERVAL);
    let due = 0;
    for (let ms = 0; ms <= 14; ms++) due += sentBy(punctual, at(ms));
    const late = newPacer();
    late.enqueue(at(0), datagrams(80), INTERVAL);
    expect(due).toBeGreaterThan(GROUP);
    expect(sentBy(late, at(14))).toBe(due);
  });

  test('by a lot paces the backlog again instead of sending it as one burst', () => {
    const pacer = newPacer();
    pacer.enqueue(at(0), datagrams(1_600), INTERVAL);
    // It is spread over 32 ms, of which at most 20 are caught up.
    const count = sentBy(pacer, at(500));
    expect(count).toBeGreaterThan(1_600 * 0.5);
    expect(count).toBeLessThan(1_600 * 0.75);
  });
});

describe('the queue', () => {
  test('counts waiting bytes, and refuses a frame that does not fit', () => {
    const pacer = newPacer(5_000);
    pacer.enqueue(at(0), datagrams(40), INTERVAL);
    expect(pacer.queuedBytes).toBe(4_000);
    expect(pacer.accepts(1_000)).toBe(true);
    expect(pacer.accepts(1_001)).toBe(false);
    pacer.poll(at(0));
    expect(pacer.queuedBytes).toBe(3_900);
    expect(pacer.queuedDatagrams).toBe(39);
  });

  test('accepts any frame while it is empty, even one above the limit', () => {
    expect(newPacer(1_000).accepts(50_000)).toBe(true);
  });

  test('has no timeout while it is empty', () => {
    const pacer = newPacer();
    expect(pacer.pollTimeout()).toBeUndefined();
    expect(pacer.poll(at(9))).toBeUndefined();
  });
});

test('on a slow path, datagrams leave singly at its rate', () => {
  const pacer = newPacer();
  pacer.enqueue(at(0), datagrams(4, 1_000), INTERVAL, 100_000);
  expect(departures(pacer, at(0))).toEqual([0, 10, 20, 30].map((ms) => [at(ms), 1]));
});

test('on a fast path, datagrams leave in groups with time between them', () => {
  const pacer = newPacer();
  pacer.enqueue(at(0), datagrams(20, 1_000), INTERVAL, 2_000_000);
  expect(departures(pacer, at(0))).toEqual([
    [at(0), 10],
    [at(5), 10],
  ]);
});
