import { expect, test } from 'vitest';
import { HistoryBudget } from '../../sender/history-budget.ts';
import { PacketHistory } from '../../sender/packet-history.ts';

const newHistory = (options: { keptFor?: number; budget?: Pick<HistoryBudget, 'share'> }) =>
  new PacketHistory({
    packetsMax: 1_024,
    keptFor: options.keptFor ?? Number.POSITIVE_INFINITY,
    budget: options.budget ?? { share: Number.POSITIVE_INFINITY },
  });

test('receivers share the bytes of the history equally, and one that leaves gives its share back', () => {
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
  for (let sequence = 0; sequence < 20; sequence++) history.keep(sequence, new Uint8Array(100), sequence);
  expect(history.bytes).toBe(1_000);
  expect(history.find(9)).toBeUndefined();
  expect(history.find(10)).toBeDefined();
  budget.join();
  history.keep(20, new Uint8Array(100), 20);
  expect(history.bytes).toBe(500);
  expect(history.find(15)).toBeUndefined();
  expect(history.find(16)).toBeDefined();
});

test('a packet is kept for so long and no longer', () => {
  const history = newHistory({ keptFor: 100 });
  for (let sequence = 0; sequence < 10; sequence++) history.keep(sequence, new Uint8Array(10), sequence * 30);
  expect(history.find(5)).toBeUndefined();
  expect(history.find(6)).toBeDefined();
  expect(history.bytes).toBe(40);
});

test('the newest packet is kept however large it is', () => {
  const history = newHistory({ budget: { share: 50 } });
  history.keep(1, new Uint8Array(100), 0);
  history.keep(2, new Uint8Array(100), 1);
  expect(history.find(1)).toBeUndefined();
  expect(history.find(2)).toBeDefined();
});

test('bytes are counted right when the ring overwrites what it held', () => {
  const history = new PacketHistory({
    packetsMax: 4,
    keptFor: Number.POSITIVE_INFINITY,
    budget: { share: Number.POSITIVE_INFINITY },
  });
  for (let sequence = 65_530; sequence < 65_600; sequence++) history.keep(sequence, new Uint8Array(10), 0);
  expect(history.bytes).toBe(40);
});
