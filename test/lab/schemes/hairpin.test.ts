import { expect, test } from 'vitest';
import { HairpinTable } from '../../../lab/schemes/hairpin-table.ts';
import { missedShare, runExperiment } from '../../../lab/validation/stream-simulations.ts';
import { SEED } from './missed-frames.ts';

const PATH = { forward: 'loss=10% delay=20ms', back: 'delay=20ms', framesPerSecond: 30, packets: 10 } as const;

test('without time for a request, sends the repair packets that the table says', () => {
  const repairWeight = 1e-3;
  const { row } = runExperiment(
    { ...PATH, strategy: 'hairpin', budgetMs: 50, parameters: { repairWeight } },
    SEED,
    2_000,
  );
  const table = new HairpinTable(repairWeight);
  // The receiver's estimate of the loss varies by a point or two.
  const [least, most] = [0.07, 0.13].map((loss) =>
    table.repairs({ loss, framePackets: 10, transmissions: 1, packets: 10 }),
  );
  const repairs = row.bytesRepair / (1_100 + 24 + 20) / 2_000;
  expect(repairs).toBeGreaterThanOrEqual(least! - 0.2);
  expect(repairs).toBeLessThanOrEqual(most! + 0.2);
});

test('with time for requests, repairs their answers, and misses fewer frames than requests alone', () => {
  const experiment = { ...PATH, strategy: 'hairpin', budgetMs: 130 } as const;
  const { row } = runExperiment(experiment, SEED, 1_000);
  expect(row.bytesRetransmission).toBeGreaterThan(0);
  expect(row.bytesRepair).toBeGreaterThan(0);
  const alone = missedShare({ ...experiment, strategy: 'nack' }, SEED, 1_000).estimate;
  expect(alone).toBeGreaterThan(0.01);
  expect(missedShare(experiment, SEED, 1_000).estimate).toBeLessThan(alone / 5);
});
