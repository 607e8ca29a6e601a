import { expect, test } from 'vitest';
import { type HairpinState, HairpinTable } from '../../../lab/schemes/hairpin-table.ts';
import { repairsOfLastAnswer } from '../../../sender/repair/repair-budget.ts';

const RATIOS = [...Array(20).keys()].map((step) => step * 0.05).concat([1, 2, 3, 4, 5]);
const WEIGHT = 1e-3;

/** The value of a state by trying all ways to lose packets, one by one. */
function slowValue(state: HairpinState, known = new Map<string, number>()): number {
  const { loss, framePackets, transmissions, packets } = state;
  const key = `${transmissions} ${packets}`;
  const earlier = known.get(key);
  if (earlier !== undefined) return earlier;
  if (packets === 0) return 0;
  if (transmissions === 0) return -1;
  let best = Number.NEGATIVE_INFINITY;
  for (const ratio of RATIOS) {
    const repairs = Math.round(ratio * packets - 1e-12);
    let value = (-WEIGHT * repairs) / framePackets;
    for (let pattern = 0; pattern < 2 ** (packets + repairs); pattern++) {
      const isLost = (index: number) => ((pattern >> index) & 1) === 1;
      const all = [...Array(packets + repairs).keys()].filter(isLost);
      const probability = loss ** all.length * (1 - loss) ** (packets + repairs - all.length);
      const missing = all.length <= repairs ? 0 : all.filter((index) => index < packets).length;
      value += probability * slowValue({ ...state, transmissions: transmissions - 1, packets: missing }, known);
    }
    if (value > best) best = value;
  }
  known.set(key, best);
  return best;
}

test.each([
  { loss: 0.1, framePackets: 5, transmissions: 1, packets: 1 },
  { loss: 0.1, framePackets: 5, transmissions: 2, packets: 2 },
  { loss: 0.3, framePackets: 10, transmissions: 2, packets: 2 },
  { loss: 0.2, framePackets: 5, transmissions: 3, packets: 1 },
])('has the value of all patterns of losses tried one by one at %o', (state) => {
  expect(new HairpinTable(WEIGHT).value(state)).toBeCloseTo(slowValue(state), 12);
});

test('spends more on a later transmission of the same batch, and nothing without loss', () => {
  const table = new HairpinTable(1e-7);
  const repairs = (transmissions: number, loss = 0.1) =>
    table.repairs({ loss, framePackets: 30, transmissions, packets: 3 });
  const counts = [1, 2, 3, 5, 8].map((transmissions) => repairs(transmissions));
  expect(counts).toEqual([...counts].sort((one, other) => other - one));
  expect(counts[0]).toBeGreaterThan(counts[4]!);
  expect(repairs(1, 0.004)).toBe(0);
});

test('the last copies of a packet are as many as pay off', () => {
  // One more copy of one packet saves p^x (1 − p) of a miss and costs the weight / 5.
  const table = new HairpinTable(1e-3);
  for (const loss of [0.05, 0.1, 0.2]) {
    const count = table.repairs({ loss, framePackets: 5, transmissions: 1, packets: 1 });
    const value = (copies: number) => -(loss ** (1 + copies)) - (1e-3 / 5) * copies;
    for (let copies = 0; copies <= 5; copies++) expect(value(count)).toBeGreaterThanOrEqual(value(copies));
  }
});

test.each([
  { loss: 0.05, hairpin: [5, 6, 8, 8], cheaper: [3, 4, 4, 6], hybrid: [1, 2, 2, 3], before: [0, 0, 1, 1] },
  { loss: 0.1, hairpin: [5, 8, 12, 16], cheaper: [5, 6, 8, 8], hybrid: [2, 3, 3, 5], before: [2, 2, 2, 2] },
])('has the repair packets of docs/EXPERIMENTS.md beside those of hybrid at $loss', (expected) => {
  const { loss } = expected;
  const batches = [1, 2, 4, 8];
  const [table, cheaper] = [new HairpinTable(1e-7), new HairpinTable(1e-4)];
  const state = { loss, framePackets: 12, transmissions: 1 };
  expect(batches.map((packets) => table.repairs({ ...state, packets }))).toEqual(expected.hairpin);
  expect(batches.map((packets) => cheaper.repairs({ ...state, packets }))).toEqual(expected.cheaper);
  expect(batches.map((packets) => table.repairs({ ...state, transmissions: 2, packets }))).toEqual(expected.before);
  const path = { loss, burst: 1 / (1 - loss) };
  expect(batches.map((packets) => repairsOfLastAnswer(packets, path, 400))).toEqual(expected.hybrid);
});
