import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Ticks, ticks } from '../../../../protocol/base/units.ts';
import { DecodeTimestamps } from '../../../../protocol/codec/nal/decode-timestamps.ts';

interface Stamped {
  readonly timestamp: number;
  readonly decodeTimestamp: number;
}

function stamp(timestamps: readonly number[], machine = new DecodeTimestamps<{ timestamp: Ticks }>()): Stamped[] {
  const frames = timestamps.flatMap((timestamp) => machine.push({ timestamp: ticks(timestamp) }));
  return [...frames, ...machine.flush()];
}

const decode = (timestamps: readonly number[], reorderFrames?: number): number[] =>
  stamp(timestamps, new DecodeTimestamps({ reorderFrames })).map((frame) => frame.decodeTimestamp);

describe('decode timestamps', () => {
  test('equal the presentation timestamps without reordering, at any frame rate', () => {
    const timestamps = [0, 5, 1575, 1580, 3000];
    expect(decode(timestamps)).toEqual(timestamps);
    expect(decode(timestamps, 0)).toEqual(timestamps);
  });

  test('are the ascending presentation timestamps delayed by the reorder depth', () => {
    expect(decode([0, 3, 1, 2, 6, 4, 5])).toEqual([-1, 0, 1, 2, 3, 4, 5]);
    expect(decode([0, 3, 1, 2, 6, 4, 5], 1)).toEqual([-1, 0, 1, 2, 3, 4, 5]);
  });

  test('are delayed by two for a pyramid', () => {
    expect(decode([0, 4, 2, 1, 3, 8, 6, 5, 7], 2)).toEqual([-2, -1, 0, 1, 2, 3, 4, 5, 6]);
    expect(decode([0, 4, 2, 1, 3, 8, 6, 5, 7])).toEqual([-2, -1, 0, 1, 2, 3, 4, 5, 6]);
  });

  test('are returned with every frame when no reordering is declared', () => {
    const machine = new DecodeTimestamps({ reorderFrames: 0 });
    expect(machine.push({ timestamp: ticks(7) })).toEqual([{ timestamp: 7, decodeTimestamp: 7 }]);
  });

  test('are returned with every frame after the first ones when a depth is declared', () => {
    const machine = new DecodeTimestamps({ reorderFrames: 1 });
    expect([0, 3, 1, 2].map((timestamp) => machine.push({ timestamp: ticks(timestamp) }).length)).toEqual([0, 0, 3, 1]);
  });

  test('are delayed by no more than 16 frames when no depth is declared', () => {
    const machine = new DecodeTimestamps<{ timestamp: Ticks }>();
    const counts = Array.from({ length: 20 }, (_, timestamp) => machine.push({ timestamp: ticks(timestamp) }).length);
    expect(counts).toEqual([...new Array(16).fill(0), 1, 1, 1, 1]);
  });

  test('repeat while the depth grows in the middle of the stream', () => {
    const plain = Array.from({ length: 30 }, (_, index) => index);
    const times = decode([...plain, 33, 31, 30, 32, 34]);
    expect(times.slice(0, 30).every((time, index) => time <= plain[index]!)).toBe(true);
    expect(times.slice(-3)).toEqual([30, 31, 32]);
  });

  test('stay in order with an excessive depth when a depth is announced later', () => {
    const machine = new DecodeTimestamps<{ timestamp: Ticks }>({ reorderFrames: 0 });
    const before = [0, 1, 2].flatMap((timestamp) => machine.push({ timestamp: ticks(timestamp) }));
    machine.expectDepth(1);
    const after = [3, 6, 4, 5].flatMap((timestamp) => machine.push({ timestamp: ticks(timestamp) }));
    expect([...before, ...after].map((frame) => frame.decodeTimestamp)).toEqual([0, 1, 2, 2, 3, 4, 5]);
    expect(machine.timestampsRaised).toBe(0);
  });

  test('raise a presentation timestamp that goes back too far, and count it', () => {
    const machine = new DecodeTimestamps<{ timestamp: Ticks }>({ reorderFrames: 0 });
    expect(stamp([10, 20, 5, 30], machine)).toEqual([
      { timestamp: 10, decodeTimestamp: 10 },
      { timestamp: 20, decodeTimestamp: 20 },
      { timestamp: 20, decodeTimestamp: 20 },
      { timestamp: 30, decodeTimestamp: 30 },
    ]);
    expect(machine.timestampsRaised).toBe(1);
  });

  /** Ascending times with arbitrary steps, decoded in an order that moves no frame forward by more than `depth`. */
  const reordered = fc
    .record({
      steps: fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 80 }),
      depth: fc.integer({ min: 0, max: 16 }),
    })
    .chain(({ steps, depth }) => {
      let time = 0;
      const ascending = steps.map((step) => (time += step));
      const picks = fc.array(fc.nat(depth), { minLength: ascending.length, maxLength: ascending.length });
      return picks.map((choices) => ({ depth, timestamps: reorder(ascending, depth, choices) }));
    });

  test('never decrease, never exceed the presentation timestamp and change none, declared or not', () => {
    fc.assert(
      fc.property(reordered, fc.boolean(), ({ timestamps, depth }, declared) => {
        const frames = stamp(timestamps, new DecodeTimestamps({ reorderFrames: declared ? depth : undefined }));
        expect(frames.map((frame) => frame.timestamp)).toEqual(timestamps);
        let last = Number.NEGATIVE_INFINITY;
        for (const { timestamp, decodeTimestamp } of frames) {
          expect(decodeTimestamp).toBeLessThanOrEqual(timestamp);
          expect(decodeTimestamp).toBeGreaterThanOrEqual(last);
          last = decodeTimestamp;
        }
      }),
    );
  });
});

/** Reorders so that at most `depth` frames are decoded before and shown after any frame. */
function reorder(ascending: readonly number[], depth: number, choices: readonly number[]): number[] {
  const waiting = [...ascending];
  const ahead: number[] = [];
  const decoded: number[] = [];
  for (const choice of choices) {
    const oldest = waiting[0]!;
    const jump = ahead.filter((time) => time > oldest).length < depth ? Math.min(choice, waiting.length - 1) : 0;
    const [taken] = waiting.splice(jump, 1);
    decoded.push(taken!);
    ahead.push(taken!);
  }
  return decoded;
}
