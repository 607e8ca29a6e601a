type Alignment = 'left' | 'right';
type Lines = readonly (readonly string[])[];

/** The cells of each line, padded to the widest cell of their column. A line may have fewer cells than the first. */
export function paddedCells(lines: Lines, alignment: (column: number) => Alignment): string[][] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line.map((text, column) =>
      alignment(column) === 'left' ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
    ),
  );
}

/** A table of words for a terminal: columns to the left, two blanks before each. */
export const alignedText = (lines: Lines): string =>
  paddedCells(lines, () => 'left')
    .map((cells) => `  ${cells.join('  ')}`.trimEnd())
    .join('\n');

/** A table in Markdown (GitHub Flavored Markdown §4.10). @param alignments of the columns; all to the left by default */
export function markdownTable(head: readonly string[], rows: Lines, alignments?: readonly Alignment[]): string {
  const rule = head.map((_, column) => (alignments?.[column] === 'right' ? '---:' : '---'));
  return [head, rule, ...rows]
    .map((line) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
