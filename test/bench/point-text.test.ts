import { expect, test } from 'vitest';
import { runPoint } from '../../bench/point.ts';
import { boundOf, boundText } from '../../bench/point-bound.ts';
import { readPoint } from '../../bench/point-text.ts';

test('a point of your own is a link, a budget and the frames', () => {
  expect(readPoint('loss=5% delay=25ms budget=150 fps=60 packets=4 key=9')).toEqual({
    name: 'own',
    forward: 'loss=5% delay=25ms',
    back: 'loss=5% delay=25ms',
    oneWayMs: 25,
    release: 'deadline',
    budgetMs: 150,
    framesPerSecond: 60,
    packets: 4,
    keyPackets: 9,
  });
  expect(readPoint('loss=5% delay=25ms budget=150ms; back delay=5ms')).toMatchObject({ back: 'delay=5ms' });
});

test.each([
  ['loss=5%', /^expected a link and a budget/],
  ['budget=0', /^budget=0: expected a positive number of ms/],
  ['budget=100 packets=1.5', /^packets=1.5: expected a positive number/],
  ['budget=20 delay=20ms', /^no frame arrives within 20 ms/],
  ['budget=20 los=3%', /los/],
  ['budget=20; back nonsense', /nonsense/],
])('%s is refused with the reason', (text, reason) => {
  expect(() => readPoint(text)).toThrow(reason);
});

test('a run costs no less than its bound', () => {
  const point = readPoint('loss=20% delay=10ms budget=35 packets=5');
  const outcome = runPoint(point, { recovery: 'hybrid', frames: 1_000, seed: 3 });
  const bound = boundOf(point, [outcome])!;
  expect(bound.floor).toBeLessThan(bound.scheme!);
  expect(outcome.overhead).toBeGreaterThan(bound.floor);
  expect(boundText(bound, bound.scheme! + 0.0123)).toBe(`${(bound.scheme! * 100).toFixed(2)} (+1.23)`);
});

test('a bound says what it holds for', () => {
  const outcome = runPoint(readPoint('delay=10ms budget=100'), { recovery: 'nack', frames: 100, seed: 3 });
  const boundAt = (text: string) => boundText(boundOf(readPoint(text), [outcome]), 0.05);
  expect(boundAt('loss=5% burst=4 delay=10ms budget=100')).toMatch(/^≥ 6\.\d\d$/);
  expect(boundAt('loss=5% delay=10ms budget=100 key=30')).toMatch(/^≥/);
  expect(boundAt('rate=1mbit delay=10ms budget=100')).toBe('–');
});
