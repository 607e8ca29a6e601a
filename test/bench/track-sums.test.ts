import { expect, test } from 'vitest';
import { compareTracks } from '../../bench/track-sums.ts';

const track = (start: number, sums: string) => [...sums].map((sum, index) => ({ seconds: start + index * 0.02, sum }));

test('compares a copy from its first packet on, whose time may be another', () => {
  expect(compareTracks(track(1, 'abcdef'), track(0, 'cdef'))).toMatchObject({
    ...{ packets: 6, before: 2, after: 0, more: 0, different: 0 },
    offMsMax: expect.closeTo(0, 6),
  });
});

test('counts packets that differ, are missing at the end, or are there in addition', () => {
  expect(compareTracks(track(0, 'abcdef'), track(0, 'abxd'))).toMatchObject({ after: 2, more: 0, different: 1 });
  expect(compareTracks(track(0, 'abc'), track(0, 'abcde'))).toMatchObject({ after: 0, more: 2, different: 0 });
  // A packet that is lost in the middle makes those after it differ.
  expect(compareTracks(track(0, 'abcdef'), track(0, 'abdef'))).toMatchObject({ after: 1, different: 3 });
});

test('finds the largest difference of times', () => {
  const copy = track(0, 'abc');
  copy[2] = { ...copy[2]!, seconds: 0.0405 };
  expect(compareTracks(track(0, 'abc'), copy).offMsMax).toBeCloseTo(0.5, 6);
});
