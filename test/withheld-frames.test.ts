import { expect, test } from 'vitest';
import { runSession } from './simulated-session.ts';

/** 30 frames per second of 4 kB, and of 12 kB every second, take about 1.05 Mb/s; the link carries half of that. */
const NARROW = 'rate=520kbit queue=150ms delay=20ms';
const STREAM = { frames: 600, frameBytes: 4_000, keyFrameBytes: 12_000 };

test('a receiver knows the number of frames withheld from it, which belong to no class', () => {
  const { sender, receiver, sent } = runSession({
    forward: NARROW,
    back: 'delay=20ms',
    parameters: { recovery: 'hybrid' },
    receiver: { onLoss: 'smear' },
    stream: STREAM,
  });
  const { framesWithheld } = sender.statistics;
  expect(framesWithheld).toBeGreaterThan(150);
  expect(sent.length + framesWithheld).toBe(STREAM.frames);
  // Reported with each report; none need follow the last withheld frame.
  expect(receiver.statistics.framesWithheld).toBeGreaterThan(framesWithheld - 30);
  expect(receiver.statistics.framesWithheld).toBeLessThanOrEqual(framesWithheld);
  expect(receiver.statistics.frames.decided).toBe(sent.length);
});

test.each(['none', 'reorder', 'nack', 'fec'] as const)(
  'nothing is withheld from a receiver that chose %s',
  (recovery) => {
    const { sender, receiver } = runSession({
      forward: NARROW,
      back: 'delay=20ms',
      parameters: { recovery },
      stream: { ...STREAM, frames: 150 },
    });
    expect(sender.statistics.framesWithheld).toBe(0);
    expect(receiver.statistics.framesWithheld).toBe(0);
  },
);
