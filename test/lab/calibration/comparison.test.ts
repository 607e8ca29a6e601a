import { expect, test } from 'vitest';
import { missesOf, type Side } from '../../../lab/calibration/comparison.ts';

const NEVER = Number.POSITIVE_INFINITY;
const side = (changes: Partial<Side> = {}): Side => ({
  p50: 25_000,
  p95: 100_000,
  p99: 200_000,
  goodput: 2_000_000,
  framesDecodable: 600,
  ...changes,
});

test('over UDP, distance and 99th percentile decide', () => {
  const misses = (simulated: Side, distanceTolerant: number) =>
    missesOf('udp', { simulated, measured: side(), distanceTolerant });
  expect(misses(side(), 0.05)).toEqual([]);
  expect(misses(side(), 0.051)).toEqual(['KS 0.051']);
  // Within 5 %, which exceeds 3 ms here.
  expect(misses(side({ p99: 209_999 }), 0)).toEqual([]);
  expect(misses(side({ p99: 210_001 }), 0)).toEqual(['p99']);
  expect(misses(side({ p95: 500_000, goodput: 1 }), 0)).toEqual([]);
});

test('over UDP, the 99th percentile may differ by 3 ms on short paths', () => {
  const measured = side({ p99: 20_000 });
  const misses = (p99: number) => missesOf('udp', { simulated: side({ p99 }), measured, distanceTolerant: 0 });
  expect(misses(22_999)).toEqual([]);
  expect(misses(23_001)).toEqual(['p99']);
});

test('over TCP, 95th percentile and goodput decide, in either direction', () => {
  const misses = (simulated: Side) => missesOf('tcp', { simulated, measured: side(), distanceTolerant: 1 });
  expect(misses(side({ p95: 114_999, goodput: 1_810_000 }))).toEqual([]);
  expect(misses(side({ p95: 84_999 }))).toEqual(['p95']);
  expect(misses(side({ goodput: 2_210_000 }))).toEqual(['goodput']);
  expect(misses(side({ p95: 300_000, goodput: 1_000_000 }))).toEqual(['p95', 'goodput']);
});

test('two infinite delays agree, one does not', () => {
  const never = side({ p95: NEVER });
  expect(missesOf('tcp', { simulated: never, measured: never, distanceTolerant: 0 })).toEqual([]);
  expect(missesOf('tcp', { simulated: never, measured: side(), distanceTolerant: 0 })).toEqual(['p95']);
  expect(missesOf('tcp', { simulated: side(), measured: never, distanceTolerant: 0 })).toEqual(['p95']);
});
