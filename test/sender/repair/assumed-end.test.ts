import { expect, test } from 'vitest';
import { at, drain, frame, newSender } from '../desk.ts';

test('a large frame that leaves while the assumed loss ends is sent to its last packet', () => {
  // No notice comes: the receiver is slow as well.
  const sender = newSender({ recovery: 'hybrid' });
  sender.send(at(0), frame(0));
  drain(sender, at(0));
  const { packets } = sender.statistics;
  // As a key frame of 7680 × 4320.
  sender.send(at(990), frame(1, 800_000));
  for (let ms = 990; ms < 1_500; ms++) {
    sender.handleTimeout(at(ms));
    drain(sender, at(ms));
  }
  expect(sender.statistics.packets - packets).toBeGreaterThan(600);
  expect(sender.pollTimeout()).toBeGreaterThan(at(1_500));
});
