/**
 * Returns the page with the text between `<!-- NAME:begin -->` and `<!-- NAME:end -->` replaced, markers kept;
 * `undefined` when the page lacks the markers.
 */
export function withMarkedSection(page: string, name: string, text: string): string | undefined {
  const marker = `<!-- ${name}:begin -->`;
  const begin = page.indexOf(marker);
  const end = page.indexOf(`<!-- ${name}:end -->`);
  if (begin < 0 || end < begin) return undefined;
  return `${page.slice(0, begin + marker.length)}\n\n${text}\n\n${page.slice(end)}`;
}
