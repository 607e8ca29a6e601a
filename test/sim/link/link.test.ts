import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { earlier, type Instant, instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { Link } from '../../../sim/link/link.ts';
import { link } from '../../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** A datagram of the given size that carries its number. */
function datagram(number: number, bytes = 972): Uint8Array {
  const content = new Uint8Array(bytes);
  content[0] = number & 0xff;
  content[1] = number >> 8;
  return content;
}

const numberOf = (content: Uint8Array): number => content[0]! | (content[1]! << 8);

/** All deliveries until the link is empty, with number and time. */
function deliveries(path: Link): { number: number; at: number; datagram: Uint8Array }[] {
  const delivered = [];
  for (let next = path.pollTimeout(); next !== undefined; next = path.pollTimeout()) {
    expect(path.pollDelivery(earlier(next, microseconds(1)))).toBeUndefined();
    const content = path.pollDelivery(next);
    if (content) delivered.push({ number: numberOf(content), at: next, datagram: content });
  }
  return delivered;
}

const instants = (path: Link): number[] => deliveries(path).map((delivery) => delivery.at);

test('a clean link delivers at once and unchanged', () => {
  const path = new Link(link(''), 'forward');
  const content = datagram(1);
  path.send(at(3), content);
  expect(path.pollTimeout()).toBe(milliseconds(3));
  expect(path.pollDelivery(at(3))).toBe(content);
  expect(path.pollTimeout()).toBeUndefined();
});

describe('bottleneck', () => {
  // 972 bytes and 28 of IPv4 and UDP are 8,000 bits: 8 ms at 1 Mb/s.
  test('sends one datagram after another, headers included', () => {
    const path = new Link(link('rate=1mbit delay=20ms queue=1s'), 'forward');
    for (const number of [0, 1, 2]) path.send(at(0), datagram(number));
    path.send(at(100), datagram(3));
    expect(instants(path)).toEqual([milliseconds(28), milliseconds(36), milliseconds(44), milliseconds(128)]);
  });

  test('drops a datagram that would wait longer than the queue limit', () => {
    const path = new Link(link('rate=1mbit queue=16ms'), 'forward');
    // Departures start at 0, 8, 16 and 24 ms: the fourth would wait 24 ms, the limit is 16 ms.
    for (const number of [0, 1, 2, 3]) path.send(at(0), datagram(number));
    // At 8 ms the bottleneck is busy until 24 ms: a wait of 16 ms is allowed.
    path.send(at(8), datagram(4));
    expect(deliveries(path).map(({ number }) => number)).toEqual([0, 1, 2, 4]);
    expect(path.counters).toMatchObject({ offered: 5, delivered: 4, overflowed: 1, lost: 0 });
  });

  test('carries datagrams that are lost after it', () => {
    const path = new Link(link('rate=1mbit loss=100%'), 'forward');
    for (const number of [0, 1]) path.send(at(0), datagram(number));
    expect(path.counters).toMatchObject({ offered: 2, lost: 2, inFlight: 0 });
    expect(path.pollTimeout()).toBeUndefined();
  });
});

describe('jitter', () => {
  const sendMany = (specification: string): Link => {
    const path = new Link(link(specification), 'forward');
    for (let number = 0; number < 500; number++) path.send(at(number), datagram(number, 10));
    return path;
  };

  test('adds 0 to J to the delay, and reorders', () => {
    const delivered = deliveries(sendMany('delay=20ms jitter=10ms'));
    const added = delivered.map((delivery) => delivery.at - at(delivery.number) - at(20));
    expect(Math.min(...added)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...added)).toBeLessThanOrEqual(at(10));
    const mean = added.reduce((sum, each) => sum + each, 0) / added.length;
    // A uniform draw over 10 ms has a standard deviation of 2.89 ms.
    expect(Math.abs(mean - at(5))).toBeLessThan((2.58 * 2_887) / Math.sqrt(added.length));
    const numbers = delivered.map(({ number }) => number);
    expect(numbers).not.toEqual(numbers.toSorted((a, b) => a - b));
  });

  test('with order=kept delays datagrams that would overtake', () => {
    const delivered = deliveries(sendMany('delay=20ms jitter=10ms order=kept'));
    expect(delivered.map(({ number }) => number)).toEqual(Array.from({ length: 500 }, (_, number) => number));
    for (const delivery of delivered) expect(delivery.at - at(delivery.number)).toBeLessThanOrEqual(at(30));
  });
});

