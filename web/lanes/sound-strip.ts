import { isShown, type LaneLog, type Sound } from './lane-log.ts';
import { GUTTER, xAt } from './packet-timeline.ts';

const COLORS = ['good', 'recovered', 'held', 'bad', 'rule', 'quiet'] as const;
type Color = (typeof COLORS)[number];

/** Height of a unit's bar, as a share of the strip: what was lost stands out without its color too. */
const HEIGHTS: Readonly<Partial<Record<Color, number>>> = { good: 0.45, recovered: 0.7, held: 0.7, bad: 1 };
/** Time between two drawings with reduced motion, milliseconds. */
const REDUCED_STEP_MS = 1_000;

/** Canvas with the units of sound of the last seconds, on the time axis of the packet timeline: a bar for each. */
export class SoundStrip {
  readonly #canvas: HTMLCanvasElement;
  readonly #log: LaneLog;
  #colors: Readonly<Record<string, string>> | undefined;
  #drawnMs = Number.NEGATIVE_INFINITY;
  readonly #closed = new AbortController();

  constructor(canvas: HTMLCanvasElement, log: LaneLog) {
    this.#canvas = canvas;
    this.#log = log;
    const recolor = () => {
      this.#colors = undefined;
      this.#drawnMs = Number.NEGATIVE_INFINITY;
    };
    const { signal } = this.#closed;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolor, { signal });
  }

  /** Ends what the window would keep alive together with the log. */
  close(): void {
    this.#closed.abort();
  }

  /** @param reduced true for reduced motion: at most one drawing per second. */
  draw(nowMs: number, reduced: boolean): void {
    if (reduced && nowMs - this.#drawnMs < REDUCED_STEP_MS && nowMs >= this.#drawnMs) return;
    const context = this.#canvas.getContext('2d');
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (context === null || width === 0) return;
    this.#drawnMs = nowMs;
    const [pixelsX, pixelsY] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.#canvas.width !== pixelsX || this.#canvas.height !== pixelsY) {
      this.#canvas.width = pixelsX;
      this.#canvas.height = pixelsY;
    }
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    context.fillStyle = this.#color('quiet');
    context.fillText('sound', 0, height / 2);
    context.fillStyle = this.#color('rule');
    context.fillRect(GUTTER, height - 1, width - GUTTER, 1);
    const view = { nowMs, knownMs: nowMs, width, height };
    for (const unit of this.#log.sounds) {
      const from = Math.max(GUTTER, xAt(view, unit.decidedMs));
      const to = Math.min(width, xAt(view, unit.decidedMs + unit.durationMs));
      if (to <= from) continue;
      const color = colorOf(unit);
      const bar = (height - 1) * HEIGHTS[color]!;
      context.fillStyle = this.#color(color);
      // A fine gap between two units, where there is room for it.
      context.fillRect(from, height - 1 - bar, Math.max(1, to - from - (to - from > 3 ? 0.6 : 0)), bar);
    }
  }

  #color(name: Color): string {
    const style = getComputedStyle(this.#canvas);
    this.#colors ??= Object.fromEntries(COLORS.map((color) => [color, style.getPropertyValue(`--${color}`).trim()]));
    return this.#colors[name] ?? '';
  }
}

function colorOf({ class: unitClass }: Sound): Color {
  if (!isShown(unitClass)) return 'bad';
  if (unitClass === 'late') return 'held';
  return unitClass === 'recovered' ? 'recovered' : 'good';
}
