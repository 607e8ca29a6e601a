export const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';

/** Creates an SVG element. */
export function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG_NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** Creates an SVG text at a place. */
export function label(content: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): SVGElement {
  const element = shape('text', { x, y, 'text-anchor': anchor });
  element.textContent = content;
  return element;
}
