import { describe, expect, test } from 'vitest';
import { instant, microseconds } from '../../../protocol/base/units.ts';
import { BottleneckSharing } from '../../../sender/rate/bottleneck-sharing.ts';
import { DeparturePhase } from '../../../sender/rate/departure-phase.ts';

const INTERVAL = microseconds(33_333);
const BYTES = 1_200;
const SPACING = 1_000;

interface Stream {
  readonly packetsPerFrame: number;
  /** Bytes per second at a frame. */
  readonly capacity: (frame: number) => number;
  /** Time for which others occupy the bottleneck when a frame arrives. */
  readonly othersFor?: (frame: number) => number;
}

/** Passes frames through a bottleneck, with arrival times in 1/1024 s. */
function pass(sharing: BottleneckSharing, frames: readonly [from: number, until: number], stream: Stream): boolean {
  let freeAt = 0;
  for (let frame = frames[0]; frame < frames[1]; frame++) {
    const capacity = stream.capacity(frame);
    const sentAt = frame * INTERVAL;
    freeAt = Math.max(freeAt, sentAt + (stream.othersFor?.(frame) ?? 0));
    for (let packet = 0; packet < stream.packetsPerFrame; packet++) {
      const departs = sentAt + packet * SPACING;
      freeAt = Math.max(freeAt, departs) + (BYTES / capacity) * 1e6;
      const leavesAt = microseconds(Math.round(freeAt / 976.5625) * 976.5625);
      const passage = { sentAt: instant(departs), entersAt: microseconds(departs), leavesAt, bytes: BYTES };
      sharing.onPassage(passage, capacity, INTERVAL);
    }
  }
  return sharing.isShared;
}

const constant = (capacity: number) => () => capacity;

describe('a shared bottleneck', () => {
  test('is found where frames wait behind others, and no longer once those have gone', () => {
    const sharing = new BottleneckSharing();
    const stream = { packetsPerFrame: 6, capacity: constant(750_000) };
    expect(pass(sharing, [0, 60], { ...stream, othersFor: () => 12_000 })).toBe(true);
    expect(pass(sharing, [60, 260], stream)).toBe(false);
  });

  test.each([
    ['400 kb/s, where a datagram takes 24 ms', { packetsPerFrame: 1, capacity: constant(50_000) }],
    ['1.5 Mb/s', { packetsPerFrame: 4, capacity: constant(187_500) }],
    ['20 Mb/s', { packetsPerFrame: 60, capacity: constant(2_500_000) }],
  ])('is not seen by a stream alone on a constant path of %s', (_, stream) => {
    expect(pass(new BottleneckSharing(), [0, 300], stream)).toBe(false);
  });

  test('is not seen on a path of its own whose capacity varies, although frames wait', () => {
    const capacity = (frame: number): number => [100_000, 900_000, 300_000, 1_500_000, 200_000][frame % 5]!;
    const othersFor = (frame: number): number => (frame % 3 === 0 ? 15_000 : 0);
    expect(pass(new BottleneckSharing(), [0, 300], { packetsPerFrame: 5, capacity, othersFor })).toBe(false);
  });
});

test('frames leave at once on a path of their own but for a rare probe, and at any phase on a shared one', () => {
  const alone = new BottleneckSharing();
  pass(alone, [0, 60], { packetsPerFrame: 6, capacity: constant(750_000) });
  const shared = new BottleneckSharing();
  pass(shared, [0, 60], { packetsPerFrame: 6, capacity: constant(750_000), othersFor: () => 12_000 });
  const delays = (sharing: BottleneckSharing): number[] => {
    const phase = new DeparturePhase();
    return Array.from({ length: 256 }, (_, frame) => phase.next(INTERVAL, sharing, frame * 5_000));
  };
  expect(delays(alone).filter((delay) => delay > 0)).toHaveLength(2);
  expect(Math.max(...delays(shared))).toBeLessThanOrEqual(INTERVAL);
  const quarters = [0, 1, 2, 3].map(
    (quarter) => delays(shared).filter((delay) => Math.min(3, Math.floor((4 * delay) / INTERVAL)) === quarter).length,
  );
  for (const count of quarters) expect(count).toBeGreaterThan(32);
});
