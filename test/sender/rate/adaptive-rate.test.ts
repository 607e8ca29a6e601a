import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, instant, type Microseconds, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { ADAPTIVE_RATE_DEFAULTS, AdaptiveRate } from '../../../sender/rate/adaptive-rate.ts';
import type { PacketReport } from '../../../sender/rate/rate-controller.ts';

const FRAME = microseconds(33_333);
const ONE_WAY = milliseconds(20);
const PACKET_BYTES = 1_200;

interface SentAndServed {
  readonly number: number;
  readonly sentAt: Instant;
  readonly leavesAt: number;
  readonly bytes: number;
}

/** A source that follows the target over a queue that is served at a rate, with a report after each frame. */
class Loop {
  readonly rate: AdaptiveRate;
  /** Bytes per second; 0: an outage. */
  capacity: number;
  reports = true;
  clockOffset = 7_000_000;
  /** Longest wait of a packet since it was last set. */
  waited = 0;
  carried = 0;
  /** Changes what the receiver reports. */
  report: (packets: readonly PacketReport[]) => readonly PacketReport[] = (packets) => packets;
  /** Highest bit rate of the source, bytes per second. */
  sourceMax = Number.POSITIVE_INFINITY;
  now = 0;
  #number = 0;
  #freeAt = 0;
  #underway: SentAndServed[] = [];

  constructor(capacity: number, latency: Microseconds = milliseconds(130)) {
    this.capacity = capacity;
    this.rate = new AdaptiveRate(latency);
  }

  run(ms: number): this {
    for (const end = this.now + milliseconds(ms); this.now < end; ) {
      const frameAt = this.now;
      this.#frame(frameAt);
      for (; this.now < frameAt + FRAME; this.now += 1_000) this.#turn();
      this.now = frameAt + FRAME;
    }
    return this;
  }

  #frame(now: number): void {
    const { rate } = this;
    let left = Math.round((Math.min(rate.target, this.sourceMax) * FRAME) / 1e6);
    rate.onOffered(instant(now));
    for (; left > 0; left -= PACKET_BYTES) {
      const bytes = Math.min(left, PACKET_BYTES);
      this.#freeAt = Math.max(now, this.#freeAt) + (this.capacity > 0 ? (bytes * 1e6) / this.capacity : 1e9);
      const packet = { number: this.#number++, sentAt: instant(now), leavesAt: this.#freeAt, bytes };
      this.waited = Math.max(this.waited, this.#freeAt - now);
      this.#underway.push(packet);
      rate.onSent(instant(now), { number: packet.number, bytes, kind: 'media' });
    }
  }

  /** The path returns: what was stuck is served from now on. */
  restore(capacity: number): this {
    this.capacity = capacity;
    this.#freeAt = this.now;
    this.#underway = this.#underway.map((packet) => {
      if (packet.leavesAt <= this.now) return packet;
      this.#freeAt += (packet.bytes * 1e6) / capacity;
      return { ...packet, leavesAt: this.#freeAt };
    });
    this.waited = 0;
    return this;
  }

  #turn(): void {
    const now = instant(this.now);
    const arrived = this.#underway.filter(({ leavesAt }) => leavesAt + 2 * ONE_WAY <= now);
    const timeout = this.rate.pollTimeout();
    if (timeout !== undefined && timeout <= now) this.rate.onTimeout(now);
    if (arrived.length === 0) return;
    this.#underway = this.#underway.filter(({ leavesAt }) => leavesAt + 2 * ONE_WAY > now);
    for (const { bytes } of arrived) this.carried += bytes;
    if (!this.reports) return;
    const packets: PacketReport[] = arrived.map(({ number, sentAt, bytes, leavesAt }) => ({
      number,
      bytes,
      kind: 'media',
      sentAt,
      arrivedAt: microseconds(Math.round((leavesAt + ONE_WAY + this.clockOffset) / 976.5625) * 976.5625),
      mark: 'not-ect',
    }));
    const roundTrip = microseconds(arrived.at(-1)!.leavesAt - arrived.at(-1)!.sentAt + 2 * ONE_WAY);
    this.rate.onFeedback(now, {
      packets: this.report(packets),
      bytesInFlight: 0,
      roundTrip,
      roundTripLatest: roundTrip,
    });
  }
}

