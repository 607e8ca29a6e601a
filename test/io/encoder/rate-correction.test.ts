import { expect, test } from 'vitest';
import { RateCorrection } from '../../../io/encoder/rate-correction.ts';

test('corrects an encoder that fills 80 % of its budget', () => {
  const correction = new RateCorrection();
  for (let frame = 0; frame < 300; frame++) correction.update(0.8 * correction.factor);
  expect(Math.abs(0.8 * correction.factor - 1)).toBeLessThan(0.01);
});

test('the correction is bounded, and still pictures do not change it', () => {
  const correction = new RateCorrection();
  for (let frame = 0; frame < 1_000; frame++) correction.update(0.65);
  expect(correction.factor).toBe(1.25);
  for (let frame = 0; frame < 1_000; frame++) correction.update(3);
  expect(correction.factor).toBe(1);
  for (let frame = 0; frame < 1_000; frame++) correction.update(0.01);
  expect(correction.factor).toBe(1);
});
