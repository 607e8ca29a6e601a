import { expect, test } from 'vitest';
import { fitGilbert } from '../../sim/gilbert-fit.ts';
import { LossProcess } from '../../sim/link/loss-process.ts';
import { link } from '../simulated-session.ts';

const record = (text: string, count: number) => {
  const loss = new LossProcess(link(text), 'forward');
  return Uint8Array.from({ length: count }, () => (loss.next() ? 1 : 0));
};

test.each([
  [0.02, 4],
  [0.1, 2],
  [0.3, 10],
])('fits loss %s with mean burst %s', (loss, burst) => {
  const fit = fitGilbert(record(`loss=${loss} burst=${burst} seed=4`, 400_000))!;
  expect(Math.abs(fit.loss / loss - 1)).toBeLessThan(0.05);
  expect(Math.abs(fit.burst / burst - 1)).toBeLessThan(0.05);
  expect(Math.abs(fit.observedRun / fit.burst - 1)).toBeLessThan(0.02);
});

test('fits independent losses without correlation', () => {
  const fit = fitGilbert(record('loss=20% seed=4', 400_000))!;
  expect(Math.abs(fit.correlation)).toBeLessThan(0.01);
  expect(fit.burst * (1 - fit.loss)).toBeCloseTo(1, 1);
});

test('fits negatively correlated losses as independent', () => {
  const fit = fitGilbert([1, 0, 1, 0, 1, 0, 1, 0])!;
  expect(fit).toMatchObject({ loss: 0.5, burst: 2, enterBad: 0.5, leaveBad: 0.5, observedRun: 1 });
  expect(fit.correlation).toBeLessThan(0);
});

test('a mismatched model shows in the observed runs', () => {
  const fit = fitGilbert(record('ge=1%/10%/50%/0% seed=4', 400_000))!;
  expect(fit.observedRun).toBeGreaterThan(1.7);
  expect(fit.observedRun).toBeLessThan(1.95);
});

test.each([[[]], [[1]], [[0, 0, 0]], [[1, 1]]])('returns undefined for %j', (lost) => {
  expect(fitGilbert(lost)).toBeUndefined();
});
