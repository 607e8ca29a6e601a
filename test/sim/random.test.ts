import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RandomStream } from '../../sim/random.ts';

const draws = (stream: RandomStream, count: number): number[] =>
  Array.from({ length: count }, (_, index) => stream.uint32(index));

test('the n-th draw does not depend on earlier draws', () => {
  const stream = new RandomStream(1, 'forward/loss');
  const forwards = draws(stream, 100);
  const backwards = Array.from({ length: 100 }, (_, index) => stream.uint32(99 - index)).reverse();
  expect(backwards).toEqual(forwards);
});

test('draws are the same on every machine and in every version', () => {
  const stream = new RandomStream(1, 'forward/loss');
  expect([0, 1, 2, 2 ** 32].map((index) => stream.uint32(index))).toEqual([
    516_009_532, 1_017_581_812, 419_698_627, 1_847_032_182,
  ]);
});

test('another seed or name gives other draws', () => {
  const stream = draws(new RandomStream(1, 'forward/loss'), 3);
  expect(draws(new RandomStream(2, 'forward/loss'), 3)).not.toEqual(stream);
  expect(draws(new RandomStream(1, 'back/loss'), 3)).not.toEqual(stream);
});

test('streams of one seed are uncorrelated: half of their bits differ', () => {
  const one = new RandomStream(7, 'forward/loss');
  const other = new RandomStream(7, 'forward/jitter');
  let differing = 0;
  for (let index = 0; index < 10_000; index++) {
    for (let word = one.uint32(index) ^ other.uint32(index); word !== 0; word &= word - 1) differing++;
  }
  // 320,000 fair coins have a standard deviation of 283.
  expect(Math.abs(differing - 160_000)).toBeLessThan(4 * 283);
});

test('draws do not repeat after 2^32', () => {
  const stream = new RandomStream(1, 'x');
  const early = draws(stream, 8);
  const late = Array.from({ length: 8 }, (_, index) => stream.uint32(index + 2 ** 32));
  expect(late.filter((draw, index) => draw === early[index])).toEqual([]);
});

test('chance() is true with the given probability', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0.001, 0.05, 0.5, 0.93), (seed, share) => {
      const stream = new RandomStream(seed, 'chance');
      const count = 20_000;
      let hits = 0;
      for (let index = 0; index < count; index++) if (stream.chance(index, share)) hits++;
      // Five standard deviations: fails once in two million runs.
      expect(Math.abs(hits - count * share)).toBeLessThan(5 * Math.sqrt(count * share * (1 - share)) + 1);
    }),
    { numRuns: 40 },
  );
});

test('chance(0) is never true and chance(1) always', () => {
  const stream = new RandomStream(3, 'chance');
  const indexes = Array.from({ length: 5_000 }, (_, index) => index);
  expect(indexes.some((index) => stream.chance(index, 0))).toBe(false);
  expect(indexes.every((index) => stream.chance(index, 1))).toBe(true);
});

test('a bounded draw covers all values below its bound', () => {
  const stream = new RandomStream(5, 'below');
  const seen = new Set(Array.from({ length: 400 }, (_, index) => stream.below(index, 6)));
  expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
});
