import { describe, expect, test } from 'vitest';
import {
  type Instant,
  instant,
  later,
  microseconds,
  milliseconds,
  seconds,
  type Ticks,
  ticks,
} from '../../../protocol/base/units.ts';
import { PlayoutClock } from '../../../receiver/frames/playout-clock.ts';

const at = milliseconds;
const LATENCY = at(120);
const newClock = (followsStalls = true) =>
  new PlayoutClock({ latency: LATENCY, mend: microseconds(0), window: at(800), followsStalls });

/** 25 frames per second. */
const FRAME = milliseconds(40);
const ticksOf = (mediaTime: number): Ticks => ticks((mediaTime * 9) / 100);

/** Frames arrive `transit` after their media time. */
function play(clock: PlayoutClock, from: Instant, to: Instant, transit: (mediaTime: Instant) => number): void {
  const arrivals: { now: Instant; media: Instant }[] = [];
  for (let media = from; media < to; media = later(media, FRAME))
    arrivals.push({ now: instant(media + transit(media)), media });
  arrivals.sort((a, b) => a.now - b.now);
  for (const { now, media } of arrivals) clock.observe(now, ticksOf(media));
}

/** Transit that the clock considers the fastest. */
const base = (clock: PlayoutClock, media: Instant): number => clock.expected(ticksOf(media)) - media;

test('a deadline is the latency after the expected arrival on the fastest path', () => {
  const clock = newClock();
  expect(clock.started).toBe(false);
  clock.observe(instant(at(70)), ticksOf(at(50)));
  expect(clock.started).toBe(true);
  expect(clock.expected(ticksOf(at(90)))).toBe(milliseconds(110));
  expect(clock.deadline(ticksOf(at(90)))).toBe(milliseconds(230));
});

test('finds the fastest transit at once at the start, since queueing only adds delay', () => {
  const clock = newClock();
  play(clock, instant(0), instant(at(400)), (media) => at(20) + Math.max(0, at(60) - media));
  expect(base(clock, instant(at(400)))).toBe(milliseconds(20));
});

test('jitter does not move the clock', () => {
  const clock = newClock();
  play(
    clock,
    instant(0),
    instant(seconds(20)),
    (media) => at(20) + (media % (8 * FRAME) === 0 ? 0 : at((media / FRAME) % 37)),
  );
  expect(Math.abs(base(clock, instant(seconds(20))) - at(20))).toBeLessThan(at(1));
});

describe('a route change', () => {
  test.each([80, -80])('by %i ms is followed within two seconds, too slowly to notice', (change) => {
    const clock = newClock();
    play(clock, instant(0), instant(seconds(10)), () => at(100));
    let last = base(clock, instant(seconds(10)));
    for (let media = seconds(10); media < seconds(12); media = microseconds(media + FRAME)) {
      clock.observe(instant(media + at(100 + change)), ticksOf(media));
      const next = base(clock, instant(media));
      expect(Math.abs(next - last)).toBeLessThanOrEqual(FRAME * 0.07 + 1);
      last = next;
    }
    expect(last).toBe(milliseconds(100 + change));
  });

  test('to a slower route is followed once the window has lost the faster one', () => {
    const clock = newClock();
    play(clock, instant(0), instant(seconds(10)), () => at(100));
    play(clock, instant(seconds(10)), instant(seconds(10) + at(600)), () => at(150));
    expect(base(clock, instant(seconds(10)))).toBe(milliseconds(100));
  });
});

describe('clock drift', () => {
  test.each([200, -200])('of %i parts per million is followed for an hour', (ppm) => {
    const clock = newClock();
    const transit = (media: Instant) => at(1_000) + (media * ppm) / 1e6;
    for (let hour = 0; hour < 60; hour++) {
      const end = seconds((hour + 1) * 60);
      play(clock, instant(seconds(hour * 60)), instant(end), transit);
      // The window's minimum is at most 0.8 s old: 160 µs of drift.
      expect(Math.abs(base(clock, instant(end)) - transit(instant(end)))).toBeLessThan(at(1));
    }
  });
});

