import { expect, test } from 'vitest';
import { instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { asSequence } from '../../protocol/rtp/sequence.ts';
import { HistoryBudget } from '../../sender/history-budget.ts';
import { PacketHistory } from '../../sender/packet-history.ts';

const newHistory = (options: { keptFor?: Microseconds; budget?: Pick<HistoryBudget, 'share'> }) =>
  new PacketHistory({
    packetsMax: 1_024,
    keptFor: options.keptFor ?? microseconds(Number.POSITIVE_INFINITY),
    budget: options.budget ?? { share: Number.POSITIVE_INFINITY },
  });

test('receivers share the history equally, and a leaving one returns its share', () => {
  const budget = new HistoryBudget(900);
  budget.join();
  expect(budget.share).toBe(900);
  budget.join();
  budget.join();
  expect(budget.share).toBe(300);
  budget.leave();
  expect(budget.share).toBe(450);
});

test('the history of one receiver shrinks to its share when another joins', () => {
  const budget = new HistoryBudget(1_000);
  budget.join();
  const history = newHistory({ budget });
  for (let sequence = 0; sequence < 20; sequence++)
    history.keep(asSequence(sequence), new Uint8Array(100), instant(sequence));
  expect(history.bytes).toBe(1_000);
  expect(history.find(asSequence(9))).toBeUndefined();
  expect(history.find(asSequence(10))).toBeDefined();
  budget.join();
  history.keep(asSequence(20), new Uint8Array(100), instant(20));
  expect(history.bytes).toBe(500);
  expect(history.find(asSequence(15))).toBeUndefined();
  expect(history.find(asSequence(16))).toBeDefined();
});

test('a packet is dropped after its time', () => {
  const history = newHistory({ keptFor: microseconds(100) });
  for (let sequence = 0; sequence < 10; sequence++)
    history.keep(asSequence(sequence), new Uint8Array(10), instant(sequence * 30));
  expect(history.find(asSequence(5))).toBeUndefined();
  expect(history.find(asSequence(6))).toBeDefined();
  expect(history.bytes).toBe(40);
});

test('the newest packet is kept however large it is', () => {
  const history = newHistory({ budget: { share: 50 } });
  history.keep(asSequence(1), new Uint8Array(100), instant(0));
  history.keep(asSequence(2), new Uint8Array(100), instant(1));
  expect(history.find(asSequence(1))).toBeUndefined();
  expect(history.find(asSequence(2))).toBeDefined();
});

test('the byte count is correct when the ring overwrites packets', () => {
  const history = new PacketHistory({
    packetsMax: 4,
    keptFor: microseconds(Number.POSITIVE_INFINITY),
    budget: { share: Number.POSITIVE_INFINITY },
  });
  for (let sequence = 65_530; sequence < 65_600; sequence++)
    history.keep(asSequence(sequence), new Uint8Array(10), instant(0));
  expect(history.bytes).toBe(40);
});
