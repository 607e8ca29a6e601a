import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../../protocol/base/units.ts';
import { Link } from '../../../../sim/link/link.ts';
import { CapacityCursor, parseCapacityTrace } from '../../../../sim/link/stages/capacity-trace.ts';
import { link } from '../../../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

const datagram = (number: number, bytes = 972): Uint8Array => {
  const content = new Uint8Array(bytes);
  new DataView(content.buffer).setUint16(0, number);
  return content;
};
const numberOf = (content: Uint8Array): number => (content[0]! << 8) | content[1]!;

function deliveries(path: Link): [number: number, at: number][] {
  const delivered: [number, number][] = [];
  for (let next = path.pollTimeout(); next !== undefined; next = path.pollTimeout()) {
    for (let content = path.pollDelivery(next); content; content = path.pollDelivery(next)) {
      delivered.push([numberOf(content), next]);
    }
  }
  return delivered;
}

const numbers = (path: Link): number[] => deliveries(path).map(([number]) => number);

function trace(text: string, bytes?: number) {
  const content = parseCapacityTrace('test', text.replaceAll(' ', '\n'), bytes);
  if (!content.ok) throw new Error(content.malformed);
  return content.value;
}

describe('bottleneck queue', () => {
  // 972 bytes and 28 of headers take 8 ms at 1 Mb/s. The first is in transmission and does not wait.
  test('limited in datagrams drops the fourth, and has room again when one starts to leave', () => {
    const path = new Link(link('rate=1mbit queue=2p'), 'forward');
    for (const number of [0, 1, 2, 3]) path.send(instant(0), datagram(number));
    path.send(at(8), datagram(4));
    expect(numbers(path)).toEqual([0, 1, 2, 4]);
  });

  test('limited in bytes accepts a small datagram where a large one does not fit', () => {
    const path = new Link(link('rate=1mbit queue=1500b'), 'forward');
    for (const number of [0, 1]) path.send(instant(0), datagram(number));
    path.send(instant(0), datagram(2));
    path.send(instant(0), datagram(3, 472));
    expect(numbers(path)).toEqual([0, 1, 3]);
    expect(path.counters).toMatchObject({ overflowed: 1 });
  });

  test('applies the tightest of several limits', () => {
    const path = new Link(link('rate=1mbit queue=8ms/1MB/5p'), 'forward');
    for (const number of [0, 1, 2]) path.send(instant(0), datagram(number));
    expect(numbers(path)).toEqual([0, 1]);
  });

  test('counts correctly over many datagrams', () => {
    const path = new Link(link('rate=1mbit queue=1p'), 'forward');
    // Two per 16 ms: one is sent, one waits and is sent next.
    for (let number = 0; number < 1_000; number += 2) {
      path.send(at(number * 8), datagram(number));
      path.send(at(number * 8), datagram(number + 1));
    }
    expect(path.counters.overflowed).toBe(0);
    path.send(at(1_000 * 8), datagram(0));
    path.send(at(1_000 * 8), datagram(0));
    path.send(at(1_000 * 8), datagram(0));
    expect(path.counters.overflowed).toBe(1);
  });
});

