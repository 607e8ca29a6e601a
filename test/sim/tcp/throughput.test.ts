import { expect, test } from 'vitest';
import { goodput, goodputAtPeriodicLoss } from '../../../lab/validation/greedy-source.ts';
import { integerCubeRoot } from '../../../protocol/base/cube-root.ts';

const BITS = 1_448 * 8;

/** Mathis et al. 1997 with one segment per acknowledgment, as in Linux: (MSS / R) √(3/2p). */
const mathis = (roundTrip: number, loss: number) => (BITS / roundTrip) * Math.sqrt(1.5 / loss);

/** Padhye et al. 1998 with b = 1 and T₀ = R + 200 ms, as in Linux. */
const pftk = (roundTrip: number, loss: number) =>
  BITS /
  (roundTrip * Math.sqrt((2 * loss) / 3) +
    (roundTrip + 0.2) * Math.min(1, 3 * Math.sqrt((3 * loss) / 8)) * loss * (1 + 32 * loss * loss));

/** Average window of CUBIC (RFC 9438 §5.1) with C = 0.4 and β = 0.7, as a rate. */
const cubicWindow = (roundTrip: number, loss: number) => (BITS / roundTrip) * 1.054 * (roundTrip / loss) ** 0.75;

const path = (roundTrip: number, loss: number) =>
  [`loss=${loss * 100}% delay=${roundTrip * 500}ms`, `delay=${roundTrip * 500}ms`] as const;

test.each([
  { roundTrip: 0.02, loss: 0.01, duration: 60 },
  { roundTrip: 0.05, loss: 0.002, duration: 120 },
  { roundTrip: 0.05, loss: 0.01, duration: 200 },
  { roundTrip: 0.1, loss: 0.01, duration: 400 },
  { roundTrip: 0.1, loss: 0.02, duration: 400 },
])('reno agrees with Mathis within 15 %: $roundTrip s, $loss', ({ roundTrip, loss, duration }) => {
  const ratio = goodput('reno', ...path(roundTrip, loss), duration) / mathis(roundTrip, loss);
  expect(ratio).toBeGreaterThan(0.85);
  expect(ratio).toBeLessThan(1.15);
});

test.each([
  { roundTrip: 0.05, loss: 0.002, duration: 120 },
  { roundTrip: 0.05, loss: 0.01, duration: 200 },
  { roundTrip: 0.1, loss: 0.01, duration: 400 },
  { roundTrip: 0.1, loss: 0.02, duration: 400 },
])('reno agrees with PFTK within 15 %: $roundTrip s, $loss', ({ roundTrip, loss, duration }) => {
  const ratio = goodput('reno', ...path(roundTrip, loss), duration) / pftk(roundTrip, loss);
  expect(ratio).toBeGreaterThan(0.85);
  expect(ratio).toBeLessThan(1.15);
});

test('cubic outperforms reno on a long path with rare losses, and not with frequent losses', () => {
  const rare = path(0.1, 0.0005);
  const frequent = path(0.02, 0.01);
  expect(goodput('cubic', ...rare, 200)).toBeGreaterThan(1.2 * goodput('reno', ...rare, 200));
  expect(goodput('cubic', ...frequent, 60)).toBeLessThan(1.05 * goodput('reno', ...frequent, 60));
});

test.each([
  { roundTrip: 0.3, each: 8_000 },
  { roundTrip: 0.4, each: 4_000 },
])(
  'cubic agrees with the average window of RFC 9438 within 15 %: $roundTrip s, one in $each',
  ({ roundTrip, each }) => {
    const rate = goodputAtPeriodicLoss('cubic', `delay=${roundTrip * 500}ms`, each, 120);
    const ratio = rate / cubicWindow(roundTrip, 1 / each);
    // The Reno-friendly region plays no part: Reno would reach a third.
    expect(rate).toBeGreaterThan(3 * mathis(roundTrip, 1 / each));
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1.15);
  },
);

test.each([
  ['10mbit', 0.05],
  ['8mbit', 0.1],
])('bbr uses four fifths of a bottleneck of %s at 5 % loss, and reno at most a sixth', (rate, roundTrip) => {
  const forward = `loss=5% delay=${roundTrip * 500}ms rate=${rate} queue=100ms`;
  const back = `delay=${roundTrip * 500}ms`;
  const capacity = Number.parseInt(rate, 10) * 1e6;
  expect(goodput('bbr', forward, back, 20)).toBeGreaterThan(0.8 * capacity);
  expect(goodput('reno', forward, back, 20)).toBeLessThan(capacity / 6);
});

test('every algorithm fills a bottleneck without random loss', () => {
  for (const name of ['reno', 'cubic', 'bbr'] as const) {
    const rate = goodput(name, 'delay=20ms rate=5mbit queue=100ms', 'delay=20ms', 20);
    expect(rate).toBeGreaterThan(0.9 * 5e6 * (1_448 / 1_508));
  }
});

test('integerCubeRoot is exact', () => {
  for (const root of [0, 1, 2, 9, 10, 1_000, 65_535, 100_000]) {
    expect(integerCubeRoot(root ** 3)).toBe(root);
    if (root > 0) expect(integerCubeRoot(root ** 3 - 1)).toBe(root - 1);
  }
});
