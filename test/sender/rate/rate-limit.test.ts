import { describe, expect, test } from 'vitest';
import { type Instant, instant, type Microseconds, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { RateLimit } from '../../../sender/rate/rate-limit.ts';
import { LossProcess } from '../../../sim/link/loss-process.ts';
import { RandomStream } from '../../../sim/random.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const FULL = { recentLoss: 0.5, queueing: milliseconds(60) };
const CLEAN = { recentLoss: 0, queueing: microseconds(0) };
const ROUND_TRIP = milliseconds(50);
const FRAME_MS = 20;
/** Packets in a window of 300 ms. */
const PACKETS = 108;

/** A stream of 50 frames of 4 kB per second: 200 kB per second, of which the limit's share is sent. */
class Path {
  readonly controller = new RateLimit();
  packetsOfFrame = 4;
  /** Bytes per second, when frames are held back for another reason than the limit. */
  sendsAtMost = Number.POSITIVE_INFINITY;
  /** Waiting time of each packet in the sender. */
  waits = 0;
  #ms = 0;

  run(ms: number, load: { recentLoss: number; queueing: Microseconds; latency?: Microseconds }): this {
    for (const end = this.#ms + ms; this.#ms < end; this.#ms += FRAME_MS) {
      this.controller.onOffered(at(this.#ms), 4_000);
      const rate = Math.min(this.sendsAtMost, this.controller.target ?? Number.POSITIVE_INFINITY);
      const bytes = Math.min(4_000, (rate * FRAME_MS) / 1_000) / this.packetsOfFrame;
      for (let packet = 0; packet < this.packetsOfFrame; packet++) this.controller.onSent(at(this.#ms), { bytes });
      this.controller.onPaced(at(this.#ms), microseconds(this.waits));
      if (this.#ms % 100 === 0)
        this.controller.onPath(at(this.#ms), {
          latency: microseconds(0),
          answerTime: ROUND_TRIP,
          ...load,
        });
    }
    return this;
  }
}

describe('the capacity of a path', () => {
  test('is unknown without loss, and not limited by loss that the budget recovers', () => {
    expect(
      new Path().run(2_000, CLEAN).run(5_000, { recentLoss: 0.19, queueing: milliseconds(60) }).controller.target,
    ).toBeUndefined();
  });

  test('is slightly below the rate delivered through a queue that was full for more than a moment', () => {
    const path = new Path().run(2_000, CLEAN).run(500, FULL);
    expect(path.controller.target).toBeUndefined();
    expect(path.run(200, FULL).controller.target).toBeCloseTo(200_000 * 0.5 * 0.85, -2);
  });

  test('needs the loss of a hundred packets, as bursty loss takes half of a few', () => {
    const path = new Path();
    path.packetsOfFrame = 1;
    expect(path.run(2_000, CLEAN).run(1_900, FULL).controller.target).toBeUndefined();
    expect(path.run(300, FULL).controller.target).toBeDefined();
  });

  test('is not cut again before the effect of the cut can show', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL);
    const { target } = path.controller;
    expect(path.run(500, FULL).controller.target).toBe(target);
  });

  test('grows without loss: quickly up to the rate carried before, slowly at it, and quickly far beyond', () => {
    const path = new Path().run(1_200, FULL).run(3_000, CLEAN);
    const soon = path.controller.target!;
    expect(soon).toBeGreaterThan(90_000);
    expect(path.run(5_000, CLEAN).controller.target! / soon).toBeLessThan(1.06);
    expect(path.run(40_000, CLEAN).controller.target).toBeUndefined();
  });

  test('returns soon to most of the rate carried without a queue, after a brief dip of the path', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL).run(2_500, CLEAN);
    expect(path.controller.target).toBeGreaterThan(200_000 * 0.75);
    expect(path.run(20_000, CLEAN).controller.target).toBeUndefined();
  });

  test('is cut again when the queue is full again, and for a standing queue without loss', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL).run(3_000, CLEAN);
    const before = path.controller.target!;
    path.run(700, { recentLoss: 0.21, queueing: milliseconds(29) });
    expect(path.controller.target! / before).toBeLessThan(0.79);
    const again = path.run(3_000, CLEAN).controller.target!;
    expect(path.run(500, { recentLoss: 0, queueing: milliseconds(31) }).controller.target! / again).toBeCloseTo(
      0.85,
      1,
    );
  });

  test('is not cut by random loss once a queue has indicated a full path', () => {
    const path = new Path().run(1_200, FULL).run(3_000, CLEAN);
    const before = path.controller.target!;
    expect(path.run(5_000, { recentLoss: 0.15, queueing: microseconds(0) }).controller.target).toBeGreaterThan(before);
  });

  test('is dropped when no cut shortens the queue, which is then a longer route', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL).run(3_000, CLEAN);
    path.run(15_000, { recentLoss: 0, queueing: milliseconds(80) });
    expect(path.controller.target).toBeUndefined();
  });

  test('is tried under heavy loss without a queue, and dropped when that does not help', () => {
    const random = { recentLoss: 0.4, queueing: microseconds(0) };
    const path = new Path().run(2_000, CLEAN).run(1_900, random);
    expect(path.controller.target).toBeUndefined();
    expect(path.run(400, random).controller.target).toBeDefined();
    expect(path.run(2_500, random).controller.target).toBeUndefined();
    expect(path.run(20_000, random).controller.target).toBeUndefined();
  });

  test('is tried again within seconds of being dropped when a queue shows that the path is full', () => {
    const path = new Path().run(2_000, CLEAN);
    let limits = 0;
    for (let ms = 0, before: number | undefined; ms < 10_000; ms += 100) {
      const { target } = path.run(100, FULL).controller;
      if (target !== undefined && before === undefined) limits++;
      before = target;
    }
    expect(limits).toBeGreaterThanOrEqual(3);
  });

  test('is kept when sending less reduced the loss, as before a bottleneck without a queue', () => {
    const path = new Path().run(3_000, { recentLoss: 0.5, queueing: microseconds(0) });
    expect(path.run(3_000, CLEAN).controller.target).toBeLessThan(120_000);
  });

  test('grows back within seconds on an empty path when only key frames pass', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL);
    path.sendsAtMost = 20_000;
    expect(path.controller.target).toBeLessThan(90_000);
    expect(path.run(4_000, CLEAN).controller.target).toBeUndefined();
  });

  test('does not grow back during a standing queue', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL);
    path.sendsAtMost = 20_000;
    expect(path.run(4_000, { recentLoss: 0, queueing: milliseconds(25) }).controller.target).toBeLessThan(120_000);
  });

  test('tolerates a queue of a quarter of the latency', () => {
    const queue = { recentLoss: 0, queueing: milliseconds(100) };
    const cut = () => new Path().run(2_000, CLEAN).run(700, FULL).run(1_000, CLEAN);
    const [patient, hurried] = [cut(), cut()];
    const before = patient.controller.target!;
    expect(patient.run(500, { ...queue, latency: milliseconds(500) }).controller.target).toBeGreaterThan(before);
    expect(hurried.run(500, { ...queue, latency: milliseconds(300) }).controller.target).toBeLessThan(before);
  });

  test('does not count waiting behind a large frame of its own as queueing on the path', () => {
    const queue = { recentLoss: 0, queueing: milliseconds(200) };
    const cut = () => new Path().run(2_000, CLEAN).run(700, FULL).run(1_000, CLEAN);
    const [waiting, queued] = [cut(), cut()];
    const before = waiting.controller.target!;
    waiting.waits = at(210);
    expect(waiting.run(900, queue).controller.target).toBeGreaterThan(before);
    expect(queued.run(900, queue).controller.target).toBeLessThan(before);
  });

  test('is never set by an hour of bursty loss with jitter, in any combination', () => {
    const losses = new LossProcess({ loss: 0.1, burst: 8, seed: 3 }, 'test');
    const jitter = new RandomStream(3, 'jitter');
    const path = new Path();
    for (let window = 0; window < 12_000; window++) {
      let lost = 0;
      for (let packet = 0; packet < PACKETS; packet++) if (losses.next()) lost++;
      path.run(300, { recentLoss: lost / PACKETS, queueing: microseconds(jitter.below(window, at(12))) });
      expect(path.controller.target).toBeUndefined();
    }
  });
});
