import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../../protocol/base/units.ts';
import { ECT_1, type Ecn } from '../../../../protocol/ecn.ts';
import { Link } from '../../../../sim/link/link.ts';
import { formatLinkSpecification } from '../../../../sim/link/link-format.ts';
import { parseLinkSpecification } from '../../../../sim/link/link-parse.ts';
import { parseCapacityTrace } from '../../../../sim/link/stages/capacity-trace.ts';
import { link } from '../../../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const DISCIPLINES = ['codel', 'fq-codel', 'dualpi2'] as const;

/** Times and numbers of all deliveries until nothing is left. */
function deliveries(path: Link): { readonly ms: number; readonly number: number }[] {
  const seen = [];
  for (let next = path.pollTimeout(); next !== undefined; next = path.pollTimeout()) {
    const datagram = path.pollDelivery(next);
    if (datagram) seen.push({ ms: next / 1_000, number: datagram[0]! });
  }
  return seen;
}

const numbered = (number: number, bytes = 972): Uint8Array => new Uint8Array(bytes).fill(number);

describe.each(DISCIPLINES)('%s', (discipline) => {
  const words = `qdisc=${discipline}`;

  test('below saturation delivers exactly what tail drop delivers', () => {
    const all = ['', words].map((extra) => {
      const path = new Link(link(`rate=8mbit delay=20ms jitter=4ms loss=5% dup=5% seed=3 ${extra}`), 'forward');
      for (let k = 0; k < 200; k++) path.send(at(k * 1.5), numbered(k));
      return deliveries(path);
    });
    expect(all[1]).toEqual(all[0]);
  });

  test('respects each limit of the queue', () => {
    // 1 ms a datagram: the 11th of a burst would wait 10 ms; ten datagrams wait behind the one in transmission.
    for (const limit of ['10ms', '10p', '10kB']) {
      const path = new Link(link(`rate=8mbit queue=${limit} ${words}`), 'forward');
      for (let k = 0; k < 40; k++) path.send(at(0), numbered(k));
      expect(path.counters.overflowed).toBeGreaterThanOrEqual(29);
      const { offered, overflowed } = path.counters;
      expect(deliveries(path).length).toBe(offered - overflowed);
    }
  });

  test('follows a trace of delivery opportunities', () => {
    const trace = parseCapacityTrace('t', '0\n1\n2\n3\n9\n', 1_000);
    if (!trace.ok) throw new Error(trace.malformed);
    const specification = { ...link(`rate=8mbit queue=600ms ${words}`), rate: 0, capacity: trace.value };
    const path = new Link(specification, 'forward');
    for (let k = 0; k < 6; k++) path.send(at(0.1), numbered(k));
    expect(deliveries(path).map(({ ms }) => ms)).toEqual([1, 2, 3, 9, 9, 10]);
  });

  test('follows a change of the rate, also for queued datagrams', () => {
    const path = new Link(link(`rate=8mbit queue=1s ${words} at 2500us: rate=4mbit`), 'forward');
    for (let k = 0; k < 5; k++) path.send(at(0), numbered(k));
    expect(deliveries(path).map(({ ms }) => ms)).toEqual([1, 2, 3, 5, 7]);
  });

  test('can be replaced while datagrams wait, and loses none', () => {
    const path = new Link(link(`rate=8mbit queue=1s ${words}`), 'forward');
    for (let k = 0; k < 9; k++) path.send(at(0), numbered(k));
    path.reconfigure(at(2.5), link('rate=8mbit queue=1s'));
    path.send(at(2.5), numbered(9));
    path.reconfigure(at(3.5), link('rate=8mbit queue=1s qdisc=codel'));
    path.send(at(3.5), numbered(10));
    const seen = deliveries(path);
    expect(seen.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(seen.map(({ ms }) => ms)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('accounts for every datagram, whatever is sent', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            gapUs: fc.integer({ min: 0, max: 4_000 }),
            bytes: fc.integer({ min: 1, max: 1_400 }),
            flow: fc.integer({ min: 0, max: 3 }),
            ecn: fc.integer({ min: 0, max: 3 }),
          }),
          { maxLength: 300 },
        ),
        fc.constantFrom('10ms', '200ms', '5p', '4kB'),
        (sent, limit) => {
          const path = new Link(link(`rate=3mbit loss=4% dup=4% slip=3%/2 queue=${limit} ${words}`), 'forward', {
            reports: 'all',
          });
          let [now, outcomes, delivered] = [0, 0, 0];
          const count = () => {
            for (let outcome = path.pollOutcome(); outcome; outcome = path.pollOutcome()) {
              expect(outcome.waited).toBeGreaterThanOrEqual(0);
              outcomes++;
            }
          };
          for (const { gapUs, bytes, flow, ecn } of sent) {
            now += gapUs;
            path.send(instant(now), new Uint8Array(bytes), { flow, ecn: ecn as Ecn });
            while (path.pollDelivery(instant(now))) delivered++;
            const { offered, duplicated, lost, overflowed, inFlight } = path.counters;
            expect(offered + duplicated).toBe(delivered + lost + overflowed + inFlight);
          }
          delivered += deliveries(path).length;
          count();
          expect(outcomes).toBe(sent.length);
          const { offered, duplicated, lost, overflowed, inFlight } = path.counters;
          expect(inFlight).toBe(0);
          expect(offered + duplicated).toBe(delivered + lost + overflowed);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('returns `queued` on sending, and reports the fate later', () => {
    const path = new Link(link(`rate=8mbit queue=3ms ${words}`), 'forward', { reports: 'queued' });
    const fates = Array.from({ length: 6 }, (_, k) => path.send(at(0), numbered(k)));
    expect(fates.filter((fate) => fate === 'queued').length).toBeGreaterThanOrEqual(4);
    deliveries(path);
    const outcomes = [];
    for (let outcome = path.pollOutcome(); outcome; outcome = path.pollOutcome()) outcomes.push(outcome.fate);
    const overflowedAtOnce = fates.filter((fate) => fate === 'overflowed').length;
    expect(outcomes.length).toBe(6 - overflowedAtOnce);
  });
});

test('the ECN bits and the flow of a datagram pass through every stage', () => {
  for (const words of [
    '',
    'delay=20ms jitter=9ms',
    'slip=50%/2 delay=3ms',
    'dup=50%',
    'netem="delay 10ms 3ms duplicate 30%"',
    'rate=8mbit qdisc=fq-codel',
  ]) {
    const path = new Link(link(words), 'forward');
    for (let k = 0; k < 50; k++) path.send(at(k * 5), numbered(k), { ecn: (k % 3) as Ecn, flow: k });
    let seen = 0;
    for (let next = path.pollTimeout(); next !== undefined; next = path.pollTimeout()) {
      const datagram = path.pollDelivery(next);
      if (!datagram) continue;
      seen++;
      expect([path.deliveredEcn, path.deliveredFlow]).toEqual([datagram[0]! % 3, datagram[0]]);
    }
    expect(seen).toBeGreaterThanOrEqual(50);
  }
  expect(ECT_1).toBe(1);
});

test('the word of a discipline is parsed, formatted, and explained when it is invalid', () => {
  const written = (text: string): string => {
    const read = parseLinkSpecification(text);
    return read.ok ? formatLinkSpecification(read.value) : read.malformed;
  };
  expect(written('rate=1mbit qdisc=fq-codel(target=5ms, interval=90ms quantum=300b)')).toBe(
    'rate=1000000bit queue=200ms qdisc=fq-codel(interval=90ms quantum=300b) seed=1',
  );
  expect(written('rate=1mbit qdisc=codel at 2s: qdisc=tail-drop')).toBe(
    'rate=1000000bit queue=200ms qdisc=codel seed=1 at 2000ms: qdisc=tail-drop',
  );
  expect(written('qdisc=fqcodel')).toBe(`'qdisc=fqcodel': did you mean "fq-codel"?`);
  expect(written('qdisc=codel(ecn=maybe)')).toBe(`'qdisc=codel(ecn=maybe)': ecn=maybe: expected on or off`);
  expect(written('qdisc=dualpi2(coupling=40)')).toContain('expected a factor from 1 to 16');
  expect(written('qdisc=codel(target=1ms target=2ms)')).toContain('target is given twice');
  for (const text of ['qdisc=codel', 'qdisc=dualpi2(step=2ms coupling=4)', 'qdisc=codel(ce-threshold=1ms ecn=off)']) {
    expect(written(written(text))).toBe(written(text));
  }
});
