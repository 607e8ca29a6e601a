type Pad = (text: string, width: number) => string;

/** Columns of text, each as wide as its widest, two blanks before each. */
const columnsWith = (lines: readonly (readonly string[])[], pad: Pad): string[] => {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((text, column) => `  ${pad(text, widths[column]!)}`).join(''));
};

/** For words. */
export const aligned = (lines: readonly (readonly string[])[]): string =>
  columnsWith(lines, (text, width) => text.padEnd(width))
    .map((line) => line.trimEnd())
    .join('\n');

/** For figures, a line each. */
export const alignedRight = (lines: readonly (readonly string[])[]): string[] =>
  columnsWith(lines, (text, width) => text.padStart(width));
