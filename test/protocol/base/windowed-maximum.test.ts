import { expect, test } from 'vitest';
import { instant, milliseconds } from '../../../protocol/base/units.ts';
import { WindowedMaximum } from '../../../protocol/base/windowed-maximum.ts';

const at = (ms: number) => instant(milliseconds(ms));
const slot = milliseconds(100);

test('keeps the maximum of this slot and of the one before', () => {
  const maximum = new WindowedMaximum({ slot });
  maximum.observe(at(0), 7);
  maximum.observe(at(50), 3);
  expect(maximum.at(at(99))).toBe(7);
  maximum.observe(at(110), 4);
  expect(maximum.at(at(150))).toBe(7);
  expect(maximum.at(at(210))).toBe(4);
});

test('forgets after a slot without a value, unless it outlasts silence', () => {
  const forgetful = new WindowedMaximum({ slot });
  const lasting = new WindowedMaximum({ slot, least: Number.NEGATIVE_INFINITY, outlastsSilence: true });
  for (const maximum of [forgetful, lasting]) maximum.observe(at(0), 7);
  expect(forgetful.at(at(500))).toBe(0);
  expect(lasting.at(at(500))).toBe(7);
});

test('is a minimum of values with their sign changed', () => {
  const minimum = new WindowedMaximum({ slot, least: Number.NEGATIVE_INFINITY });
  minimum.observe(at(0), -7);
  minimum.observe(at(1), -9);
  expect(-minimum.at(at(2))).toBe(7);
});