describe('capacity trace', () => {
  const over = (text: string, bytes = 1_000, words = 'queue=10s') =>
    new Link({ ...link(words), capacity: trace(text, bytes) }, 'forward');

  test('sends one datagram per opportunity, in a loop', () => {
    const path = over('2 5 5 10');
    for (let number = 0; number < 7; number++) path.send(instant(0), datagram(number));
    expect(deliveries(path).map(([, when]) => when)).toEqual([2, 5, 5, 10, 12, 15, 15].map(at));
  });

  test('loses an opportunity with nothing queued', () => {
    const path = over('2 5 5 10');
    path.send(at(3), datagram(0));
    path.send(instant(at(5) + 1), datagram(1));
    path.send(at(27), datagram(2));
    expect(deliveries(path).map(([, when]) => when)).toEqual([5, 10, 30].map(at));
  });

  test('small datagrams share an opportunity, and a large one uses several', () => {
    const path = over('1 2 3 4');
    for (const number of [0, 1]) path.send(instant(0), datagram(number, 472));
    path.send(instant(0), datagram(2, 1_972));
    expect(deliveries(path).map(([, when]) => when)).toEqual([1, 1, 3].map(at));
  });

  test('capacity left in an opportunity is not available later', () => {
    const path = over('1 2 3 4');
    path.send(instant(0), datagram(0, 472));
    path.send(instant(at(1) + 1), datagram(1, 472));
    expect(deliveries(path).map(([, when]) => when)).toEqual([1, 2].map(at));
  });

  test('the time limit of the queue applies to the wait for the opportunity', () => {
    const path = over('10', 1_000, 'queue=15ms');
    for (const number of [0, 1, 2]) path.send(instant(0), datagram(number));
    expect(numbers(path)).toEqual([0]);
  });

  test('starts with the link, on any clock', () => {
    const startsAt = at(1e9);
    const path = new Link({ ...link(''), capacity: trace('2 5') }, 'forward', { startsAt: startsAt });
    path.send(instant(startsAt + at(3)), datagram(0));
    expect(path.pollTimeout()).toBe(startsAt + at(5));
  });

  test('the cursor agrees with a linear walk over all opportunities', () => {
    const opportunities = [0, 0, 3, 7, 7, 8, 20];
    const walk = Array.from({ length: 40 }, (_, round) =>
      opportunities.map((time) => milliseconds(round * 20 + time)),
    ).flat();
    const recorded = trace(opportunities.join(' '), 1_000);
    for (let gap = 1; gap < 40; gap++) {
      const cursor = new CapacityCursor(recorded, instant(0));
      let next = 0;
      for (let now = 0; now < at(500) && walk[next]! < at(700); now += gap * 700) {
        while (walk[next]! < now) next++;
        expect(cursor.begins(instant(now))).toBe(walk[next]);
        expect(cursor.take(1_000)).toBe(walk[next++]);
      }
    }
  });

  test.each([
    ['', 'empty: expected one whole number of milliseconds per line'],
    ['0\n0\n', 'the last time is 0, so the trace has no length'],
    ['1\nx\n', "line 2: 'x' is not a whole number of milliseconds"],
    ['1\n-2\n', "line 2: '-2' is not a whole number of milliseconds"],
    ['5\n\n4', 'line 3: 4 follows 5; times must not decrease'],
  ])('rejects %j with a reason', (text, message) => {
    expect(parseCapacityTrace('x', text)).toEqual({ ok: false, malformed: message });
  });
});

