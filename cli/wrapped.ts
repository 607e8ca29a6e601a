/** Wraps a line at spaces; continuation lines are indented. @param width of a line, characters. */
export function wrapped(text: string, width: number, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? word : `${' '.repeat(indent)}${word}`);
  }
  return lines.join('\n');
}
