import { escapeText, Markup } from './markup.ts';
import { DARK, LIGHT, type StrategyStyle } from './strategy-style.ts';
import { OUTCOME_STYLES } from './timeline-plot.ts';

/** A color of the drawings, its CSS property, and its counterpart on a dark background. */
export interface PageColor {
  readonly property: string;
  readonly light: string;
  readonly dark: string;
}

/** All colors that depend on the background. */
export function pageColors(styles: readonly StrategyStyle[]): readonly PageColor[] {
  const ground = (Object.keys(LIGHT) as (keyof typeof LIGHT)[]).map((name) => ({
    property: `--${name}`,
    light: LIGHT[name],
    dark: DARK[name],
  }));
  const outcomes = OUTCOME_STYLES.map((style, index) => ({
    property: `--outcome-${index}`,
    light: style.color,
    dark: style.colorDark,
  }));
  const strategies = styles.map((style, index) => ({
    property: `--strategy-${index}`,
    light: style.color,
    dark: style.colorDark,
  }));
  return [...ground, ...outcomes, ...strategies];
}

/**
 * Embeds a Vega drawing in a page: maps its colors to CSS properties, prefixes its ids, and turns descriptions into
 * tooltips. Nothing is fetched.
 */
export function inlineDrawing(
  svg: string,
  drawing: { readonly id: string; readonly title: string; readonly alternative: string; readonly className: string },
  colors: readonly PageColor[],
): Markup {
  const properties = new Map(colors.map(({ light, property }) => [light.toLowerCase(), property]));
  const themed = svg.replace(/(fill|stroke)="(#[0-9a-f]{6}|white)"/gi, (all, attribute: string, color: string) => {
    const property = properties.get(color === 'white' ? LIGHT.surface : color.toLowerCase());
    return property ? `${attribute}="var(${property})"` : all;
  });
  const own = themed
    .replace(/\bid="([^"]+)"/g, `id="${drawing.id}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${drawing.id}-$1)`)
    .replace(/<(path|line|text)\b([^>]*?) aria-label="([^"]*)"([^>]*?)\/>/g, '<$1$2$4><title>$3</title></$1>')
    .replace(/ (?:role|aria-roledescription|aria-hidden|aria-label)="[^"]*"/g, '');
  const size = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(own);
  const head =
    `<svg class="${drawing.className}" viewBox="0 0 ${size?.[1]} ${size?.[2]}" width="${size?.[1]}" role="img" ` +
    `aria-labelledby="${drawing.id}-title ${drawing.id}-alternative"><title id="${drawing.id}-title">${escapeText(drawing.title)}</title>` +
    `<desc id="${drawing.id}-alternative">${escapeText(drawing.alternative)}</desc>`;
  return new Markup(own.replace(/^<svg[^>]*>/, head));
}
