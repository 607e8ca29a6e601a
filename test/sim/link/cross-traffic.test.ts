import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import { Link } from '../../../sim/link/link.ts';
import { formatLinkSpecification } from '../../../sim/link/link-format.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { link } from '../../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** Sends a datagram each 20 ms, and returns the delay of each, milliseconds; `undefined` for a lost one. */
function delays(
  words: string,
  untilMs: number,
  direction = 'forward',
): { readonly path: Link; readonly ms: (number | undefined)[] } {
  const path = new Link(link(words), direction);
  const ms: (number | undefined)[] = [];
  const take = (end: number) => {
    for (let next = path.pollTimeout(); next !== undefined && next < milliseconds(end); next = path.pollTimeout()) {
      const datagram = path.pollDelivery(next);
      if (datagram) ms[new DataView(datagram.buffer).getUint32(0)] = next / 1_000;
    }
  };
  for (let sent = 0; sent * 20 < untilMs; sent++) {
    take(sent * 20);
    const datagram = new Uint8Array(172);
    new DataView(datagram.buffer).setUint32(0, sent);
    path.send(at(sent * 20), datagram);
  }
  take(untilMs + 1_000);
  return { path, ms: Array.from(ms, (arrived, sent) => (arrived === undefined ? undefined : arrived - sent * 20)) };
}

const meanOf = (values: readonly (number | undefined)[]): number => {
  const known = values.filter((value) => value !== undefined);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
};

test('a download fills the queue that the datagrams of callers wait in', () => {
  const alone = delays('rate=6mbit delay=20ms queue=300ms', 10_000);
  const beside = delays('rate=6mbit delay=20ms queue=300ms cross=tcp-cubic', 10_000);
  expect(meanOf(alone.ms)).toBeLessThan(21);
  expect(meanOf(beside.ms.slice(250))).toBeGreaterThan(150);
});

test('under fq-codel the download has a queue of its own', () => {
  const { ms } = delays('rate=6mbit delay=20ms queue=300ms qdisc=fq-codel cross=tcp-cubic', 10_000);
  // 200 bytes, behind at most one segment in transmission.
  expect(Math.max(...ms.map((value) => value ?? 0))).toBeLessThan(20 + 0.3 + 2.1);
});

test('a constant stream takes its rate, and the remaining capacity determines the wait', () => {
  const { ms } = delays('rate=2mbit queue=1s cross=1mbit', 4_000);
  expect(meanOf(ms)).toBeLessThan(8);
});

test('counters are of the callers alone, and always balance', () => {
  for (const qdisc of ['', 'qdisc=codel', 'qdisc=fq-codel', 'qdisc=dualpi2']) {
    const { path } = delays(`rate=2mbit queue=30ms cross=tcp-reno ${qdisc}`, 4_000);
    const { offered, duplicated, delivered, lost, overflowed, inFlight } = path.counters;
    expect(offered).toBe(200);
    expect(offered + duplicated).toBe(delivered + lost + overflowed + inFlight);
    expect(inFlight).toBe(0);
  }
});

test('does not change which datagrams the loss stage drops', () => {
  const lossesOf = (words: string): number[] => {
    const { ms } = delays(`loss=20% rate=20mbit queue=60s ${words} seed=5`, 3_000);
    return Array.from(ms, (value, sent) => (value === undefined ? sent : -1)).filter((sent) => sent >= 0);
  };
  expect(lossesOf('cross=500kbit')).toEqual(lossesOf(''));
  expect(lossesOf('')).not.toHaveLength(0);
});

test('begins and ends with changes of the link, and does not affect the way back', () => {
  const { ms } = delays('rate=6mbit queue=300ms delay=10ms at 3s: cross=tcp-cubic at 6s: cross=none', 9_000);
  expect(meanOf(ms.slice(0, 150))).toBeLessThan(11);
  expect(meanOf(ms.slice(200, 300))).toBeGreaterThan(30);
  expect(meanOf(ms.slice(330))).toBeLessThan(11);
  expect(meanOf(delays('rate=6mbit queue=300ms delay=10ms cross=tcp-cubic', 3_000, 'back').ms)).toBeLessThan(11);
});

test('its word is parsed, formatted, and explained when it is invalid', () => {
  const written = (text: string): string => {
    const read = parseLinkSpecification(text);
    return read.ok ? formatLinkSpecification(read.value) : read.malformed;
  };
  expect(written('rate=6mbit cross=tcp-bbr')).toBe('rate=6000000bit queue=200ms cross=tcp-bbr seed=1');
  expect(written('rate=6mbit cross=2mbit')).toBe('rate=6000000bit queue=200ms cross=2000000bit seed=1');
  expect(written('cross=tcp-vegas')).toBe(
    `'cross=tcp-vegas': expected tcp-reno, tcp-cubic, tcp-bbr, a bit rate such as 2mbit, or none`,
  );
  expect(written('cross=none')).toBe('seed=1');
});
