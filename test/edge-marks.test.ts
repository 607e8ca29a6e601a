import { describe, expect, test } from 'vitest';
import { milliseconds } from '../protocol/base/units.ts';
import { differences, runSession } from './simulated-session.ts';

/** Bytes of frames that have this many packets with marks at the edges. */
const FRAMES = [
  { packets: 1, frameBytes: 900 },
  { packets: 2, frameBytes: 1_900 },
  { packets: 8, frameBytes: 8_700 },
  { packets: 33, frameBytes: 37_000 },
  { packets: 430, frameBytes: 494_500 },
];

describe.each(FRAMES)('frames of $packets packets', ({ packets, frameBytes }) => {
  const stream = {
    frameBytes,
    keyFrameBytes: frameBytes,
    frames: packets > 100 ? 8 : packets > 10 ? 40 : 120,
    keyInterval: 10,
  };
  const run = (forward: string, frameMarks: 'edges' | true) =>
    runSession({ forward, back: 'delay=20ms', latencyMs: 250, stream, parameters: { frameMarks } });

  test.each([
    'delay=20ms',
    'loss=4% delay=20ms seed=3',
    'loss=4% burst=3 delay=20ms seed=5',
    'delay=20ms jitter=20ms seed=2',
    'loss=2% dup=3% delay=20ms jitter=8ms seed=4',
  ])('with marks at their edges, all are shown over %s, as with a mark in every packet', (path) => {
    const [edges, every] = [run(path, 'edges'), run(path, true)];
    expect(edges.sender.statistics.packets).toBeGreaterThanOrEqual(packets * stream.frames);
    expect(differences(edges.received, edges.sent)).toEqual([]);
    expect(differences(every.received, every.sent)).toEqual([]);
    expect(edges.sender.statistics.bytes).toBeLessThan(every.sender.statistics.bytes);
  });
});

test('packets that are held until their frame is known do not count as reordered for that time', () => {
  const stream = { frameBytes: 5_000, keyFrameBytes: 20_000, frames: 1_800, keyInterval: 60 };
  const [forward, back] = ['loss=5% burst=2 delay=30ms jitter=5ms seed=1', 'loss=1% delay=30ms'];
  const lost = (frameMarks: 'edges' | true) => {
    const parameters = { frameMarks, recovery: 'hybrid', latency: milliseconds(100) } as const;
    const { receiver } = runSession({ forward, back, latencyMs: 100, stream, parameters });
    const { decided, onTime, recovered } = receiver.statistics.frames;
    return decided - onTime - recovered;
  };
  // A longer wait for reordered packets leaves less time for requests.
  expect(lost('edges')).toBeLessThan(lost(true) + 6);
});
