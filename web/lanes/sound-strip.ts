import { isShown, type LaneLog, type Sound } from './lane-log.ts';
import { GUTTER, xAt } from './packet-timeline.ts';
import { StripCanvas } from './strip-canvas.ts';

const COLORS = ['good', 'recovered', 'held', 'bad', 'rule', 'quiet'] as const;
type Color = (typeof COLORS)[number];

/** Height of a unit's bar, as a share of the strip: what was lost stands out without its color too. */
const HEIGHTS: Readonly<Partial<Record<Color, number>>> = { good: 0.45, recovered: 0.7, held: 0.7, bad: 1 };

/** Canvas with the units of sound of the last seconds, on the time axis of the packet timeline: a bar for each. */
export class SoundStrip {
  readonly #strip: StripCanvas<Color>;
  readonly #log: LaneLog;

  constructor(canvas: HTMLCanvasElement, log: LaneLog) {
    this.#strip = new StripCanvas(canvas, COLORS);
    this.#log = log;
  }

  /** Ends what the window would keep alive together with the log. */
  close(): void {
    this.#strip.close();
  }

  /** @param reduced true for reduced motion: at most one drawing per second. */
  draw(nowMs: number, reduced: boolean): void {
    const drawing = this.#strip.begin(nowMs, reduced);
    if (!drawing) return;
    const { context, width, height } = drawing;
    context.fillStyle = this.#strip.color('quiet');
    context.fillText('sound', 0, height / 2);
    context.fillStyle = this.#strip.color('rule');
    context.fillRect(GUTTER, height - 1, width - GUTTER, 1);
    const view = { nowMs, knownMs: nowMs, width, height };
    for (const unit of this.#log.sounds) {
      const from = Math.max(GUTTER, xAt(view, unit.decidedMs));
      const to = Math.min(width, xAt(view, unit.decidedMs + unit.durationMs));
      if (to <= from) continue;
      const color = colorOf(unit);
      const bar = (height - 1) * HEIGHTS[color]!;
      context.fillStyle = this.#strip.color(color);
      // A fine gap between two units, where there is room for it.
      context.fillRect(from, height - 1 - bar, Math.max(1, to - from - (to - from > 3 ? 0.6 : 0)), bar);
    }
  }
}

function colorOf({ class: unitClass }: Sound): Color {
  if (!isShown(unitClass)) return 'bad';
  if (unitClass === 'late') return 'held';
  return unitClass === 'recovered' ? 'recovered' : 'good';
}
