import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exponential, naturalLog } from '../../sim/exact-mathematics.ts';
import { normalTable, paretoTable } from '../../sim/link/quantile-table.ts';

test('naturalLog agrees with Math.log to the last digits', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-12, max: 1e12, noNaN: true }), (value) => {
      const expected = Math.log(value);
      expect(Math.abs(naturalLog(value) - expected)).toBeLessThan(4e-15 * Math.max(1, Math.abs(expected)));
    }),
  );
});

test('exponential agrees with Math.exp to the last digits', () => {
  fc.assert(
    fc.property(fc.double({ min: -100, max: 100, noNaN: true }), (value) => {
      expect(exponential(value) / Math.exp(value)).toBeCloseTo(1, 11);
    }),
  );
});

test('a sum of a thousand logarithms has the same bits on every engine', () => {
  let sum = 0;
  for (let n = 1; n <= 1_000; n++) sum += naturalLog(n / 1_001);
  // ln 1000! − 1000 ln 1001, by Stirling −996.6266.
  expect(sum).toBe(-996.6266008270578);
});

test.each([
  [0.5, 0],
  [0.8413447460685429, 1],
  [0.9772498680518208, 2],
  [0.0013498980316301, -3],
])('the normal table has the quantile of probability %s at %s', (probability, value) => {
  expect(normalTable().at(Math.floor(probability * 2 ** 32))).toBeCloseTo(value, 2);
});

test.each([
  ['normal', normalTable(), 0.01],
  // The tail is cut at one in 8192, which reduces the deviation.
  ['pareto', paretoTable(), 0.12],
])('the %s table has mean 0 and standard deviation 1', (_name, table, tolerance) => {
  const count = 100_000;
  let sum = 0;
  let squares = 0;
  for (let n = 0; n < count; n++) {
    const value = table.at(Math.floor(((n + 0.5) * 2 ** 32) / count));
    sum += value;
    squares += value * value;
  }
  expect(Math.abs(sum / count)).toBeLessThan(tolerance);
  expect(Math.abs(Math.sqrt(squares / count) - 1)).toBeLessThan(tolerance);
});
