import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../protocol/instant.ts';
import { PathCapacity } from '../../sender/path-capacity.ts';

const at = milliseconds;
const FULL = { recentLoss: 0.5, queueing: at(60) };
const CLEAN = { recentLoss: 0, queueing: 0 };
const ROUND_TRIP = at(50);
const FRAME_MS = 20;

/** A stream of 50 frames of 4 kB a second: 200 kB a second, of which as much is sent as the limit allows. */
class Path {
  readonly capacity = new PathCapacity();
  #ms = 0;

  run(ms: number, load: { recentLoss: number; queueing: number }): this {
    for (const end = this.#ms + ms; this.#ms < end; this.#ms += FRAME_MS) {
      this.capacity.onWanted(at(this.#ms), 4_000);
      this.capacity.onSent(Math.min(4_000, ((this.capacity.limit ?? Number.POSITIVE_INFINITY) * FRAME_MS) / 1_000));
      if (this.#ms % 100 === 0) this.capacity.onLoad(at(this.#ms), load, ROUND_TRIP);
    }
    return this;
  }
}

describe('the capacity of a path', () => {
  test('is not known while nothing is lost, and not limited by losses that a budget makes up for', () => {
    expect(
      new Path().run(2_000, CLEAN).run(5_000, { recentLoss: 0.19, queueing: at(60) }).capacity.limit,
    ).toBeUndefined();
  });

  test('is somewhat less than what came through a full queue', () => {
    const { limit } = new Path().run(2_000, CLEAN).run(100, FULL).capacity;
    expect(limit).toBeCloseTo(200_000 * 0.5 * 0.85, -2);
  });

  test('is not cut again before the cut can show', () => {
    const path = new Path().run(2_000, CLEAN).run(100, FULL);
    const { limit } = path.capacity;
    expect(path.run(500, FULL).capacity.limit).toBe(limit);
  });

  test('grows while nothing is lost, quickly up to what was carried and slowly beyond, until it is no limit', () => {
    const path = new Path().run(2_000, CLEAN).run(100, FULL).run(3_000, CLEAN);
    const soon = path.capacity.limit!;
    expect(soon).toBeGreaterThan(90_000);
    expect(path.run(5_000, CLEAN).capacity.limit! / soon).toBeLessThan(1.06);
    expect(path.run(150_000, CLEAN).capacity.limit).toBeUndefined();
  });

  test('is cut again when it is full again, and when a queue stands without a loss', () => {
    const path = new Path().run(2_000, CLEAN).run(100, FULL).run(3_000, CLEAN);
    const before = path.capacity.limit!;
    path.run(100, { recentLoss: 0.1, queueing: 0 });
    expect(path.capacity.limit! / before).toBeCloseTo(0.9 * 0.85, 2);
    const again = path.run(3_000, CLEAN).capacity.limit!;
    expect(path.run(100, { recentLoss: 0, queueing: at(31) }).capacity.limit! / again).toBeCloseTo(0.85, 1);
  });

  test('is tried where much is lost without a queue, and given up where that does not help', () => {
    const random = { recentLoss: 0.3, queueing: 0 };
    const path = new Path().run(2_000, CLEAN).run(1_400, random);
    expect(path.capacity.limit).toBeUndefined();
    expect(path.run(400, random).capacity.limit).toBeDefined();
    expect(path.run(1_500, random).capacity.limit).toBeUndefined();
    expect(path.run(20_000, random).capacity.limit).toBeUndefined();
  });

  test('is kept where less sent meant less lost, as before a bottleneck without a queue', () => {
    const path = new Path().run(2_000, CLEAN).run(1_800, { recentLoss: 0.5, queueing: 0 });
    expect(path.run(3_000, CLEAN).capacity.limit).toBeLessThan(150_000);
  });
});
