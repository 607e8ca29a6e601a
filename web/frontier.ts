import type { LaneFigures, LaneSettings } from '../protocol/lane-message.ts';
import { colorOf, LANE_STYLES, STRATEGIES, strategyOf } from './lane-style.ts';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const WIDTH = 300;
const HEIGHT = 190;
const LEFT = 34;
const RIGHT = 10;
const TOP = 12;
const BOTTOM = 26;
/** The scale of the lag: decades from here to here, milliseconds. */
const LAG_MIN = 30;
const LAG_MAX = 30_000;
const LAG_TICKS: readonly (readonly [number, string])[] = [
  [30, '30 ms'],
  [100, '0.1 s'],
  [300, '0.3 s'],
  [1_000, '1 s'],
  [3_000, '3 s'],
  [10_000, '10 s'],
  [30_000, '30 s'],
];
const SHARE_TICKS = [0, 0.25, 0.5, 0.75, 1];
const MARKER = 5;

/** Completeness against lag, a point for each lane, moving as one watches. */
export class Frontier {
  readonly #points: SVGGElement;
  readonly #svg: SVGSVGElement;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    for (const [lag, label] of LAG_TICKS) {
      const x = across(lag);
      svg.append(shape('line', { class: 'axis', x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
      svg.append(text(label, x, HEIGHT - BOTTOM + 12, 'middle'));
    }
    for (const share of SHARE_TICKS) {
      const y = up(share);
      svg.append(shape('line', { class: 'axis', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }));
      svg.append(text(`${share * 100} %`, LEFT - 4, y + (share === 0 ? 0 : 3), 'end'));
    }
    svg.append(text('lag behind live, 95 % within', (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 2, 'middle'));
    this.#points = shape('g', {}) as SVGGElement;
    svg.append(this.#points);
  }

  show(lanes: readonly { readonly settings: LaneSettings; readonly figures: LaneFigures | undefined }[]): void {
    const points: SVGElement[] = [];
    const said: string[] = [];
    for (const [index, { settings, figures }] of lanes.entries()) {
      const share = figures && completeness(figures);
      if (!figures || share === undefined || figures.lagMsP95 === null) continue;
      const strategy = strategyOf(settings);
      const style = LANE_STYLES[strategy]!;
      const color = colorOf(strategy);
      const [x, y] = [across(Math.max(figures.lagMsP95, figures.standstillMs)), up(share)];
      const mark = shape('path', {
        d: style.marker,
        transform: `translate(${x} ${y}) scale(${MARKER})`,
        fill: style.filled ? color : 'none',
        stroke: color,
        'stroke-width': 0.35,
      });
      const title = document.createElementNS(NAMESPACE, 'title');
      const label = STRATEGIES.find(({ name }) => name === strategy)?.label ?? strategy;
      title.textContent = `${label}: ${(share * 100).toFixed(1)} % shown, lag ${Math.round(figures.lagMsP95)} ms`;
      said.push(title.textContent);
      mark.append(title);
      points.push(mark, text(String(index + 1), x + 8, y + (y < TOP + 12 ? 9 : -4), 'start'));
    }
    this.#points.replaceChildren(...points);
    this.#svg.setAttribute('aria-label', said.join('; ') || 'A point for each lane');
  }
}

/** The share of the decided frames that were shown, be it late; `undefined`: none was decided yet. */
export function completeness(figures: LaneFigures): number | undefined {
  const shown = figures.framesOnTime + figures.framesRecovered + figures.framesLate;
  const frames = shown + figures.framesLost;
  return frames === 0 ? undefined : shown / frames;
}

function across(lagMs: number): number {
  const clamped = Math.min(LAG_MAX, Math.max(LAG_MIN, lagMs));
  return LEFT + (Math.log(clamped / LAG_MIN) / Math.log(LAG_MAX / LAG_MIN)) * (WIDTH - LEFT - RIGHT);
}

const up = (share: number): number => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function text(content: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): SVGElement {
  const element = shape('text', { x, y, 'text-anchor': anchor });
  element.textContent = content;
  return element;
}
