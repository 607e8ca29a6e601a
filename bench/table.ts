import { paddedCells } from '../lab/report/text-table.ts';

/** Formats a table for a terminal: first column left-aligned, others right-aligned. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = paddedCells([head, ...rows], (column) => (column === 0 ? 'left' : 'right'));
  const rule = lines[0]!.map((cell) => '-'.repeat(cell.length));
  const [title, ...figures] = lines.map((cells) => cells.join('  ').trimEnd());
  return [title, rule.join('  '), ...figures].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
