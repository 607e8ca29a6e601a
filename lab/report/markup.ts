const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup that is as it should be; any other text is escaped where it enters some. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being taken out
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** Also takes out what no document may hold: control characters but tab and line ends. */
export const escapeText = (text: string): string =>
  text.replace(CONTROL, '').replace(/[&<>"']/g, (each) => ESCAPES[each]!);

export type Part = string | number | Markup | readonly Part[];

const textOf = (part: Part): string => {
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(textOf).join('');
  return escapeText(String(part));
};

/** Markup from a template; what is put in is escaped unless it is markup itself. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(literals.reduce((text, literal, index) => text + textOf(parts[index - 1] ?? '') + literal));
}