describe('silence', () => {
  test('of minutes discards earlier measurements, without a faster slew afterwards', () => {
    const clock = newClock();
    play(clock, instant(0), instant(seconds(5)), () => at(100));
    play(clock, instant(seconds(305)), instant(seconds(306)), () => at(130));
    expect(base(clock, instant(seconds(306)))).toBe(milliseconds(130));
  });

  test('does not count as time in which a longer delay was seen', () => {
    const clock = newClock();
    play(clock, instant(0), instant(seconds(5)), () => at(100));
    clock.observe(instant(seconds(6) + at(180)), ticksOf(seconds(6)));
    expect(base(clock, instant(seconds(6)))).toBeLessThanOrEqual(at(107));
  });

  test('due to a pause of the stream moves nothing', () => {
    const clock = newClock();
    play(clock, instant(0), instant(seconds(5)), () => at(100));
    play(clock, instant(seconds(60)), instant(seconds(61)), () => at(100));
    expect(base(clock, instant(seconds(61)))).toBe(milliseconds(100));
  });
});

describe('a stall', () => {
  const stall = (clock: PlayoutClock) => {
    play(clock, instant(0), instant(seconds(5)), () => at(100));
    play(clock, instant(seconds(5)), instant(seconds(7)), () => at(3_100));
  };

  test('that makes everything late moves media time within a second', () => {
    const clock = newClock();
    stall(clock);
    expect(base(clock, instant(seconds(7)))).toBe(milliseconds(3_100));
  });

  test('leaves no delay behind: the clock returns with the first packet that is as fast as before', () => {
    const clock = newClock();
    play(clock, instant(0), instant(seconds(5)), () => at(100));
    play(clock, instant(seconds(5)), instant(seconds(9)), () => at(550));
    expect(base(clock, instant(seconds(9)))).toBe(milliseconds(550));
    clock.observe(instant(seconds(9) + at(300)), ticksOf(seconds(9)));
    expect(base(clock, instant(seconds(9)))).toBe(milliseconds(300));
    clock.observe(instant(seconds(9) + at(301)), ticksOf(microseconds(seconds(9) + at(201))));
    expect(base(clock, instant(seconds(9)))).toBe(milliseconds(100));
    // From there on, it slews.
    clock.observe(instant(seconds(9) + at(340)), ticksOf(microseconds(seconds(9) + at(290))));
    expect(base(clock, instant(seconds(9)))).toBeGreaterThan(at(97));
  });

  test('is reported, not followed, when nothing is dropped', () => {
    const clock = newClock(false);
    stall(clock);
    expect(base(clock, instant(seconds(7)))).toBeLessThan(at(100 + 5_200 * 0.07));
  });

  test('is not inferred from single late packets', () => {
    const clock = newClock();
    play(clock, instant(0), instant(seconds(10)), (media) => (media % (4 * FRAME) === 0 ? at(100) : at(900)));
    // The last late packets arrive alone, and the clock slews to them.
    expect(base(clock, instant(seconds(10)))).toBeLessThan(at(150));
  });
});

describe('a damaged timestamp', () => {
  test('moves nothing when it is a single packet', () => {
    const clock = newClock();
    play(clock, instant(0), instant(at(400)), () => at(100));
    clock.observe(instant(at(500)), ticksOf(seconds(4)));
    play(clock, instant(at(440)), instant(at(800)), () => at(100));
    expect(base(clock, instant(at(800)))).toBe(milliseconds(100));
  });

  test('is accepted when the next packets agree', () => {
    const clock = newClock();
    play(clock, instant(0), instant(at(400)), () => at(1_100));
    play(clock, instant(at(400)), instant(at(800)), () => at(100));
    expect(base(clock, instant(at(800)))).toBe(milliseconds(100));
  });
});

test('media time is measured again after a restart', () => {
  const clock = newClock();
  play(clock, instant(0), instant(seconds(5)), () => at(100));
  clock.restart();
  expect(clock.started).toBe(false);
  clock.observe(instant(seconds(6)), ticksOf(seconds(3)));
  expect(base(clock, instant(seconds(3)))).toBe(seconds(3));
});