test('duplicates are additional deliveries of the same bytes', () => {
  const path = new Link(link('dup=100% delay=5ms'), 'forward');
  path.send(at(0), datagram(1));
  expect(deliveries(path).map(({ number, at: when }) => [number, when])).toEqual([
    [1, at(5)],
    [1, at(5)],
  ]);
  expect(path.counters).toMatchObject({ offered: 1, duplicated: 1, delivered: 2, deliveredBytes: 2 * 972 });
});

test('a corrupted datagram has one flipped bit, and the original is unchanged', () => {
  const path = new Link(link('corrupt=100%'), 'forward');
  const originals = Array.from({ length: 200 }, (_, number) => datagram(number, 40));
  for (const original of originals) path.send(instant(0), original);
  const delivered = Array.from({ length: 200 }, () => path.pollDelivery(instant(0))!);
  for (const [number, original] of originals.entries()) {
    expect(original).toEqual(datagram(number, 40));
    let flipped = 0;
    for (const [index, byte] of delivered[number]!.entries()) {
      for (let bits = byte ^ original[index]!; bits !== 0; bits &= bits - 1) flipped++;
    }
    expect(flipped).toBe(1);
  }
  expect(path.counters.corrupted).toBe(200);
});

describe('independence of the stages', () => {
  const lostOf = (specification: string): number[] => {
    const path = new Link(link(`loss=20% seed=9 ${specification}`), 'forward');
    for (let number = 0; number < 1_000; number++) path.send(at(number), datagram(number, 100));
    const delivered = new Set(deliveries(path).map(({ number }) => number));
    return Array.from({ length: 1_000 }, (_, number) => number).filter((number) => !delivered.has(number));
  };

  test.each(['jitter=5ms', 'dup=30%', 'delay=1s', 'rate=100mbit', 'order=kept jitter=20ms'])(
    '%s does not change which datagrams are lost',
    (other) => expect(lostOf(other)).toEqual(lostOf('')),
  );

  test('a full queue does not change later losses', () => {
    const path = new Link(link('loss=20% seed=9 rate=50kbit queue=30ms'), 'forward');
    const lost = new Set(lostOf(''));
    let expected = 0;
    for (let number = 0; number < 1_000; number++) {
      const { overflowed } = path.counters;
      path.send(at(number), datagram(number, 100));
      if (path.counters.overflowed === overflowed && lost.has(number)) expected++;
    }
    expect(path.counters.overflowed).toBeGreaterThan(300);
    expect(path.counters.lost).toBe(expected);
  });
});

test('every datagram is delivered, lost, overflowed or in flight, in any configuration', () => {
  const share = fc.constantFrom('0%', '3%', '50%', '99%');
  const words = fc.record({
    loss: share,
    dup: share,
    corrupt: share,
    burst: fc.constantFrom('1', '5'),
    delay: fc.constantFrom('0ms', '30ms'),
    jitter: fc.constantFrom('0ms', '50ms'),
    order: fc.constantFrom('free', 'kept'),
    rate: fc.constantFrom('0bit', '300kbit', '5mbit'),
    queue: fc.constantFrom('0ms', '40ms'),
    seed: fc.integer({ min: 0, max: 1_000 }).map(String),
  });
  fc.assert(
    fc.property(words, fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 100 }), (specification, gaps) => {
      const text = Object.entries(specification).map(([name, value]) => `${name}=${value}`);
      const path = new Link(link(text.join(' ')), 'forward');
      let now = 0;
      let delivered = 0;
      for (const [number, gap] of gaps.entries()) {
        now += at(gap);
        while (path.pollDelivery(instant(now))) delivered++;
        path.send(instant(now), datagram(number, 500));
        const { counters } = path;
        expect(counters.delivered).toBe(delivered);
        expect(counters.offered + counters.duplicated).toBe(
          counters.delivered + counters.lost + counters.overflowed + counters.inFlight,
        );
      }
      delivered += deliveries(path).length;
      expect(path.counters).toMatchObject({ offered: gaps.length, delivered, inFlight: 0 });
    }),
  );
});
