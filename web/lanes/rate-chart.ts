import type { LaneRates, LaneSettings } from '../../protocol/page/lane-message.ts';
import { colorOf } from './lane-color.ts';
import { strategyOf } from './lane-style.ts';
import { label, shape } from './svg-shapes.ts';

const WIDTH = 250;
const HEIGHT = 132;
const LEFT = 34;
const RIGHT = 6;
const TOP = 17;
const BOTTOM = 24;
/** Time span shown, milliseconds. */
const WINDOW_MS = 30_000;
/** Upper ends of the rate axis, Mb/s; the first one that leaves room above every lane is used. */
const SCALES = [0.5, 1, 2, 3, 4, 6, 10, 20, 40, 100, 400, 1_000];
/** Room above the highest rate, so that the capacity beyond it shows. */
const HEADROOM = 1.25;
const STEPS = 4;

/** Rates of all lanes at one time. */
interface Sample {
  readonly atMs: number;
  readonly capacity: number | null;
  readonly lanes: readonly LaneRates[];
}

/**
 * Strip chart of the last half minute: the link's capacity as an area, what each lane delivers as a line, and the
 * target of the lanes that follow the path as a dashed one.
 */
export class RateChart {
  readonly #svg: SVGSVGElement;
  readonly #axis = shape('g', {});
  readonly #lines = shape('g', {});
  #samples: Sample[] = [];
  #top: number | undefined;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    for (const seconds of [30, 20, 10, 0]) {
      const x = LEFT + (1 - (seconds * 1_000) / WINDOW_MS) * (WIDTH - LEFT - RIGHT);
      svg.append(shape('line', { class: 'axis', x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
      const name = seconds === 0 ? 'now' : `−${seconds} s`;
      svg.append(label(name, x, HEIGHT - BOTTOM + 10, seconds === 0 ? 'end' : 'middle'));
    }
    svg.append(label('Mb/s', LEFT - 4, 8, 'end'), this.#lines, this.#axis);
  }

  /** Discards everything shown: the clock of another connection may be another one. */
  forget(): void {
    this.#samples = [];
    this.#lines.replaceChildren();
  }

  /** Discards the lines of all other runs. */
  keep(runs: ReadonlySet<number | undefined>): void {
    const shown = new Set([...runs].map(String));
    for (const line of this.#lines.querySelectorAll<SVGElement>('polyline')) {
      if (!shown.has(line.dataset.run ?? '')) line.remove();
    }
  }

  show(sample: Sample, settings: readonly LaneSettings[]): void {
    if (sample.atMs < (this.#samples.at(-1)?.atMs ?? 0)) this.#samples = [];
    this.#samples.push(sample);
    this.#samples = this.#samples.filter(({ atMs }) => atMs > sample.atMs - WINDOW_MS);
    this.#scale();
    const parts: SVGElement[] = [this.#capacityArea(sample.atMs)];
    for (const [index, lane] of settings.entries()) {
      const color = colorOf(strategyOf(lane));
      const run = sample.lanes[index]?.run;
      // Figures of an earlier run of the lane are not its own.
      const of = (value: (rates: LaneRates) => number | null): string =>
        this.#pointsOf(sample.atMs, ({ lanes }) => {
          const own = lanes.find((rates) => rates.run === run);
          return own ? value(own) : null;
        });
      if (lane.follows) {
        const target = of((rates) => rates.target);
        parts.push(shape('polyline', { class: 'target', points: target, stroke: color, 'data-run': String(run) }));
      }
      const delivered = of((rates) => rates.delivered);
      parts.push(shape('polyline', { class: 'delivered', points: delivered, stroke: color, 'data-run': String(run) }));
    }
    this.#lines.replaceChildren(...parts);
    this.#svg.setAttribute('aria-label', describe(sample, settings));
  }

  #scale(): void {
    const rates = this.#samples.flatMap(({ lanes }) => lanes.map((lane) => Math.max(lane.delivered, lane.target ?? 0)));
    const wanted = (Math.max(0, ...rates) / 1e6) * HEADROOM;
    const top = SCALES.find((scale) => scale >= wanted) ?? SCALES.at(-1)!;
    if (top === this.#top) return;
    this.#top = top;
    const parts: SVGElement[] = [];
    for (let step = 0; step <= STEPS; step++) {
      const rate = (top * step) / STEPS;
      const y = this.#up(rate * 1e6);
      parts.push(shape('line', { class: 'axis', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }));
      parts.push(label(`${+rate.toFixed(2)}`, LEFT - 4, y + (step === 0 ? 0 : 3), 'end'));
    }
    this.#axis.replaceChildren(...parts);
  }

  /** The capacity from sample to sample; of a link without a bottleneck, all there is. */
  #capacityArea(nowMs: number): SVGElement {
    const points: string[] = [];
    const floor = HEIGHT - BOTTOM;
    let before: number | undefined;
    for (const { atMs, capacity } of this.#samples) {
      const right = across(nowMs, atMs);
      const y = capacity === null ? TOP : this.#up(capacity);
      if (before === undefined) points.push(`${right},${floor}`);
      else points.push(`${before},${y}`);
      points.push(`${right},${y}`);
      before = right;
    }
    if (before !== undefined) points.push(`${before},${floor}`);
    return shape('polygon', { class: 'capacity', points: points.join(' ') });
  }

  #pointsOf(nowMs: number, value: (sample: Sample) => number | null): string {
    return this.#samples
      .flatMap((sample) => {
        const rate = value(sample);
        return rate === null ? [] : [`${across(nowMs, sample.atMs)},${this.#up(rate)}`];
      })
      .join(' ');
  }

  /** Height of a rate, bits per second; rates beyond the scale are drawn at its end. */
  #up(rate: number): number {
    const share = Math.min(1, rate / 1e6 / (this.#top ?? 1));
    return +(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)).toFixed(1);
  }
}

function across(nowMs: number, atMs: number): number {
  return +(WIDTH - RIGHT - ((nowMs - atMs) / WINDOW_MS) * (WIDTH - LEFT - RIGHT)).toFixed(1);
}

function describe({ capacity, lanes }: Sample, settings: readonly LaneSettings[]): string {
  const said = settings.flatMap(({ follows }, index) => {
    const rates = lanes[index];
    if (!rates) return [];
    const target = follows && rates.target !== null ? `, target ${megabits(rates.target)}` : '';
    return [`lane ${index + 1} delivers ${megabits(rates.delivered)}${target}`];
  });
  const link = capacity === null ? 'the link has no limit' : `the link carries ${megabits(capacity)}`;
  return [link, ...said].join('; ');
}

/** Formats a bit rate for display: `0.85 Mb/s`. */
export const megabits = (bitsPerSecond: number): string => `${(bitsPerSecond / 1e6).toFixed(2)}\u00a0Mb/s`;
