const BEGIN = '<!-- calibrate:begin -->';
const END = '<!-- calibrate:end -->';

/** The page with this between the markers; where it has none, behind everything else, under a heading of its own. */
export function withMarkedSection(page: string, section: string): string {
  const marked = `${BEGIN}\n\n${section.trim()}\n\n${END}`;
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from >= 0 && to > from) return `${page.slice(0, from)}${marked}${page.slice(to + END.length)}`;
  return `${page.trimEnd()}\n\n## Beside the kernel\n\n${marked}\n`;
}
