import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import { asSequence, wireSequence } from '../../../protocol/rtp/sequence.ts';
import { PathHealth } from '../../../sender/paths/path-health.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** Sends packets `first` to `last` at one instant, in turns from path 0 on. */
function send(health: PathHealth, ms: number, first: number, last: number): void {
  for (let sequence = first; sequence <= last; sequence++) {
    const path = (sequence - first) % 2;
    if (health.isUp(path)) health.onMedia(at(ms), path, asSequence(sequence));
  }
}

/** Reports the newest packet and the number of datagrams of each path. */
const report = (health: PathHealth, ms: number, ...paths: [newest: number, datagrams: number][]) => {
  const [first, second] = paths.map(([newest, datagrams]) => ({ newest: wireSequence(newest), datagrams }));
  health.onReport(at(ms), { paths: [first!, second!] });
};

describe.each([0, 65_530])('from sequence number %i', (start) => {
  const wire = (number: number) => (start + number) & 0xffff;

  /** Six frames of eight packets every 100 ms, all of which arrive. */
  function healthy(): PathHealth {
    const health = new PathHealth(start);
    for (let frame = 0; frame < 6; frame++) {
      send(health, frame * 100, start + frame * 8, start + frame * 8 + 7);
      const count = (frame + 1) * 4;
      report(health, frame * 100 + 50, [wire(frame * 8 + 6), count], [wire(frame * 8 + 7), count]);
    }
    return health;
  }

  test('both paths are up while their packets arrive', () => {
    expect(healthy().isSplit).toBe(true);
  });

  test('a path is down when three of its packets are missing behind a later one of the other path', () => {
    const health = healthy();
    send(health, 600, start + 48, start + 55);
    report(health, 650, [wire(46), 24], [wire(55), 28]);
    expect(health.isSplit, 'packets that left at the same time may still arrive').toBe(true);
    send(health, 700, start + 56, start + 63);
    report(health, 750, [wire(46), 24], [wire(63), 32]);
    expect([health.isUp(0), health.isUp(1)]).toEqual([false, true]);
  });

  test('a lost packet alone does not put a path down', () => {
    const health = healthy();
    send(health, 600, start + 48, start + 51);
    send(health, 700, start + 52, start + 55);
    report(health, 750, [wire(48), 25], [wire(55), 28]);
    expect(health.isSplit).toBe(true);
  });

  test('the slower of two paths stays up while its packets are on the way', () => {
    const health = new PathHealth(start);
    // Packets of path 1 arrive 40 ms after those of path 0; reports come in between.
    for (let frame = 0; frame < 30; frame++) {
      send(health, frame * 20, start + frame * 8, start + frame * 8 + 7);
      const behind = Math.max(-1, (frame - 2) * 8 + 7);
      report(health, frame * 20 + 20, [wire(frame * 8 + 6), frame], [wire(behind), frame]);
      expect(health.isSplit, `after frame ${frame}`).toBe(true);
    }
  });

  test('a path that is down is probed every 100 ms, and used again after three arrivals', () => {
    const health = healthy();
    send(health, 600, start + 48, start + 55);
    send(health, 700, start + 56, start + 63);
    report(health, 750, [wire(46), 24], [wire(63), 32]);
    expect(health.isUp(0)).toBe(false);
    expect(health.pollTimeout()).toBe(at(850));
    expect(health.pollProbe(at(849))).toBeUndefined();
    expect(health.pollProbe(at(850))).toBe(0);
    expect(health.pollTimeout()).toBe(at(950));
    report(health, 900, [wire(46), 25], [wire(63), 40]);
    expect(health.isUp(0)).toBe(false);
    // An earlier report that was overtaken.
    report(health, 901, [wire(46), 24], [wire(63), 38]);
    report(health, 1_050, [wire(46), 27], [wire(63), 50]);
    expect(health.isSplit).toBe(true);
    expect(health.pollTimeout()).toBeUndefined();
  });
});

test('one of two paths is always up', () => {
  const health = new PathHealth(0);
  send(health, 0, 0, 7);
  send(health, 200, 8, 15);
  report(health, 250, [0xffff, 0], [15, 8]);
  expect([health.isUp(0), health.isUp(1)]).toEqual([false, true]);
  for (let ms = 300; ms < 900; ms += 100) health.onMedia(at(ms), 1, asSequence(ms));
  report(health, 950, [0xffff, 0], [15, 8]);
  expect([health.isUp(0), health.isUp(1)]).toEqual([false, true]);
});

test('a report of a packet that was never sent changes nothing', () => {
  const health = new PathHealth(0);
  send(health, 0, 0, 7);
  report(health, 50, [6, 4], [9_000, 4]);
  send(health, 200, 8, 15);
  report(health, 250, [6, 4], [9_001, 8]);
  expect(health.isSplit).toBe(true);
});

test('the path that is proved first is up at once, and the other one when datagrams have arrived by it', () => {
  const health = new PathHealth(0, { areProved: false });
  expect([health.isUp(0), health.isUp(1), health.pollTimeout()]).toEqual([false, false, undefined]);
  health.onProved(at(10), 1);
  expect([health.isUp(0), health.isUp(1)]).toEqual([false, true]);
  health.onProved(at(20), 0);
  expect(health.isSplit).toBe(false);
  expect(health.pollProbe(at(20))).toBe(0);
  report(health, 50, [0xffff, 0], [0xffff, 0]);
  report(health, 350, [0xffff, 3], [7, 8]);
  expect(health.isSplit).toBe(true);
});

test('a path without an address is neither used nor probed until it is proved again', () => {
  const health = new PathHealth(0);
  report(health, 50, [0xffff, 0], [0xffff, 0]);
  health.onRevoked(0);
  report(health, 100, [0xffff, 9], [0xffff, 9]);
  expect([health.isUp(0), health.isUp(1), health.pollProbe(at(1_000))]).toEqual([false, true, undefined]);
  health.onRevoked(1);
  expect([health.isUp(0), health.isUp(1)]).toEqual([false, false]);
  health.onProved(at(2_000), 0);
  expect(health.isUp(0)).toBe(true);
});
