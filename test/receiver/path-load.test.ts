import { expect, test } from 'vitest';
import { milliseconds } from '../../protocol/instant.ts';
import { PathLoad } from '../../receiver/path-load.ts';

const at = milliseconds;

/** Packets 10 ms apart, each so late. */
function feed(load: PathLoad, sequences: readonly number[], lateness: (sequence: number) => number): void {
  for (const sequence of sequences) load.onPacket(at(10 * sequence), sequence, at(lateness(sequence)));
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

test('what was lost is told of the window that is over, and not before there was one', () => {
  const load = new PathLoad();
  feed(
    load,
    upTo(30).filter((sequence) => sequence % 4 !== 1),
    () => 0,
  );
  expect(load.loss).toBe(0);
  load.onPacket(at(300), 30, 0);
  expect(load.loss).toBeCloseTo(8 / 31, 10);
  feed(load, upTo(70).slice(31), () => 0);
  expect(load.loss).toBe(0);
});

test('what was overtaken is not lost', () => {
  const load = new PathLoad();
  const swapped = upTo(62).map((sequence) => sequence ^ 1);
  for (const [place, sequence] of swapped.entries()) load.onPacket(at(10 * place), sequence, 0);
  expect(load.loss).toBeLessThan(0.04);
});

test('a queue is what even the least delayed packet has waited for', () => {
  const load = new PathLoad();
  feed(load, upTo(31), (sequence) => (sequence === 7 ? 12 : 40));
  expect(load.queueing).toBe(at(12));
});

test('a few packets tell nothing, however long they took', () => {
  const load = new PathLoad();
  for (let packet = 0; packet < 15; packet++) load.onPacket(at(100 * packet), 2 * packet, at(9));
  expect([load.loss, load.queueing]).toEqual([0, 0]);
});