describe('jitter', () => {
  const delays = (specification: string, count = 20_000): number[] => {
    const path = new Link(link(specification), 'forward');
    for (let number = 0; number < count; number++) path.send(at(number * 200), datagram(number, 4));
    return deliveries(path).map(([number, when]) => when - at(number * 200));
  };
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const deviation = (values: readonly number[]) => {
    const center = mean(values);
    return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
  };

  test('symmetric has the delay as its mean, and deviates by at most the jitter', () => {
    const seen = delays('delay=40ms±5ms seed=3');
    expect(Math.abs(mean(seen) - at(40))).toBeLessThan((2.58 * at(5)) / Math.sqrt(3 * seen.length));
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(at(35));
    expect(Math.max(...seen)).toBeLessThanOrEqual(at(45));
  });

  test.each(['normal', 'pareto'])('%s has the delay as mean and the jitter as standard deviation', (distribution) => {
    const seen = delays(`delay=100ms jitter=5ms dist=${distribution} seed=3`);
    // The tail of the Pareto table is cut off, which reduces the deviation by a tenth.
    expect(Math.abs(mean(seen) - at(100))).toBeLessThan(at(0.25));
    expect(Math.abs(deviation(seen) - at(5))).toBeLessThan(at(0.6));
  });

  test('quantiles give the stated share of the datagrams at most the stated delay', () => {
    const seen = delays('delay=20ms quantiles=0ms@0%/2ms@50%/10ms@90%/50ms@100% seed=3');
    const share = (ms: number) => seen.filter((delay) => delay <= at(20 + ms)).length / seen.length;
    const off = (expected: number) => 3.3 * Math.sqrt((expected * (1 - expected)) / seen.length);
    for (const [ms, expected] of [
      [1, 0.25],
      [2, 0.5],
      [6, 0.7],
      [10, 0.9],
      [30, 0.95],
    ] as const) {
      expect(Math.abs(share(ms) - expected)).toBeLessThan(off(expected));
    }
    expect(share(50)).toBe(1);
  });

  test('no datagram arrives before it was sent, even with a large jitter', () => {
    for (const distribution of ['symmetric', 'normal', 'pareto']) {
      expect(Math.min(...delays(`delay=1ms jitter=20ms dist=${distribution}`, 2_000))).toBe(0);
    }
  });

  test('fifo-jitter keeps the order, and jitter added to it still reorders', () => {
    const path = (words: string) => {
      const sent = new Link(link(`delay=20ms seed=3 ${words}`), 'forward');
      for (let number = 0; number < 500; number++) sent.send(at(number), datagram(number, 4));
      return deliveries(sent);
    };
    const ascending = Array.from({ length: 500 }, (_, number) => number);
    const fifo = path('fifo-jitter=15ms');
    expect(fifo.map(([number]) => number)).toEqual(ascending);
    expect(new Set(fifo.map(([number, when]) => when - at(number))).size).toBeGreaterThan(50);
    expect(path('fifo-jitter=15ms jitter=15ms').map(([number]) => number)).not.toEqual(ascending);
  });
});

describe('slip', () => {
  const slipped = (words: string, count: number, every = 1): Link => {
    const path = new Link(link(words), 'forward');
    for (let number = 0; number < count; number++) path.send(at(number * every), datagram(number, 4));
    return path;
  };

  test('delivers a slipped datagram right after the third later one', () => {
    const path = slipped('slip=2%/3 delay=10ms seed=8', 300);
    const seen = numbers(path);
    const { slipped: count } = path.stageCounters;
    expect(count).toBeGreaterThan(0);
    const displaced = seen.filter((number, place) => (seen[place - 1] ?? -1) > number);
    expect(displaced).toHaveLength(count);
    for (const number of displaced) expect(seen[seen.indexOf(number) - 1]).toBe(number + 3);
  });

  test('keeps the order when all datagrams slip', () => {
    expect(numbers(slipped('slip=100%/3', 50))).toEqual(Array.from({ length: 50 }, (_, number) => number));
  });

  test('releases a datagram without successors after 100 ms', () => {
    const path = slipped('slip=100%/3 delay=10ms', 1);
    expect(path.counters).toMatchObject({ inFlight: 1 });
    expect(path.pollTimeout()).toBe(milliseconds(110));
    expect(path.pollDelivery(instant(at(110) - 1))).toBeUndefined();
    expect(path.pollDelivery(at(110))).toBeDefined();
    expect(path.counters).toMatchObject({ inFlight: 0, delivered: 1 });
  });
});

test('an outage loses everything, and is counted apart from other losses', () => {
  const path = new Link(link('outage=10ms-20ms/30ms-31ms drop=1'), 'forward');
  for (let number = 0; number < 40; number++) path.send(at(number), datagram(number));
  const away = [0, ...Array.from({ length: 10 }, (_, index) => 10 + index), 30];
  expect(numbers(path)).toEqual(Array.from({ length: 40 }, (_, number) => number).filter((n) => !away.includes(n)));
  expect(path.counters.lost).toBe(12);
  expect(path.stageCounters).toMatchObject({ lostByLoss: 1, lostInOutages: 11 });
});

