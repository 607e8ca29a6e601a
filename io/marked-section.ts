/**
 * The page with what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` replaced; the markers stay.
 * `undefined`: the page has none.
 */
export function withMarkedSection(page: string, name: string, text: string): string | undefined {
  const marker = `<!-- ${name}:begin -->`;
  const begin = page.indexOf(marker);
  const end = page.indexOf(`<!-- ${name}:end -->`);
  if (begin < 0 || end < begin) return undefined;
  return `${page.slice(0, begin + marker.length)}\n\n${text}\n\n${page.slice(end)}`;
}
