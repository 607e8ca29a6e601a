import { expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { PathEstimator } from '../../../receiver/recovery/path-estimator.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** Packets 10 ms apart, each with its transit. */
function feed(load: PathEstimator, sequences: readonly number[], transit: (sequence: number) => number): void {
  for (const sequence of sequences)
    load.onPacket(at(10 * sequence), asSequence(sequence), milliseconds(transit(sequence)));
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

test('the loss is that of the last complete window, and 0 before', () => {
  const load = new PathEstimator();
  feed(
    load,
    upTo(30).filter((sequence) => sequence % 4 !== 1),
    () => 0,
  );
  expect(load.loss).toBe(0);
  load.onPacket(at(300), asSequence(30), microseconds(0));
  expect(load.loss).toBeCloseTo(8 / 31, 10);
  feed(load, upTo(70).slice(31), () => 0);
  expect(load.loss).toBe(0);
});

test('reordered packets are not lost', () => {
  const load = new PathEstimator();
  const swapped = upTo(62).map((sequence) => sequence ^ 1);
  for (const [place, sequence] of swapped.entries())
    load.onPacket(at(10 * place), asSequence(sequence), microseconds(0));
  expect(load.loss).toBeLessThan(0.04);
});

const TRANSIT_MS = 1_000_000;

test('the queueing delay is the minimum transit minus that of earlier windows', () => {
  const load = new PathEstimator();
  feed(load, upTo(31), () => TRANSIT_MS);
  expect(load.queueing).toBe(0);
  feed(load, upTo(61).slice(31), (sequence) => TRANSIT_MS + (sequence === 47 ? 12 : 40));
  expect(load.queueing).toBe(milliseconds(12));
});

test('a standing queue still counts after ten seconds; after half a minute it counts as the path', () => {
  const load = new PathEstimator();
  feed(load, upTo(31), () => TRANSIT_MS);
  feed(load, upTo(1_000).slice(31), () => TRANSIT_MS + 60);
  expect(load.queueing).toBe(milliseconds(60));
  feed(load, upTo(3_200).slice(1_000), () => TRANSIT_MS + 60);
  expect(load.queueing).toBe(0);
});

test('too few packets give no result, however long they took', () => {
  const load = new PathEstimator();
  for (let packet = 0; packet < 15; packet++) load.onPacket(at(100 * packet), asSequence(2 * packet), milliseconds(9));
  expect([load.loss, load.queueing]).toEqual([0, 0]);
});
