import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds, seconds } from '../../../../protocol/base/units.ts';
import { CE, ECT_0 } from '../../../../protocol/ecn.ts';
import { Link } from '../../../../sim/link/link.ts';
import { link } from '../../../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
/** 972 bytes and 28 of headers: 1 ms at 8 Mb/s. */
const DATAGRAM = new Uint8Array(972);

/** Drops of a link that gets a datagram each `everyMs`, milliseconds. */
function dropsOf(words: string, everyMs: number, untilMs: number): { readonly at: number; readonly waited: number }[] {
  const path = new Link(link(words), 'forward', { reports: 'all' });
  const drops = [];
  for (let ms = 0; ms < untilMs; ms += everyMs) {
    path.send(at(ms), DATAGRAM);
    while (path.pollDelivery(at(ms)));
    for (let outcome = path.pollOutcome(); outcome; outcome = path.pollOutcome()) {
      if (outcome.fate === 'overflowed') drops.push({ at: outcome.at / 1_000, waited: outcome.waited / 1_000 });
    }
  }
  return drops;
}

const OVERLOADED = 'rate=8mbit queue=60s qdisc=codel';

test('drops nothing while the queueing delay stays below the target', () => {
  // Four at once, every 4 ms: the last one waits 3 ms.
  const path = new Link(link(OVERLOADED), 'forward');
  for (let ms = 0; ms < 4_000; ms += 4) {
    for (let k = 0; k < 4; k++) path.send(at(ms), DATAGRAM);
    while (path.pollDelivery(at(ms)));
  }
  expect(path.counters).toMatchObject({ offered: 4_000, overflowed: 0 });
});

test('drops first when the delay has been above the target for an interval', () => {
  // The delay grows by 0.2 ms with each datagram: 5 ms at 25 ms, and the first drop an interval later.
  const [first] = dropsOf(OVERLOADED, 0.8, 500);
  expect(first!.at).toBeGreaterThan(100 + 5);
  expect(first!.at).toBeLessThan(100 + 30);
});

test('drops at times interval/√count apart while the delay persists', () => {
  const drops = dropsOf(OVERLOADED, 0.8, 3_000);
  for (let count = 1; count < 30; count++) {
    const apart = drops[count]!.at - drops[0]!.at;
    let predicted = 0;
    for (let k = 1; k <= count; k++) predicted += 100 / Math.sqrt(k);
    // The line chooses a datagram every millisecond.
    expect(Math.abs(apart - predicted)).toBeLessThanOrEqual(1.001);
  }
});

test('drops from the head: the dropped datagram has waited as long as the queue', () => {
  for (const { waited } of dropsOf(OVERLOADED, 0.8, 1_000)) expect(waited).toBeGreaterThan(5);
});

test('stops as soon as the delay is below the target', () => {
  const path = new Link(link(OVERLOADED), 'forward', { reports: 'all' });
  for (let ms = 0; ms < 400; ms += 0.8) path.send(at(ms), DATAGRAM);
  path.pollDelivery(instant(seconds(10)));
  const before = path.counters.overflowed;
  for (let ms = 10_000; ms < 12_000; ms += 2) {
    path.send(at(ms), DATAGRAM);
    while (path.pollDelivery(at(ms)));
  }
  expect(before).toBeGreaterThan(0);
  expect(path.counters.overflowed).toBe(before);
});

test('marks ECN-capable datagrams instead of dropping them', () => {
  const path = new Link(link(OVERLOADED), 'forward');
  let marked = 0;
  for (let ms = 0; ms < 1_000; ms += 0.8) {
    path.send(at(ms), DATAGRAM, { ecn: ECT_0 });
    while (path.pollDelivery(at(ms))) if (path.deliveredEcn === CE) marked++;
  }
  expect(path.counters.overflowed).toBe(0);
  expect(marked).toBeGreaterThan(5);
  expect(path.stageCounters.marked).toBe(marked);
});

test('drops ECN-capable datagrams with ecn=off', () => {
  const path = new Link(link('rate=8mbit queue=60s qdisc=codel(ecn=off)'), 'forward');
  for (let ms = 0; ms < 1_000; ms += 0.8) path.send(at(ms), DATAGRAM, { ecn: ECT_0 });
  expect(path.counters.overflowed).toBeGreaterThan(5);
  expect(path.stageCounters.marked).toBe(0);
});