describe('position of the loss', () => {
  // Each takes 8 ms; every other one is lost.
  const passed = (position: string) => {
    const path = new Link(link(`rate=1mbit drop=1/3 position=${position} queue=1s`), 'forward');
    for (let number = 0; number < 4; number++) path.send(instant(0), datagram(number));
    return deliveries(path);
  };

  test('after the bottleneck, lost datagrams use capacity', () => {
    expect(passed('post')).toEqual([
      [1, at(16)],
      [3, at(32)],
    ]);
  });

  test('before the bottleneck, lost datagrams use no capacity', () => {
    expect(passed('pre')).toEqual([
      [1, at(8)],
      [3, at(16)],
    ]);
  });

  test('a timed loss applies when the datagram reaches the loss stage', () => {
    const specification = 'rate=1mbit outage=20ms-40ms queue=1s';
    const sent = (position: string) => {
      const path = new Link(link(`${specification} position=${position}`), 'forward');
      for (let number = 0; number < 6; number++) path.send(instant(0), datagram(number));
      return numbers(path);
    };
    expect(sent('pre')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(sent('post')).toEqual([0, 1, 5 - 1, 5].filter((number) => number < 2 || number * 8 + 8 >= 40));
  });
});

describe('duplicates', () => {
  test('are corrupted independently', () => {
    const path = new Link(link('dup=100% corrupt=50% seed=6'), 'forward');
    for (let number = 0; number < 200; number++) path.send(instant(0), datagram(number));
    const whole = new Map<string, number>();
    for (let number = 0; number < 200; number++) {
      const copies = [path.pollDelivery(instant(0))!, path.pollDelivery(instant(0))!];
      const intact = copies.map((copy) => copy.every((byte, index) => byte === datagram(number)[index])).join();
      whole.set(intact, (whole.get(intact) ?? 0) + 1);
    }
    expect([...whole.keys()].sort()).toEqual(['false,false', 'false,true', 'true,false', 'true,true']);
  });
});

describe('timed changes', () => {
  test('apply to datagrams sent from their time on', () => {
    const path = new Link(link('delay=10ms at 20ms: delay=50ms at 40ms: delay=5ms'), 'forward');
    for (const ms of [0, 19, 20, 39, 40]) path.send(at(ms), datagram(ms));
    const arrived = new Map(deliveries(path));
    expect([0, 19, 20, 39, 40].map((ms) => arrived.get(ms))).toEqual([10, 29, 70, 89, 45].map(at));
  });

  test('count from the start of the link, on any clock', () => {
    const startsAt = at(5_000_000);
    const path = new Link(link('loss=0% at 10ms: loss=100%'), 'forward', { startsAt: startsAt });
    expect(path.send(instant(startsAt + at(9)), datagram(0))).toBe('carried');
    expect(path.send(instant(startsAt + at(10)), datagram(1))).toBe('lost');
  });

  test('do not restart the random streams', () => {
    const lost = (words: string) => {
      const path = new Link(link(`loss=20% seed=5 ${words}`), 'forward');
      return Array.from({ length: 400 }, (_, number) => path.send(at(number), datagram(number)));
    };
    const changed = lost('at 100ms: loss=0% at 200ms: loss=20%');
    expect(changed.slice(0, 100)).toEqual(lost('').slice(0, 100));
    expect(changed.slice(100, 200)).not.toContain('lost');
    // Independent losses have no memory, so the path after the gap is the same again.
    expect(changed.slice(201)).toEqual(lost('').slice(201));
  });

  test('can be made by the caller as well', () => {
    const path = new Link(link('rate=1mbit'), 'forward');
    path.send(instant(0), datagram(0));
    path.reconfigure(at(1), link('rate=2mbit delay=1ms loss=0%'));
    path.send(at(1), datagram(1));
    expect(deliveries(path)).toEqual([
      [0, at(8)],
      [1, at(8 + 4 + 1)],
    ]);
  });
});
