import { expect, test } from 'vitest';
import { runExperiment } from '../../../lab/validation/stream-simulations.ts';
import { expectMissed, PACKETS, SEED } from './missed-frames.ts';

test('misses p² of independent losses, and sends the bytes of each packet twice', () => {
  const experiment = { ...PACKETS, strategy: 'duplicate', forward: 'loss=10% delay=20ms' } as const;
  expectMissed(experiment, 0.01, 10_000);
  const sent = (strategy: 'duplicate' | 'reorder') =>
    runExperiment({ ...experiment, strategy, forward: 'delay=20ms' }, SEED, 1_000).row;
  const [once, twice] = [sent('reorder'), sent('duplicate')];
  expect(twice.packetsSent).toBe(once.packetsSent);
  // Headers of RTP and the frame mark are 20 bytes beside the 200 of a frame.
  expect(twice.bytesRepair).toBe(1_000 * (200 + 20));
  // 28 bytes of UDP and IPv4 more.
  expect(twice.overheadForward - once.overheadForward).toBeCloseTo((200 + 20 + 28) / 200, 2);
});

test('misses what is lost at both times when losses come in time', () => {
  const [bad, meanBadMs, copyDelayMs] = [0.2, 20, 20];
  const rates = 1 / meanBadMs / (1 - bad);
  const predicted = bad * (bad + (1 - bad) * Math.exp(-rates * copyDelayMs));
  const experiment = {
    ...PACKETS,
    strategy: 'duplicate',
    forward: `ctge=${bad * 100}%/${meanBadMs}ms delay=20ms`,
  } as const;
  expectMissed({ ...experiment, parameters: { copyDelayMs } }, predicted, 10_000);
});
