import { expect, test } from 'vitest';
import { alignedText, markdownTable, paddedCells } from '../../../lab/report/text-table.ts';

test('left-aligns words, each column as wide as its widest cell, without trailing blanks', () => {
  const lines = [
    ['a', 'bb', 'c'],
    ['aaa', 'b', ''],
  ];
  expect(alignedText(lines)).toBe('  a    bb  c\n  aaa  b');
});

test('right-aligns figures', () => {
  const lines = [
    ['p50', 'p99'],
    ['1.0', '1000.0'],
  ];
  expect(paddedCells(lines, () => 'right')).toEqual([
    ['p50', '   p99'],
    ['1.0', '1000.0'],
  ]);
});

test('a vertical bar in a cell is escaped in Markdown, and the rule sets the alignment', () => {
  expect(markdownTable(['name', 'share'], [['a|b', '1 %']], ['left', 'right'])).toBe(
    '| name | share |\n| --- | ---: |\n| a\\|b | 1 % |',
  );
});
