import type { LaneFigures, LaneSettings } from '../../protocol/page/lane-message.ts';
import { colorOf } from './lane-color.ts';
import { LANE_STYLES, strategyLabel, strategyOf } from './lane-style.ts';
import { label, SVG_NAMESPACE, shape } from './svg-shapes.ts';

const WIDTH = 250;
const HEIGHT = 132;
const LEFT = 34;
const RIGHT = 10;
const TOP = 17;
const BOTTOM = 24;
/** Range of the lag axis, milliseconds (logarithmic). */
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
/** Scales of the completeness axis; the first one that contains every point is used. */
const SHARE_SCALES = [
  { floor: 0.8, steps: 4 },
  { floor: 0.5, steps: 5 },
  { floor: 0, steps: 4 },
] as const;
const MARKER = 5;
/** Positions kept per lane. */
const TRAIL_MAX = 120;

interface Place {
  readonly lagMs: number;
  readonly share: number;
}

/** Chart of completeness and lag: one point per lane, with a trail of its last positions. */
export class Frontier {
  readonly #points = shape('g', {});
  readonly #axis = shape('g', {});
  readonly #svg: SVGSVGElement;
  /** By run of the lane. */
  readonly #trails = new Map<number, Place[]>();
  #floor: number | undefined;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    for (const [lag, name] of LAG_TICKS) {
      const x = across(lag);
      svg.append(shape('line', { class: 'axis', x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
      svg.append(label(name, x, HEIGHT - BOTTOM + 10, 'middle'));
    }
    svg.append(label('lag behind live, 95th percentile', (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 3, 'middle'));
    svg.append(label('frames shown', 0, 8, 'start'));
    svg.append(this.#axis, this.#points);
  }

  show(lanes: readonly { readonly settings: LaneSettings; readonly figures: LaneFigures | undefined }[]): void {
    const runs = new Set(lanes.map(({ figures }) => figures?.run));
    for (const run of this.#trails.keys()) if (!runs.has(run)) this.#trails.delete(run);
    const places = lanes.map(({ figures }) => figures && placeOf(figures));
    this.#scale(Math.min(1, ...places.map((place) => place?.share ?? 1)));
    const points: SVGElement[] = [];
    const said: string[] = [];
    for (const [index, { settings, figures }] of lanes.entries()) {
      const place = places[index];
      if (!figures || !place) continue;
      const strategy = strategyOf(settings);
      const style = LANE_STYLES[strategy]!;
      const color = colorOf(strategy);
      const [x, y] = [across(place.lagMs), this.#up(place.share)];
      const trail = this.#trail(figures.run, place).map(
        ({ lagMs, share }) => `${across(lagMs).toFixed(1)},${this.#up(share).toFixed(1)}`,
      );
      points.push(shape('polyline', { class: 'trail', points: trail.join(' '), stroke: color }));
      const mark = shape('path', {
        d: style.marker,
        transform: `translate(${x} ${y}) scale(${MARKER})`,
        fill: style.filled ? color : 'none',
        stroke: color,
        'stroke-width': 0.35,
      });
      const title = document.createElementNS(SVG_NAMESPACE, 'title');
      title.textContent = `${strategyLabel(strategy)}: ${(place.share * 100).toFixed(1)} % of its frames shown, 95 % of them within ${Math.round(place.lagMs)} ms of live`;
      said.push(title.textContent);
      mark.append(title);
      // Each number has a corner of its own: points may coincide.
      const [side, below] = [index < 2 ? 'start' : 'end', index % 2 === 1] as const;
      points.push(mark, label(String(index + 1), side === 'start' ? x + 7 : x - 7, below ? y + 9 : y - 4, side));
    }
    this.#points.replaceChildren(...points);
    this.#svg.setAttribute('aria-label', said.join('; ') || 'One point per lane');
  }

  /** Begins again, for another video. */
  forget(): void {
    this.#trails.clear();
    this.#points.replaceChildren();
  }

  #trail(run: number, place: Place): readonly Place[] {
    const trail = this.#trails.get(run) ?? [];
    this.#trails.set(run, trail);
    trail.push(place);
    if (trail.length > TRAIL_MAX) trail.shift();
    return trail;
  }

  #scale(shareMin: number): void {
    const { floor, steps } = SHARE_SCALES.find((scale) => scale.floor <= shareMin) ?? SHARE_SCALES[2];
    if (floor === this.#floor) return;
    this.#floor = floor;
    const parts: SVGElement[] = [];
    for (let step = 0; step <= steps; step++) {
      const share = floor + ((1 - floor) * step) / steps;
      const y = this.#up(share);
      parts.push(shape('line', { class: 'axis', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }));
      parts.push(label(`${+(share * 100).toFixed(1)} %`, LEFT - 4, y + (step === 0 ? 0 : 3), 'end'));
    }
    this.#axis.replaceChildren(...parts);
  }

  #up(share: number): number {
    const floor = this.#floor ?? 0;
    return HEIGHT - BOTTOM - (Math.max(0, share - floor) / (1 - floor)) * (HEIGHT - BOTTOM - TOP);
  }
}

function placeOf(figures: LaneFigures): Place | undefined {
  const share = completeness(figures);
  if (share === undefined || figures.lagMsP95 === null) return undefined;
  return { share, lagMs: Math.max(figures.lagMsP95, figures.stalledForMs) };
}

/**
 * Frames shown as a share (0 to 1) of all frames with a known outcome, those shown late included; `undefined` while
 * there are none.
 */
export function completeness(figures: LaneFigures): number | undefined {
  const { framesOnTime, framesRecovered, framesLate, framesMended, framesLost, framesShown } = figures;
  const frames = framesOnTime + framesRecovered + framesLate + framesMended + framesLost;
  return frames === 0 ? undefined : framesShown / frames;
}

function across(lagMs: number): number {
  const clamped = Math.min(LAG_MAX, Math.max(LAG_MIN, lagMs));
  return LEFT + (Math.log(clamped / LAG_MIN) / Math.log(LAG_MAX / LAG_MIN)) * (WIDTH - LEFT - RIGHT);
}
