/** Points shown: one minute at one point per second. */
const POINTS_MAX = 60;

export interface SparklinePoint {
  readonly value: number;
  /** Second, higher value, drawn as the filled area behind the line; only for `line`. */
  readonly upper?: number;
}

/** Small chart without axes: newest point at the right, scale from zero to the highest point shown. */
export class Sparkline {
  readonly #canvas: HTMLCanvasElement;
  readonly #kind: 'line' | 'bars';
  readonly #scaleMin: number;
  #points: (SparklinePoint | undefined)[] = [];

  /** `scaleMin`: lower bound of the top of the scale, so that noise near zero looks small. */
  constructor(canvas: HTMLCanvasElement, options: { readonly kind: 'line' | 'bars'; readonly scaleMin: number }) {
    this.#canvas = canvas;
    this.#kind = options.kind;
    this.#scaleMin = options.scaleMin;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** Adds a point; `undefined` leaves a gap. */
  add(point: SparklinePoint | undefined): void {
    this.#points = [...this.#points, point].slice(-POINTS_MAX);
    this.#draw();
  }

  clear(): void {
    this.#points = [];
    this.#draw();
  }

  #draw(): void {
    const context = this.#canvas.getContext('2d');
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (context === null || width === 0) return;
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    const color = (name: string): string => getComputedStyle(this.#canvas).getPropertyValue(name);
    const step = width / POINTS_MAX;
    const top = this.#points.reduce((most, p) => Math.max(most, p?.value ?? 0, p?.upper ?? 0), this.#scaleMin);
    const floor = height - 1;
    context.fillStyle = color('--rule');
    context.fillRect(0, floor, width, 1);
    context.fillStyle = color(this.#kind === 'bars' ? '--bad' : '--line-fill');
    context.strokeStyle = color('--good');
    context.lineWidth = 1.5;
    context.lineJoin = 'round';
    context.beginPath();
    let drawing = false;
    for (const [index, point] of this.#points.entries()) {
      const left = width - (this.#points.length - index) * step;
      if (point === undefined) {
        drawing = false;
        continue;
      }
      const y = floor - (point.value / top) * (height - 3);
      if (this.#kind === 'bars') {
        context.fillRect(left + 0.5, y, step - 1, floor - y);
        continue;
      }
      const upper = floor - ((point.upper ?? point.value) / top) * (height - 3);
      context.fillRect(left, upper, step, floor - upper);
      if (drawing) context.lineTo(left + step / 2, y);
      else context.moveTo(left + step / 2, y);
      drawing = true;
    }
    context.stroke();
  }
}
