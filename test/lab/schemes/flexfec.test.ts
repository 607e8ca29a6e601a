import { expect, test } from 'vitest';
import { FLEXFEC } from '../../../lab/schemes/flexfec.ts';
import { gridResidual } from '../../../lab/validation/closed-forms/block-code.ts';
import { type Experiment, repairOverhead } from '../../../lab/validation/stream-simulations.ts';
import { instant } from '../../../protocol/base/units.ts';
import { mediaPackets, STREAM } from './media-packets.ts';
import { expectMissed, PACKETS, SEED } from './missed-frames.ts';

const path = { ...PACKETS, strategy: 'flexfec', forward: 'loss=10% delay=20ms' } as const;

test.each([
  { columns: 5, rows: 5, higher: 1.03 },
  { columns: 4, rows: 4, higher: 1.095 },
])('$columns columns and $rows rows miss p³ and the patterns of four losses', ({ columns, rows, higher }) => {
  // The sum ends with p⁴; simulated alone, the higher powers add 3 and 9.5 % at this loss.
  const predicted = gridResidual(columns, rows, 0.05) * higher;
  const experiment: Experiment = { ...path, forward: 'loss=5% delay=20ms', parameters: { columns, rows } };
  expectMissed(experiment, predicted, 30_000);
});

test('parity of rows alone misses p(1 − q^k)', () => {
  const experiment: Experiment = { ...path, parameters: { columns: 10, rows: 1, parity: 'rows' } };
  expectMissed(experiment, 0.1 * (1 - 0.9 ** 10), 10_000);
  expect(repairOverhead(experiment, SEED, 1_000)).toBeCloseTo((0.1 * (200 + 20 + 20)) / 200, 2);
});

test('parity of columns alone recovers every burst that is no longer than a row', () => {
  const [columns, rows] = [10, 5];
  for (let from = 0; from <= columns * (rows - 1); from++) {
    const { sender, receiver } = FLEXFEC.build({ columns, rows, parity: 'columns' }, STREAM);
    const sent = mediaPackets(columns * rows);
    const recovered: Uint8Array[] = [];
    for (const [index, packet] of sent.entries()) {
      sender.onMedia(instant(0), packet);
      const isLost = index >= from && index < from + columns;
      if (!isLost) recovered.push(...receiver!.onMedia(instant(0), packet));
      const parity = sender.pollTransmit(instant(0));
      if (parity) recovered.push(...receiver!.onRedundancy(instant(0), parity, packet.sequence));
    }
    expect(new Set(recovered.map(textOf)), `burst from ${from}`).toEqual(
      new Set(sent.slice(from, from + columns).map(({ datagram }) => textOf(datagram))),
    );
  }
});

const textOf = (bytes: Uint8Array): string => bytes.join();
