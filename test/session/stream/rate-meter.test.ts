import { expect, test } from 'vitest';
import { instant, milliseconds } from '../../../protocol/base/units.ts';
import { RateMeter } from '../../../session/stream/rate-meter.ts';

const at = (ms: number) => instant(milliseconds(ms));

/** Adds a sample each 100 ms. */
function feed(meter: RateMeter, fromMs: number, toMs: number, target: number, sent: (ms: number) => number): void {
  for (let ms = fromMs; ms < toMs; ms += 100) {
    meter.add(at(ms), { target, sentBytes: sent(ms), deliveredBytes: sent(ms) / 2 });
  }
}

test('has the rates of the last second, and no others', () => {
  const meter = new RateMeter();
  expect(meter.rates).toBeUndefined();
  feed(meter, 0, 3_000, 800_000, (ms) => ms * 125);
  expect(meter.rates).toEqual({ target: 800_000, sent: 1e6, delivered: 5e5 });
  feed(meter, 3_000, 5_000, 200_000, (ms) => 3_000 * 125 + (ms - 3_000) * 25);
  expect(meter.rates).toEqual({ target: 200_000, sent: 2e5, delivered: 1e5 });
});

test('has the mean of the target over the time of the stream, without a pause', () => {
  const meter = new RateMeter();
  feed(meter, 0, 1_001, 900_000, () => 0);
  feed(meter, 60_000, 61_001, 300_000, () => 0);
  expect(meter.meanTarget).toBeCloseTo(600_000);
  expect(meter.seconds).toBeCloseTo(2);
});