describe('the adaptive rate', () => {
  test.each([50_000, 500_000, 5_000_000])('uses a constant path of %d bytes per second within a second', (capacity) => {
    const loop = new Loop(capacity).run(1_500);
    loop.carried = 0;
    loop.waited = 0;
    loop.run(5_000);
    expect(loop.carried / 5 / capacity).toBeGreaterThan(0.93);
    expect(loop.carried / 5 / capacity).toBeLessThan(1.01);
    expect(loop.waited).toBeLessThan(2 * FRAME);
  });

  test('follows a path that loses nine tenths of its capacity, and empties the queue within the latency', () => {
    const loop = new Loop(500_000).run(3_000);
    loop.restore(50_000).run(1_300);
    loop.waited = 0;
    loop.run(1_000);
    expect(loop.waited).toBeLessThan(milliseconds(70));
    expect(loop.rate.target).toBeLessThan(55_000);
  });

  test.each([1_000, 3_000, 10_000])(
    'falls to its floor in an outage of %d ms, and uses most of the path again a second after it',
    (ms) => {
      const loop = new Loop(500_000).run(3_000).restore(0).run(ms);
      expect(loop.rate.target).toBe(ADAPTIVE_RATE_DEFAULTS.rateMin);
      loop.restore(500_000).run(1_000);
      loop.carried = 0;
      loop.run(1_000);
      expect(loop.carried).toBeGreaterThan(350_000);
    },
  );

  test('grows from its floor on a path with short pauses, which small frames cannot measure', () => {
    const loop = new Loop(500_000, milliseconds(300)).run(2_000).restore(0).run(3_000);
    for (let turn = 0; turn < 20; turn++) loop.restore(250_000).run(200).restore(0).run(67);
    expect(loop.rate.target).toBeGreaterThan(25_000);
  });

  test('calls the path silent while reports are overdue', () => {
    const loop = new Loop(500_000).run(1_000);
    expect(loop.rate.isSilent(instant(loop.now))).toBe(false);
    expect(loop.restore(0).run(200).rate.isSilent(instant(loop.now))).toBe(true);
    expect(loop.restore(500_000).run(200).rate.isSilent(instant(loop.now))).toBe(false);
  });

  test('leaves more of a varying path free than of a constant one', () => {
    const steady = new Loop(250_000).run(4_000);
    const varying = new Loop(250_000);
    for (let turn = 0; turn < 40; turn++) varying.restore(turn % 2 === 0 ? 100_000 : 400_000).run(150);
    expect(varying.carried / 6).toBeLessThan(0.75 * 250_000);
    expect(varying.carried / 6).toBeGreaterThan(90_000);
    expect(steady.rate.target).toBeGreaterThan(0.9 * 250_000);
  });

  test('decays to the minimum rate without any report', () => {
    const loop = new Loop(500_000);
    loop.reports = false;
    const targets = [0, 1, 2, 3].map(() => loop.run(1_200).rate.target);
    expect(targets).toEqual([...targets].sort((one, other) => other - one));
    expect(targets[0]).toBeGreaterThan(ADAPTIVE_RATE_DEFAULTS.startRate / 3);
    expect(loop.run(4_000).rate.target).toBe(ADAPTIVE_RATE_DEFAULTS.rateMin);
  });

  test('is blind after five seconds without a usable report while it sends, until the next', () => {
    const loop = new Loop(500_000).run(3_000);
    loop.reports = false;
    expect(loop.run(4_500).rate.isBlind).toBe(false);
    expect(loop.run(1_500).rate.isBlind).toBe(true);
    loop.reports = true;
    expect(loop.run(100).rate.isBlind).toBe(false);
    expect(loop.run(1_500).rate.target).toBeGreaterThan(400_000);
  });

  test('is not blind while the source is paused', () => {
    const { rate } = new Loop(500_000).run(3_000);
    for (let now = 3_000; now < 20_000; now += 500) rate.onTimeout(instant(milliseconds(now)));
    expect(rate.isBlind).toBe(false);
  });

  test('falls to its minimum and is blind when everything is reported as lost', () => {
    const loop = new Loop(500_000).run(3_000);
    loop.report = (packets) => packets.map((packet) => ({ ...packet, arrivedAt: undefined }));
    expect(loop.run(6_500).rate.target).toBe(ADAPTIVE_RATE_DEFAULTS.rateMin);
    expect(loop.rate.isBlind).toBe(true);
  });

  test('stays finite when every report denies a queue', () => {
    const loop = new Loop(500_000);
    loop.sourceMax = 375_000;
    loop.report = (packets) =>
      packets.map((packet) => ({ ...packet, arrivedAt: microseconds(packet.sentAt + milliseconds(20)) }));
    expect(loop.run(60_000).rate.target).toBe(ADAPTIVE_RATE_DEFAULTS.rateMax);
  });

  test('survives a clock that leaps by an hour with every report, and follows again when it has ceased', () => {
    const loop = new Loop(500_000).run(3_000);
    loop.sourceMax = 750_000;
    let turn = 0;
    loop.report = (packets) => {
      const leap = turn++ % 2 === 0 ? 3.6e9 : -3.6e9;
      return packets.map((packet) => ({ ...packet, arrivedAt: microseconds(packet.arrivedAt! + leap) }));
    };
    loop.run(5_000);
    loop.report = (packets) => packets;
    expect(loop.run(4_000).rate.target).toBeGreaterThan(400_000);
  });

  test('reaches 200 Mb/s within a second', () => {
    const loop = new Loop(25_000_000).run(1_000);
    loop.carried = 0;
    expect(loop.run(500).carried / 0.5 / 25_000_000).toBeGreaterThan(0.93);
  });

  test.each([5_000, 10_000])(
    'asks seldom whose queue it is on a path of %d bytes per second, which a large frame fills for long',
    (capacity) => {
      const loop = new Loop(capacity);
      loop.sourceMax = 375_000;
      loop.run(20_000);
      loop.waited = 0;
      loop.carried = 0;
      loop.run(20_000);
      expect(loop.waited).toBeLessThan(1_100_000);
      expect(loop.carried / 20 / capacity).toBeGreaterThan(0.9);
    },
  );

  test.each([3_600_000_000, -3_600_000_000, 250_000])('continues after the clock was set by %d µs', (step) => {
    const loop = new Loop(500_000).run(3_000);
    loop.clockOffset += step;
    expect(loop.run(2_000).rate.target).toBeGreaterThan(400_000);
  });

  test('stays within its bounds whatever is reported', () => {
    const anyPacket = fc.record({
      number: fc.integer({ min: 0, max: 60 }),
      bytes: fc.integer({ min: 0, max: 1_500 }),
      kind: fc.constant('media' as const),
      sentAt: fc.integer({ min: 0, max: 3_000_000 }).map((us) => instant(us)),
      arrivedAt: fc.option(
        fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((us) => microseconds(us)),
        { nil: undefined },
      ),
      mark: fc.constant('not-ect' as const),
    });
    const anyReport = fc.record({
      packets: fc.array(anyPacket, { minLength: 1, maxLength: 20 }),
      roundTrip: fc.integer({ min: 0, max: 2_000_000 }).map((us) => microseconds(us)),
    });
    fc.assert(
      fc.property(fc.array(anyReport, { maxLength: 40 }), (reports) => {
        const rate = new AdaptiveRate(milliseconds(130));
        for (const [index, { packets, roundTrip }] of reports.entries()) {
          const now = instant(index * 33_333);
          rate.onOffered(now);
          rate.onSent(now, { number: index, bytes: 1_000, kind: 'media' });
          rate.onFeedback(now, { packets, bytesInFlight: 0, roundTrip, roundTripLatest: roundTrip });
          const timeout = rate.pollTimeout();
          if (timeout !== undefined) rate.onTimeout(timeout);
          expect(rate.target).toBeGreaterThanOrEqual(ADAPTIVE_RATE_DEFAULTS.rateMin);
          expect(Number.isFinite(rate.pacingRate)).toBe(true);
        }
      }),
    );
  });
});
