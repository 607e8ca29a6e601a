import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../protocol/base/units.ts';
import { CLEAN_LINK } from '../../sim/link/clean-link.ts';
import { Link } from '../../sim/link/link.ts';
import { ParallelPaths } from '../../sim/parallel-paths.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const linkOf = (ms: number) => new Link({ ...CLEAN_LINK, delay: milliseconds(ms) }, 'forward');

test('each datagram takes its path, and arrives by it', () => {
  const paths = new ParallelPaths(linkOf(30), linkOf(10));
  paths.send(at(0), Uint8Array.of(0));
  paths.send(at(0), Uint8Array.of(1), { path: 1, ecn: 3 });
  const arrivals: [ms: number, datagram: number, path: number, ecn: number][] = [];
  for (let next = paths.pollTimeout(); next !== undefined; next = paths.pollTimeout()) {
    const datagram = paths.pollDelivery(next)!;
    arrivals.push([next / 1_000, datagram[0]!, paths.deliveredPath, paths.deliveredEcn]);
  }
  expect(arrivals).toEqual([
    [10, 1, 1, 3],
    [30, 0, 0, 0],
  ]);
});

test('nothing arrives before it is due', () => {
  const paths = new ParallelPaths(linkOf(30), linkOf(10));
  paths.send(at(0), Uint8Array.of(0));
  expect(paths.pollDelivery(at(29))).toBeUndefined();
  expect(paths.pollTimeout()).toBe(at(30));
});
