const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escaped markup; other text is escaped when it is inserted. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** Escapes text for HTML, and removes control characters other than tab and line ends. */
export const escapeText = (text: string): string =>
  text.replace(CONTROL, '').replace(/[&<>"']/g, (each) => ESCAPES[each]!);

export type MarkupPart = string | number | Markup | readonly MarkupPart[];

const textOf = (part: MarkupPart): string => {
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(textOf).join('');
  return escapeText(String(part));
};

/** Template tag for markup; inserted values are escaped unless they are markup. */
export function html(literals: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  return new Markup(literals.reduce((text, literal, index) => text + textOf(parts[index - 1] ?? '') + literal));
}
