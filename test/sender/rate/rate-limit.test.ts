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
/** Of a window of 300 ms. */
const PACKETS = 108;

/** A stream of 50 frames of 4 kB a second: 200 kB a second, of which as much is sent as the limit allows. */
class Path {
  readonly controller = new RateLimit();
  /** Bytes a second, where frames are held back beside the limit. */
  sendsAtMost = Number.POSITIVE_INFINITY;
  /** How long each packet has waited in the sender. */
  waits = 0;
  #ms = 0;

  run(ms: number, load: { recentLoss: number; queueing: Microseconds; latency?: Microseconds }): this {
    for (const end = this.#ms + ms; this.#ms < end; this.#ms += FRAME_MS) {
      this.controller.onOffered(at(this.#ms), 4_000);
      const rate = Math.min(this.sendsAtMost, this.controller.target ?? Number.POSITIVE_INFINITY);
      this.controller.onSent(at(this.#ms), Math.min(4_000, (rate * FRAME_MS) / 1_000));
      this.controller.onPaced(at(this.#ms), microseconds(this.waits));
      if (this.#ms % 100 === 0)
        this.controller.onFeedback(at(this.#ms), {
          latency: microseconds(0),
          answerTime: ROUND_TRIP,
          ...load,
        });
    }
    return this;
  }
}

describe('the capacity of a path', () => {
  test('is not known while nothing is lost, and not limited by losses that a budget makes up for', () => {
    expect(
      new Path().run(2_000, CLEAN).run(5_000, { recentLoss: 0.19, queueing: milliseconds(60) }).controller.target,
    ).toBeUndefined();
  });

  test('is somewhat less than what came through a full queue, once that has been full for more than a moment', () => {
    const path = new Path().run(2_000, CLEAN).run(500, FULL);
    expect(path.controller.target).toBeUndefined();
    expect(path.run(200, FULL).controller.target).toBeCloseTo(200_000 * 0.5 * 0.85, -2);
  });

  test('is not cut again before the cut can show', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL);
    const { target } = path.controller;
    expect(path.run(500, FULL).controller.target).toBe(target);
  });

  test('grows while nothing is lost: quickly up to what was carried, slowly at it, and quickly far beyond', () => {
    const path = new Path().run(1_200, FULL).run(3_000, CLEAN);
    const soon = path.controller.target!;
    expect(soon).toBeGreaterThan(90_000);
    expect(path.run(5_000, CLEAN).controller.target! / soon).toBeLessThan(1.06);
    expect(path.run(40_000, CLEAN).controller.target).toBeUndefined();
  });

  test('soon grows to most of what was carried without a queue before: the path carried less for a while only', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL).run(2_500, CLEAN);
    expect(path.controller.target).toBeGreaterThan(200_000 * 0.75);
    expect(path.run(20_000, CLEAN).controller.target).toBeUndefined();
  });

  test('is cut again when the queue is full again, and when it stands without a loss', () => {
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

  test('is not cut by random losses where a queue told of it', () => {
    const path = new Path().run(1_200, FULL).run(3_000, CLEAN);
    const before = path.controller.target!;
    expect(path.run(5_000, { recentLoss: 0.15, queueing: microseconds(0) }).controller.target).toBeGreaterThan(before);
  });

  test('is given up where no cut shortens the queue: it is a longer way', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL).run(3_000, CLEAN);
    path.run(15_000, { recentLoss: 0, queueing: milliseconds(80) });
    expect(path.controller.target).toBeUndefined();
  });

  test('is tried where much is lost without a queue, and given up where that does not help', () => {
    const random = { recentLoss: 0.4, queueing: microseconds(0) };
    const path = new Path().run(2_000, CLEAN).run(1_900, random);
    expect(path.controller.target).toBeUndefined();
    expect(path.run(400, random).controller.target).toBeDefined();
    expect(path.run(2_500, random).controller.target).toBeUndefined();
    expect(path.run(20_000, random).controller.target).toBeUndefined();
  });

  test('that was given up is tried again within seconds where a queue tells that the path is full', () => {
    const path = new Path().run(2_000, CLEAN);
    let limits = 0;
    for (let ms = 0, before: number | undefined; ms < 10_000; ms += 100) {
      const { target } = path.run(100, FULL).controller;
      if (target !== undefined && before === undefined) limits++;
      before = target;
    }
    expect(limits).toBeGreaterThanOrEqual(3);
  });

  test('is kept where less sent meant less lost, as before a bottleneck without a queue', () => {
    const path = new Path().run(3_000, { recentLoss: 0.5, queueing: microseconds(0) });
    expect(path.run(3_000, CLEAN).controller.target).toBeLessThan(120_000);
  });

  test('grows back within seconds on an empty path where all but key frames are held back', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL);
    path.sendsAtMost = 20_000;
    expect(path.controller.target).toBeLessThan(90_000);
    expect(path.run(4_000, CLEAN).controller.target).toBeUndefined();
  });

  test('does not grow back like that while a queue stands', () => {
    const path = new Path().run(2_000, CLEAN).run(700, FULL);
    path.sendsAtMost = 20_000;
    expect(path.run(4_000, { recentLoss: 0, queueing: milliseconds(25) }).controller.target).toBeLessThan(120_000);
  });

  test('bears a queue of a quarter of the latency', () => {
    const queue = { recentLoss: 0, queueing: milliseconds(100) };
    const cut = () => new Path().run(2_000, CLEAN).run(700, FULL).run(1_000, CLEAN);
    const [patient, hurried] = [cut(), cut()];
    const before = patient.controller.target!;
    expect(patient.run(500, { ...queue, latency: milliseconds(500) }).controller.target).toBeGreaterThan(before);
    expect(hurried.run(500, { ...queue, latency: milliseconds(300) }).controller.target).toBeLessThan(before);
  });

  test('does not take the wait behind a large frame of its own for a queue of the path', () => {
    const queue = { recentLoss: 0, queueing: milliseconds(200) };
    const cut = () => new Path().run(2_000, CLEAN).run(700, FULL).run(1_000, CLEAN);
    const [waiting, queued] = [cut(), cut()];
    const before = waiting.controller.target!;
    waiting.waits = at(210);
    expect(waiting.run(900, queue).controller.target).toBeGreaterThan(before);
    expect(queued.run(900, queue).controller.target).toBeLessThan(before);
  });

  test('is never limited by an hour of losses in runs with some jitter, however they fall together', () => {
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
