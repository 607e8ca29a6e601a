import { expect, test } from 'vitest';
import { nearestWord } from '../../../protocol/base/nearest-word.ts';

const KNOWN = ['strategies', 'seeds', 'source', 'repeats', 'release'];

test.each([
  ['strategy', 'strategies'],
  ['sorce', 'source'],
  ['suorce', 'source'],
  ['Seed', 'seeds'],
  ['relaese', 'release'],
])('%s most likely means %s', (word, meant) => {
  expect(nearestWord(word, KNOWN)).toBe(meant);
});

test('suggests none where fewer than half of the letters are equal', () => {
  expect(nearestWord('colour', KNOWN)).toBeUndefined();
  expect(nearestWord('', KNOWN)).toBeUndefined();
  expect(nearestWord('seeds', [])).toBeUndefined();
});
