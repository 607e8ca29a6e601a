import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, instant, type Microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { ECT_0, ECT_1 } from '../../../protocol/ecn.ts';
import { CircuitBreaker, type CircuitBreakerNotice } from '../../../sender/rate/circuit-breaker.ts';
import { GuardedController } from '../../../sender/rate/guarded-controller.ts';
import type { PacketReport, SentPacket } from '../../../sender/rate/rate-controller.ts';
import { UnlimitedRate } from '../../../sender/rate/unlimited-rate.ts';
import { runSession } from '../../simulated-session.ts';

const at = (seconds: number): Instant => instant(milliseconds(seconds * 1_000));
const ROUND_TRIP = milliseconds(100);

/** Sends at a constant rate, with a report each second. */
class Stream {
  readonly breaker = new CircuitBreaker(milliseconds(33));
  readonly notices: (CircuitBreakerNotice & { readonly at: number })[] = [];
  #now = 0;
  #sequence = 0;
  #lost = 0;

  /** @param given.loss share of the packets lost; `undefined`: no report comes. */
  run(
    seconds: number,
    given: {
      readonly bitrate: number;
      readonly loss: number | undefined;
      readonly roundTrip?: Microseconds;
      received?: boolean;
      /** Share of the packets marked with congestion experienced. */
      readonly marked?: number;
    },
  ): this {
    for (let second = 0; second < seconds; second++) {
      const packets = Math.round(given.bitrate / 8 / 1_250);
      for (let packet = 0; packet < packets && this.breaker.limit !== 0; packet++) {
        this.breaker.onSent(at(this.#now + packet / packets), 1_250);
        if (given.received !== false) this.#sequence++;
      }
      this.#now++;
      this.breaker.handleTimeout(at(this.#now));
      this.breaker.onMarks(Math.round(packets * (given.marked ?? 0)));
      if (given.loss !== undefined) {
        this.#lost += Math.round(packets * given.loss);
        const summary = {
          highestSequence: this.#sequence,
          cumulativeLost: this.#lost,
          roundTrip: given.roundTrip ?? ROUND_TRIP,
        };
        this.breaker.onReport(at(this.#now), summary, at(this.#now - 0.2));
      }
      for (let notice = this.breaker.pollNotice(); notice; notice = this.breaker.pollNotice()) {
        this.notices.push({ ...notice, at: this.#now });
      }
    }
    return this;
  }
}

const CALM = { bitrate: 2_000_000, loss: 0.001 };

describe('the circuit breaker (RFC 8083)', () => {
  test('stays closed at a loss at which ten TCP connections would send as much', () => {
    // s / (T_r · √(2p/3)): 1,250 bytes, 0.1 s, 2 % are 866 kb/s.
    expect(new Stream().run(60, { bitrate: 8_000_000, loss: 0.02 }).notices).toEqual([]);
  });

  test('reduces a stream that takes more to a tenth, and ceases when that does not help (§4.3, §4.5)', () => {
    const stream = new Stream().run(2, { bitrate: 9_000_000, loss: 0.02 });
    expect(stream.notices).toEqual([]);
    stream.run(2, { bitrate: 9_000_000, loss: 0.02 });
    expect(stream.notices).toEqual([{ change: 'reduced', cause: 'congestion', at: 4 }]);
    expect(stream.breaker.limit).toBeCloseTo(9_000_000 / 8 / 10, -3);
    stream.run(3, { bitrate: 9_000_000, loss: 0.02 });
    expect(stream.notices.at(-1)).toEqual({ change: 'ceased', cause: 'congestion', at: 7 });
    expect(stream.breaker.limit).toBe(0);
  });

  test('counts datagrams marked with congestion experienced as lost (§7)', () => {
    const marked = { bitrate: 9_000_000, loss: 0.01, marked: 0.01 };
    expect(new Stream().run(4, { ...marked, marked: 0 }).notices).toEqual([]);
    const stream = new Stream().run(4, marked);
    expect(stream.notices).toEqual([{ change: 'reduced', cause: 'congestion', at: 4 }]);
    // Marks of one interval do not count in the next.
    expect(stream.run(12, { bitrate: 900_000, loss: 0 }).notices.at(-1)).toMatchObject({ change: 'restored' });
  });

  test.each([
    { ecn: ECT_0, notices: 1 },
    { ecn: ECT_1, notices: 0 },
  ])('hears of marks from the feedback of a controller that sends $ecn', ({ ecn, notices }) => {
    const controller = new GuardedController(Object.assign(new UnlimitedRate(), { ecn }));
    const packet = { sentAt: at(0), arrivedAt: at(0.1), bytes: 1_250, mark: 'ce' } as unknown as PacketReport;
    const feedback = { bytesInFlight: 0, roundTrip: ROUND_TRIP, roundTripLatest: ROUND_TRIP };
    let changes = 0;
    for (let second = 1; second <= 4; second++) {
      for (let sent = 0; sent < 900; sent++) {
        controller.onSent(at(second - 1), { bytes: 1_250 } as SentPacket);
      }
      controller.onFeedback(at(second), { ...feedback, packets: Array.from({ length: 18 }, () => packet) });
      const summary = { highestSequence: second * 900, cumulativeLost: 0, roundTrip: ROUND_TRIP };
      controller.onReport(at(second), summary, undefined);
      while (controller.pollNotice()) changes++;
    }
    expect(changes).toBe(notices);
  });

  test('restores the rate in steps when the congestion is over', () => {
    const stream = new Stream().run(4, { bitrate: 9_000_000, loss: 0.02 });
    const limits: number[] = [];
    for (let i = 0; i < 4; i++) {
      limits.push(stream.breaker.limit ?? Number.POSITIVE_INFINITY);
      stream.run(3, { bitrate: 900_000, loss: 0 });
    }
    expect(limits.map((limit) => limit / limits[0]!)).toEqual([1, 2, 4, 8]);
    expect(stream.breaker.limit).toBeUndefined();
    expect(stream.notices.at(-1)).toMatchObject({ change: 'restored', cause: 'congestion' });
  });

  test('tries again half a minute after a stop for congestion, at the reduced rate', () => {
    const stream = new Stream().run(7, { bitrate: 9_000_000, loss: 0.02 });
    stream.run(29, { bitrate: 0, loss: 0 });
    expect(stream.breaker.limit).toBe(0);
    stream.run(2, { bitrate: 0, loss: 0 });
    expect(stream.breaker.limit).toBeGreaterThan(0);
    expect(stream.notices.at(-1)).toMatchObject({ change: 'reduced', cause: 'congestion' });
  });

  test('ceases 15 s after the last report (§4.1)', () => {
    const stream = new Stream().run(10, CALM).run(14, { ...CALM, loss: undefined });
    expect(stream.notices).toEqual([]);
    stream.run(1, { ...CALM, loss: undefined });
    expect(stream.notices).toEqual([{ change: 'ceased', cause: 'rtcp-timeout', at: 25 }]);
    expect(stream.run(60, { ...CALM, loss: undefined }).breaker.limit).toBe(0);
    stream.run(1, CALM);
    expect(stream.notices.at(-1)).toMatchObject({ change: 'restored', cause: 'rtcp-timeout' });
    expect(stream.breaker.limit).toBeUndefined();
  });

  test('does not miss reports while nothing is sent', () => {
    const stream = new Stream().run(10, CALM).run(1, { bitrate: 0, loss: 0 });
    expect(stream.run(100, { bitrate: 0, loss: undefined }).notices).toEqual([]);
  });

  test('ceases after five reports that show no progress (§4.2)', () => {
    const stream = new Stream().run(10, CALM).run(4, { ...CALM, received: false });
    expect(stream.notices).toEqual([]);
    stream.run(1, { ...CALM, received: false });
    expect(stream.notices).toEqual([{ change: 'ceased', cause: 'media-timeout', at: 15 }]);
    expect(stream.run(2, CALM).notices.at(-1)).toMatchObject({ change: 'restored', cause: 'media-timeout' });
  });

  test('waits longer where the round trip is longer than the reports’ interval', () => {
    const far = { ...CALM, loss: 0, roundTrip: milliseconds(2_000) };
    const stream = new Stream().run(10, far).run(9, { ...far, received: false });
    expect(stream.notices).toEqual([]);
    expect(stream.run(1, { ...far, received: false }).notices).toHaveLength(1);
  });

  test('has a limit that is never negative or not a number, whatever is reported', () => {
    const step = fc.record({
      passed: fc.nat(40_000_000),
      bytes: fc.nat(10_000_000),
      highestSequence: fc.nat(0xffff_ffff),
      cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
      roundTrip: fc.option(fc.nat(100_000_000), { nil: undefined }),
      echo: fc.option(fc.nat(1e9), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const breaker = new CircuitBreaker(milliseconds(33));
        let now = 0;
        let ceased = false;
        for (const { passed, bytes, highestSequence, cumulativeLost, roundTrip, echo } of steps) {
          now += passed;
          if (breaker.limit !== 0) breaker.onSent(instant(now), bytes);
          breaker.handleTimeout(instant(now));
          const summary = { highestSequence, cumulativeLost, roundTrip: roundTrip as Microseconds | undefined };
          breaker.onReport(instant(now), summary, echo === undefined ? undefined : instant(echo));
          for (let notice = breaker.pollNotice(); notice; notice = breaker.pollNotice()) {
            if (notice.change === 'ceased') expect(ceased).toBe(false);
            ceased = notice.change === 'ceased';
          }
          expect(breaker.limit === 0).toBe(ceased);
          if (breaker.limit !== undefined) expect(breaker.limit).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe('a sender behind a circuit breaker', () => {
  const STREAM = { frames: 1_800, frameBytes: 3_000, keyFrameBytes: 3_000 };

  test('stops when nothing is received, and resumes when the path recovers', () => {
    const changes: string[] = [];
    const { sender, receiver } = runSession({
      forward: 'delay=20ms outage=10s-30s',
      back: 'delay=20ms outage=10s-30s',
      latencyMs: 150,
      stream: STREAM,
      parameters: { recovery: 'nack' },
      sender: { rate: 'gcc' },
      onSenderEvent: (now, event) => {
        if (event.kind === 'circuit-breaker') changes.push(`${Math.floor(now / 1e6)} ${event.change} ${event.cause}`);
      },
    });
    expect(changes).toHaveLength(2);
    expect(changes[0]).toMatch(/^2[345] ceased rtcp-timeout$/);
    expect(changes[1]).toMatch(/^3[012] restored rtcp-timeout$/);
    expect(sender.statistics.framesWithheld).toBeGreaterThan(100);
    expect(receiver.statistics.frames.onTime).toBeGreaterThan(800);
  });
});
