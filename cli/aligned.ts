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

/** Breaks a line at blanks; all lines but the first are indented. @param width of each, characters. */
export function wrapped(text: string, width: number, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? word : `${' '.repeat(indent)}${word}`);
  }
  return lines.join('\n');
}
